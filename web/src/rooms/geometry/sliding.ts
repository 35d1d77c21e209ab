/** Where a window lies on the drawn image, border included. Its places come from Python; here they are only moved. */
import type { Cell } from "../../lib/cells";
import type { GeometryWindow } from "../../messages";

/** The rows, or columns, that the window reads at a stop. */
export function read(told: GeometryWindow, stop: number): number[] {
  return told.taps.map((tap) => told.starts[stop]! + told.before + tap);
}

/** The stops whose window reads a cell. */
export function stops(told: GeometryWindow, cell: Cell): Cell[] {
  const along = (place: number): number[] =>
    told.starts.flatMap((start, index) => (told.taps.includes(place - told.before - start) ? [index] : []));
  const columns = along(cell.column);
  return along(cell.row).flatMap((row) => columns.map((column) => ({ row, column })));
}
