/** Small phrases of the geometry room. */
import { t } from "../../lib/words.svelte";

/** Cells by their numbers, runs of neighbours made short: "5, 8–11". */
export function spoken(cells: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const cell of cells) {
    const last = runs.at(-1);
    if (last && last[1] === cell - 1) last[1] = cell;
    else runs.push([cell, cell]);
  }
  const texts = runs.slice(0, 6).map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return texts.join(", ") + (runs.length > 6 ? " …" : "");
}

export function apart(dilation: number): string {
  return dilation > 1 ? t("geometry.apart", { n: dilation - 1 }) : "";
}
