/** A drawing: a square grid of shades, in steps of 1/50 so that they are short numbers, and what a brush does to it. */
import type { Cell } from "../../lib/cells";
import { bytes, type Codec } from "../../lib/kept.svelte";
import type { Numbers } from "../../lib/tensor";
import { PRESETS } from "./presets";

export const LEAST = 8;
export const MOST = 64;
/** White; 0 is black. */
export const WHITE = 50;

export interface Drawing {
  size: number;
  /** Row by row, 0 to 50. */
  shades: Uint8Array;
  /** The preset that it is, untouched. */
  name?: string;
}

export function blank(size: number): Drawing {
  return { size, shades: new Uint8Array(size * size) };
}

export function preset(name: string, size: number): Drawing {
  return { size, shades: PRESETS[name]!(size), name };
}

/** Numbers from 0 to 1, as Python takes them. */
export function asNumbers({ size, shades }: Drawing): Numbers {
  return { shape: [size, size], values: Float32Array.from(shades, (shade) => shade / WHITE) };
}

export function fromNumbers({ shape, values }: Numbers): Drawing {
  return { size: shape[0]!, shades: Uint8Array.from(values, (value) => Math.round(value * WHITE)) };
}

/** The drawing after a square brush has passed cells; the same object where nothing changed. */
export function painted(drawing: Drawing, cells: readonly Cell[], brush: number, shade: number): Drawing {
  const { size } = drawing;
  const shades = drawing.shades.slice();
  const before = Math.floor((brush - 1) / 2);
  for (const { row, column } of cells) {
    for (let r = row - before; r < row - before + brush; r++) {
      for (let c = column - before; c < column - before + brush; c++) {
        if (r >= 0 && r < size && c >= 0 && c < size) shades[r * size + c] = shade;
      }
    }
  }
  return shades.every((value, at) => value === drawing.shades[at]) ? drawing : { size, shades };
}

export function inverted({ size, shades }: Drawing): Drawing {
  return { size, shades: shades.map((shade) => WHITE - shade) };
}

/** The drawing on a grid of another size: each new cell has the shade of the old one that it lies on. */
export function resized({ size: old, shades }: Drawing, size: number): Drawing {
  const at = (place: number): number => Math.floor(((place + 0.5) * old) / size);
  const next = blank(size);
  next.shades.forEach((_, cell) => {
    next.shades[cell] = shades[at(Math.floor(cell / size)) * old + at(cell % size)]!;
  });
  return next;
}

const runs = bytes(LEAST * LEAST, MOST * MOST);

/** In an address: `circle.20`, a preset and its size, or `20.` and the shades. */
export const written: Codec<Drawing> = {
  read(text) {
    const [head = "", tail = ""] = text.split(".");
    const size = Number(head in PRESETS ? tail : head);
    if (!Number.isInteger(size) || size < LEAST || size > MOST) return undefined;
    if (head in PRESETS) return preset(head, size);
    const shades = runs.read(tail);
    const fits = shades?.length === size * size && shades.every((shade) => shade <= WHITE);
    return fits ? { size, shades } : undefined;
  },
  write: ({ size, shades, name }) => (name ? `${name}.${size}` : `${size}.${runs.write(shades)}`),
};
