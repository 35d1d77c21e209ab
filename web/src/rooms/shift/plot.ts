/** Where a plot puts its lines and ticks: numbers only. */
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";

export interface Line {
  name: string;
  values: readonly (readonly [x: number, y: number | null])[];
  /** Which of the colours and dashes of a plot; line 0 stands out. */
  rank: number;
}

export interface Plot {
  lines: { name: string; rank: number; path: string; dots: { x: number; y: number }[] }[];
  ticks: { x: { at: number; value: number }[]; y: { at: number; value: number }[] };
  x(value: number): number;
  y(value: number): number;
  /** The value nearest to a place along the row. */
  nearest(at: number): number;
}

export const HIGH = 240;
export const LEFT = 46;
export const RIGHT = 12;
const [TOP, BOTTOM] = [10, 36];

/** Lays lines out in so many pixels of the screen, with `top` at the upper end of the column. */
export function plot(lines: readonly Line[], top: number, wide: number): Plot {
  const xs = lines.flatMap((one) => one.values.map(([x]) => x));
  const x = scaleLinear([Math.min(...xs), Math.max(...xs)], [LEFT, wide - RIGHT]);
  const y = scaleLinear([0, top], [HIGH - BOTTOM, TOP]);
  const path = line<readonly [number, number | null]>(
    ([value]) => x(value),
    ([, value]) => y(value ?? 0),
  ).defined(([, value]) => value !== null);
  return {
    lines: lines.map(({ name, rank, values }) => ({
      ...{ name, rank, path: path(values) ?? "" },
      dots: values.flatMap(([at, value]) => (value === null ? [] : [{ x: x(at), y: y(value) }])),
    })),
    ticks: {
      x: x.ticks(Math.min(wide / 60, new Set(xs).size)).map((value) => ({ at: x(value), value })),
      y: y.ticks(4).map((value) => ({ at: y(value), value })),
    },
    x,
    y,
    nearest: (at) => xs.reduce((best, value) => (Math.abs(x(value) - at) < Math.abs(x(best) - at) ? value : best), xs[0] ?? 0),
  };
}
