/** Cells of a map, and windows on it. */

export interface Cell {
  row: number;
  column: number;
}

/** A rectangle drawn on a map: the amber window, a dashed trace of it, or cells that nothing ever covers. */
export interface Window extends Cell {
  rows: number;
  columns: number;
  kind: "window" | "traced" | "unseen-cell";
}

/** The cells of a straight line from one to another, without the first. */
export function between(from: Cell, to: Cell): Cell[] {
  const steps = Math.max(Math.abs(to.row - from.row), Math.abs(to.column - from.column));
  return Array.from({ length: steps }, (_, index) => ({
    row: Math.round(from.row + ((to.row - from.row) * (index + 1)) / steps),
    column: Math.round(from.column + ((to.column - from.column) * (index + 1)) / steps),
  }));
}
