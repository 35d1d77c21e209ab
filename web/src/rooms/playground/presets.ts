/** Drawings to begin with. Lines and bars fill whole cells; what is round, and letters, are lines with soft edges. */
import { GLYPHS, type Line } from "./glyphs";

const WHITE = 50;
type Draw = (size: number) => Uint8Array;

/** Shades by a rule on row and column. */
function cells(inside: (row: number, column: number, size: number) => boolean): Draw {
  return (size) =>
    Uint8Array.from({ length: size * size }, (_, at) => (inside(Math.floor(at / size), at % size, size) ? WHITE : 0));
}

function distance(x: number, y: number, [x0, y0]: readonly [number, number], [x1, y1]: readonly [number, number]): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

/** Shades of lines, whose points are shares of the side. */
function strokes(lines: readonly Line[], size: number): Uint8Array {
  const half = Math.max(0.5, size / 22);
  const segments = lines.flatMap((line) => line.slice(1).map((end, at) => [line[at]!, end] as const));
  return Uint8Array.from({ length: size * size }, (_, at) => {
    const [y, x] = [(Math.floor(at / size) + 0.5) / size, ((at % size) + 0.5) / size];
    const nearest = Math.min(...segments.map(([from, to]) => distance(x, y, from, to)));
    return Math.round(WHITE * Math.min(1, Math.max(0, half + 0.5 - nearest * size)));
  });
}

const middle = (size: number): number => Math.floor(size / 2);
const isBar = (at: number, size: number): boolean => Math.abs(at - (size - 1) / 2) < Math.max(1, size / 10);
/** Which of equal parts, about so many of them, a cell lies in. */
const part = (at: number, size: number, parts: number): number => Math.floor(at / Math.round(size / parts));

const SHAPES: Record<string, Draw> = {
  cross: cells(
    (row, column, size) =>
      row === middle(size) || column === middle(size) || row === column || row === size - 1 - column,
  ),
  circle: (size) => ring(size, 0.33 * size),
  horizontal: cells((row, _, size) => row === middle(size)),
  vertical: cells((_, column, size) => column === middle(size)),
  diagonal: cells((row, column, size) => row === size - 1 - column),
  bar: cells((row, column, size) => isBar(column, size) && row >= size / 5 && row < size - Math.floor(size / 5)),
  bars: cells((_, column, size) => part(column, size, 10) % 2 === 1),
  checkerboard: cells((row, column, size) => (part(row, size, 5) + part(column, size, 5)) % 2 === 0),
};

function ring(size: number, radius: number): Uint8Array {
  const centre = (size - 1) / 2;
  const half = Math.max(0.6, size / 20);
  return Uint8Array.from({ length: size * size }, (_, at) => {
    const away = Math.abs(Math.hypot(Math.floor(at / size) - centre, (at % size) - centre) - radius);
    return Math.round(WHITE * Math.min(1, Math.max(0, half + 0.5 - away)));
  });
}

export const SHAPE_NAMES = Object.keys(SHAPES);

/** All presets by name; letters and digits are their own names. */
export const PRESETS: Record<string, Draw> = {
  ...SHAPES,
  ...Object.fromEntries(
    Object.entries(GLYPHS).map(([glyph, lines]): [string, Draw] => [`sign-${glyph}`, (size) => strokes(lines, size)]),
  ),
};
