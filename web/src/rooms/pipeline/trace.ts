/** From a cell to what it was computed from, and to what is computed from it. Nothing is computed here but places. */
import type { Window } from "../../lib/cells";
import type { PipelineWindows } from "../../messages";

/** Rows and columns from … to, both included, counted from a map's first real cell. */
export interface Area {
  rows: [number, number];
  columns: [number, number];
}

export type Layer = "input" | "conv" | "relu" | "pool";
export type Traces = Record<Layer, Area | null>;

interface Lists {
  conv: PipelineWindows;
  pool: PipelineWindows | null;
}

/** The cells that an area of a result was computed from. */
export function behind(windows: PipelineWindows, { rows, columns }: Area): Area {
  const span = (lists: number[][], [from, to]: [number, number]): [number, number] => {
    const all = lists.slice(from, to + 1).flat();
    return [Math.min(...all), Math.max(...all)];
  };
  return { rows: span(windows.rows, rows), columns: span(windows.columns, columns) };
}

/** The part of a result that some cells have a share in; none where no window reads them. */
function ahead(windows: PipelineWindows, { rows, columns }: Area): Area | null {
  const reading = (lists: number[][], [from, to]: [number, number]): [number, number] | null => {
    const found = lists.flatMap((list, index) => (list.some((cell) => cell >= from && cell <= to) ? [index] : []));
    return found.length ? [found[0]!, found.at(-1)!] : null;
  };
  const [down, across] = [reading(windows.rows, rows), reading(windows.columns, columns)];
  return down && across && { rows: down, columns: across };
}

export function traced(layer: Layer, row: number, column: number, { conv, pool }: Lists): Traces {
  const here: Area = { rows: [row, row], columns: [column, column] };
  if (layer === "pool" && pool) {
    const maps = within(behind(pool, here), conv);
    return { input: behind(conv, maps), conv: maps, relu: maps, pool: here };
  }
  const maps = layer === "input" ? ahead(conv, here) : here;
  return {
    input: layer === "input" ? here : behind(conv, here),
    conv: maps,
    relu: maps,
    pool: pool && maps && ahead(pool, maps),
  };
}

/** Without the cells beyond the end over which the last windows hang. */
function within({ rows, columns }: Area, conv: PipelineWindows): Area {
  return {
    rows: [rows[0], Math.min(rows[1], conv.rows.length - 1)],
    columns: [columns[0], Math.min(columns[1], conv.columns.length - 1)],
  };
}

export function framed(area: Area | null, kind: Window["kind"]): Window[] {
  if (!area) return [];
  const { rows, columns } = area;
  const size = { rows: rows[1] - rows[0] + 1, columns: columns[1] - columns[0] + 1 };
  return [{ row: rows[0], column: columns[0], ...size, kind }];
}
