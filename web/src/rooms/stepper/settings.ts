/** All that the steps follow from, kept in the address. */
import { decimal, flag, kept, matrix, oneOf, whole, type Codec } from "../../lib/kept.svelte";
import type { StepperSetting } from "../../messages";

const LESSON = {
  image: [0, 1, 2, 3, 4, 5].map((row) => [0, 1, 2, 3, 4, 5].map((x) => (row > 0 && row < 5 && (x === 2 || x === 3) ? 9 : 0))),
  kernel: [
    [1, 0, -1],
    [1, 0, -1],
    [1, 0, -1],
  ],
};
export const BORDERS = ["zeros", "replicate", "reflect", "circular"] as const;
export const POOLS = ["max", "average", "none"] as const;
const MOST_PADDING = 12;

export type Padding = NonNullable<StepperSetting["padding"]>;
const NAMED = ["valid", "same", "full"] as const;

const padding: Codec<Padding> = {
  read: (text) => NAMED.find((name) => name === text) ?? whole(0, MOST_PADDING).read(text),
  write: String,
};

/** A cell of the last map, or none. */
const cell: Codec<[number, number] | null> = {
  read(text) {
    const [row, column] = text.split(",").map((part) => whole(0, 40).read(part));
    return row === undefined || column === undefined ? undefined : [row, column];
  },
  write: (value) => value?.join(",") ?? "",
};

/** Call it while a room is being made. */
export function layers() {
  return {
    stride: kept("stride", 1, whole(1, 40)),
    padding: kept("padding", "valid" as Padding, padding),
    border: kept("border", "zeros", oneOf(...BORDERS)),
    dilation: kept("dilation", 1, whole(1, 40)),
    flip: kept("flip", false, flag),
    pool: kept("pool", "max", oneOf(...POOLS)),
    poolSize: kept("pool_size", 2, whole(1, 40)),
    /** 0 stands for the size of the window. */
    poolStride: kept("pool_stride", 0, whole(0, 40)),
    ceil: kept("ceil", false, flag),
  };
}

export type LayerSettings = ReturnType<typeof layers>;

export function asked(given: LayerSettings) {
  return {
    stride: given.stride.value,
    padding: given.padding.value,
    border: given.border.value,
    dilation: given.dilation.value,
    flip: given.flip.value,
    pool: given.pool.value,
    pool_size: given.poolSize.value,
    pool_stride: given.poolStride.value || null,
    ceil: given.ceil.value,
  };
}

export function settings() {
  return {
    ...layers(),
    image: kept("image", LESSON.image, matrix(16)),
    kernel: kept("kernel", LESSON.kernel, matrix(7)),
    bias: kept("bias", 0, decimal(-1e9, 1e9)),
    backward: kept("backward", false, flag),
    start: kept("start", null as [number, number] | null, cell),
  };
}

export type Settings = ReturnType<typeof settings>;
