/** A cell of a kernel's map that is kept in sight. */
import type { Cell } from "../../lib/cells";
import type { Codec } from "../../lib/kept.svelte";

export interface Pin extends Cell {
  kernel: number;
}

/** In an address: `0.4.7`, the kernel, row and column. */
export const pinned: Codec<Pin | null> = {
  read(text) {
    const [kernel, row, column] = /^\d+\.\d+\.\d+$/.test(text) ? text.split(".").map(Number) : [];
    return kernel === undefined ? undefined : { kernel, row: row!, column: column! };
  },
  write: (pin) => (pin ? `${pin.kernel}.${pin.row}.${pin.column}` : ""),
};
