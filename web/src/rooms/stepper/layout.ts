/** Where the maps stand: in columns, each above its gradient; how large a cell is, and how its numbers are written. */
import type { StepperGrid, StepperScene } from "../../messages";
import { number } from "../../lib/format";

const COLUMNS = [
  ["image", "d_image"],
  ["kernel", "d_kernel", "d_bias"],
  ["conv", "d_conv"],
  ["relu", "d_relu"],
  ["pool", "d_pool"],
] as const;
/** What stands before each column. */
const SIGNS = ["", "∗", "=", "→", "→"];

const GAP = 36;
/** Of a column, in pixels: its caption needs as much. */
const NARROWEST = 92;
/** What is written above and below a map, in pixels. */
const CAPTIONS = 56;
/** Pixels of a cell, at most and at least; smaller ones only where the page is narrow. */
const LARGEST = 46;
const SMALLEST = 16;

export interface Column {
  sign: string;
  grids: StepperGrid[];
}

export function columns(scene: StepperScene): Column[] {
  return COLUMNS.map((names, index) => ({
    sign: SIGNS[index]!,
    grids: names.map((name) => scene.grids.find((grid) => grid.name === name)).filter((grid) => grid !== undefined),
  })).filter((column) => column.grids.length);
}

/** Pixels of a cell: the largest with which all maps fit into a width and a height. */
export function cellSize(scene: StepperScene, width: number, height: number): number {
  const sizes = columns(scene).map(({ grids }) => ({
    across: Math.max(...grids.map((grid) => grid.values[0]!.length)),
    down: grids.reduce((sum, grid) => sum + grid.values.length, 0),
    captions: grids.length * CAPTIONS,
  }));
  const widest = Math.floor(width / Math.max(...sizes.map((size) => size.across)));
  const enough = (cell: number): boolean => heightOf(sizes, cell, width) <= height;
  for (let cell = Math.min(LARGEST, widest); cell > SMALLEST; cell--) if (enough(cell)) return cell;
  return Math.min(widest, SMALLEST);
}

interface Size {
  across: number;
  down: number;
  captions: number;
}

/** How high the columns are, on as many lines as they need. */
function heightOf(sizes: readonly Size[], cell: number, available: number): number {
  let [total, line, used] = [0, 0, 0];
  for (const [index, { across, down, captions }] of sizes.entries()) {
    const width = (index && GAP) + Math.max(NARROWEST, across * cell);
    if (used + width > available && used) [total, line, used] = [total + line, 0, 0];
    used += width;
    line = Math.max(line, down * cell + captions);
  }
  return total + line;
}

/** How the numbers of a map are written: all in one size, with as many digits as fit; none where none fit. */
export function numerals(values: readonly number[][], cell: number): { size: number; text: (value: number) => string } {
  for (const digits of [4, 3, 2]) {
    const text = (value: number): string => number(value, digits);
    const longest = Math.max(...values.flat().map((value) => text(value).length));
    const size = Math.min(Math.round(0.4 * cell), Math.floor((cell - 4) / (0.6 * longest)));
    if (size >= 9 || (digits === 2 && size >= 7)) return { size, text };
  }
  return { size: 0, text: () => "" };
}
