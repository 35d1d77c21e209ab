/** The filters: a kernel for each channel, all of one size; and how the address writes them. */
import { matrix, type Codec } from "../../lib/kept.svelte";

/** (O, C, KH, KW). */
export type Filters = number[][][][];

export const MOST = 8;
const one = matrix(7);

export const filters: Codec<Filters> = {
  read(text) {
    const found = text.split("|").map((filter) => filter.split("/").map((kernel) => one.read(kernel)));
    const whole = found.length <= MOST && found.every((filter) => filter.every((kernel) => kernel !== undefined));
    return whole ? (found as Filters) : undefined;
  },
  write: (value) => value.map((filter) => filter.map(one.write).join("/")).join("|"),
};

export const numbersOf: Codec<number[]> = {
  read(text) {
    const found = text.split(",").map((part) => Number(part || NaN));
    return found.length <= MOST && found.every((value) => Math.abs(value) <= 1e9) ? found : undefined;
  },
  write: (value) => value.map((part) => +part.toPrecision(6)).join(","),
};

const EDGE = [
  [1, 0, -1],
  [1, 0, -1],
  [1, 0, -1],
];
const LYING = [
  [1, 1, 1],
  [0, 0, 0],
  [-1, -1, -1],
];
const ALL = Array.from({ length: 3 }, () => [1, 1, 1]);
const NONE = ALL.map((row) => row.map(() => 0));
const LESS = ALL.map((row) => row.map(() => -1));

/** Edges in all colours, and what is red rather than blue. */
export const FIRST: Filters = [
  [EDGE, EDGE, EDGE],
  [LYING, LYING, LYING],
  [ALL, NONE, LESS],
];

/** As many kernels as the picture has channels: the first ones, or the last one again. */
export function forChannels(given: Filters, channels: number): Filters {
  return given.map((filter) => Array.from({ length: channels }, (_, c) => filter[c] ?? filter.at(-1)!));
}

/** Kernels of another size, the middle kept: zeros around, or the rim taken away. */
export function resized(given: Filters, size: number): Filters {
  return given.map((filter) =>
    filter.map((kernel) => {
      const [down, right] = [(size - kernel.length) >> 1, (size - kernel[0]!.length) >> 1];
      return Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => kernel[y - down]?.[x - right] ?? 0));
    }),
  );
}
