/** What is done to a photo, as the address has it, and as Python is asked. */
import { kernelName } from "../../lib/kernels";
import { fromRows, tensor } from "../../lib/tensor";
import { t } from "../../lib/words.svelte";
import type { PhotoKernel, PhotoSetting, PhotoWork } from "../../messages";

/** A picture that Pellucid draws, or the id of an upload. */
export type Source = string;
export const EDGES = ["magnitude", "direction"];
export const TYPED = "typed";
/** Rows and columns of a kernel that is shown as numbers. */
export const SHOWN = 7;

export type Settings = Partial<Record<PhotoSetting["name"], number>>;

export function photo(source: Source): PhotoWork["photo"] {
  return source === "landscape" || source === "card" ? { kind: "drawn", name: source } : { kind: "upload", id: source };
}

/** `sigma=4,angle=30`. */
export function settings(text: string): Settings {
  const pairs = text.split(",").map((part) => part.split("="));
  return Object.fromEntries(pairs.filter(([, value]) => Number.isFinite(Number(value || NaN))).map(([name, value]) => [name, Number(value)]));
}

export function written(found: Settings): string {
  return Object.entries(found).map(([name, value]) => `${name}=${value}`).join(",");
}

/** The settings that a kernel has, as chosen or as they are at first. */
export function fitting(kernel: PhotoKernel, chosen: Settings): Settings {
  return Object.fromEntries(
    kernel.settings.map(({ name, low, high, first }) => {
      const value = chosen[name];
      return [name, value !== undefined && value >= low && value <= high ? value : first];
    }),
  );
}

export interface Chosen {
  effect: string;
  pair: "sobel" | "prewitt" | "scharr";
  rows: number[][];
  settings: Settings;
  strength: number;
}

export function asked(chosen: Chosen): PhotoWork["effect"] {
  const { effect, pair, rows, settings, strength } = chosen;
  if (effect === "magnitude" || effect === "direction") return { kind: "edges", pair, shows: effect };
  if (effect === TYPED) return { kind: "typed", kernel: tensor(fromRows(rows)), strength };
  return { kind: "named", name: effect, settings, strength };
}

export function called(effect: string): string {
  if (effect === "magnitude") return t("photo.edges");
  if (effect === "direction") return t("photo.directions");
  return effect === TYPED ? t("photo.typed") : kernelName(effect);
}
