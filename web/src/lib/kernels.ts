/** What kernels of the gallery are called. */
import { t } from "./words.svelte";

export function kernelName(name: string): string {
  return t(`playground.kernel.${name}`);
}
