/** How a picture is changed: numbers that Python understands, each with its range, and how they are written. */
import type { Codec } from "../../lib/kept.svelte";

export const KINDS = [
  "right", "down", "rotation", "scale", "brightness", "contrast", "inversion", "blur", "noise",
] as const; // prettier-ignore
export type Kind = (typeof KINDS)[number];
export type Change = Readonly<Record<Kind, number>>;

export const NONE: Change = {
  ...{ right: 0, down: 0, rotation: 0, scale: 1 },
  ...{ brightness: 1, contrast: 1, inversion: 0, blur: 0, noise: 0 },
};

export interface Range {
  min: number;
  max: number;
  step: number;
}

export const RANGES: Readonly<Record<Kind, Range>> = {
  right: { min: -14, max: 14, step: 1 },
  down: { min: -14, max: 14, step: 1 },
  rotation: { min: -180, max: 180, step: 1 },
  scale: { min: 0.4, max: 2, step: 0.01 },
  brightness: { min: 0.1, max: 2, step: 0.01 },
  contrast: { min: 0.1, max: 2, step: 0.01 },
  inversion: { min: 0, max: 1, step: 0.01 },
  blur: { min: 0, max: 3, step: 0.05 },
  noise: { min: 0, max: 0.5, step: 0.01 },
};

export function isNone(change: Change): boolean {
  return KINDS.every((kind) => change[kind] === NONE[kind]);
}

export function within(kind: Kind, value: number): number {
  const { min, max, step } = RANGES[kind];
  const stepped = Math.round(value / step) * step;
  return +Math.min(max, Math.max(min, stepped)).toFixed(4);
}

/** Angles from −180 to 180. */
export function turned(angle: number): number {
  return ((((angle + 180) % 360) + 360) % 360) - 180;
}

/** Only what differs: `right*3_rotation*45`. */
export const CHANGE: Codec<Change> = {
  read(text) {
    const found: Record<Kind, number> = { ...NONE };
    for (const part of text.split("_")) {
      const [, kind, value] = part.match(/^([a-z]+)\*(-?[\d.]+)$/) ?? [];
      if (!KINDS.includes(kind as Kind) || !Number.isFinite(Number(value))) return undefined;
      found[kind as Kind] = within(kind as Kind, Number(value));
    }
    return found;
  },
  write: (change) =>
    KINDS.filter((kind) => change[kind] !== NONE[kind])
      .map((kind) => `${kind}*${+change[kind].toFixed(4)}`)
      .join("_"),
};

/** The conditions of Python's curves, and which of these changes each is. */
export const CONDITIONS: Readonly<Record<string, Kind>> = {
  ...{ rotation: "rotation", translation: "right", scale: "scale", brightness: "brightness" },
  ...{ contrast: "contrast", inversion: "inversion", noise: "noise", blur: "blur" },
};
