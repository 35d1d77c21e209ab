/** Small maps as they are drawn: how wide, in which colours, and what is behind a cell. */
import type { ConvolveStage, LessonGrid } from "../../messages";
import type { Cell, Window } from "../../lib/cells";
import { scaleFor, type Scale } from "../../lib/scales";
import { fromRows, type Numbers } from "../../lib/tensor";

/** Rem that a cell of a printed map takes. */
export const CELL = 2.1;

export function width(columns: number, cell = CELL): string {
  return `min(100%, ${columns * cell}rem)`;
}

export function picture(values: ArrayLike<number>): Scale {
  return { kind: "picture", low: 0, high: Math.max(1, ...Array.from(values)) };
}

/** A grid of an exercise as numbers; what is asked for is 0 there, and is not printed. */
export function numbersOf(grid: LessonGrid): Numbers {
  return fromRows(grid.cells.map((row) => row.map((value) => value ?? 0)));
}

export function scaleOf(grid: LessonGrid): Scale {
  const { values } = numbersOf(grid);
  if (grid.kind === "picture") return picture(values);
  return scaleFor(grid.kind === "kernel" ? "weight" : "activation", values); // 0 looks alike in all maps
}

export function around(cells: readonly (readonly [number, number])[], kind: Window["kind"] = "window"): Window[] {
  if (!cells.length) return [];
  const rows = cells.map(([row]) => row);
  const columns = cells.map(([, column]) => column);
  return [box(rows, columns, kind)];
}

function box(rows: readonly number[], columns: readonly number[], kind: Window["kind"]): Window {
  const [row, column] = [Math.min(...rows), Math.min(...columns)];
  return { row, column, rows: Math.max(...rows) - row + 1, columns: Math.max(...columns) - column + 1, kind };
}

/** What lies behind a cell of a stage: a window on each map before it, the picture first. */
export function behind(stages: readonly ConvolveStage[], stage: number, cell: Cell): Window[] {
  let [rows, columns] = [[cell.row], [cell.column]];
  const found: Window[] = [];
  for (let at = stage; at >= 0; at--) {
    const { rows: byRow, columns: byColumn } = stages[at]!;
    rows = [...new Set(rows.flatMap((row) => byRow[row] ?? []))];
    columns = [...new Set(columns.flatMap((column) => byColumn[column] ?? []))];
    if (!rows.length || !columns.length) return [];
    found.unshift(box(rows, columns, "window"));
  }
  return found;
}

/** Each cell with a sign of its own, to be marked. */
export function cellsWhere({ shape, values }: Numbers, is: (value: number) => boolean): Window[] {
  const columns = shape[1] ?? 1;
  return [...values].flatMap((value, index) =>
    is(value)
      ? [{ row: Math.floor(index / columns), column: index % columns, rows: 1, columns: 1, kind: "window" as const }]
      : [],
  );
}
