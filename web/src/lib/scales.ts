/**
 * Colours of numbers. Signed maps lie around 0, blue below and red above; weights purple and orange; what has no sign
 * goes from dark blue to yellow (cividis); pictures from black to white. Python's figures have the same.
 */
import { rgb } from "d3-color";
import { interpolateCividis, interpolatePuOr, interpolateRdBu } from "d3-scale-chromatic";

export type Kind = "activation" | "weight" | "positive" | "picture";

export interface Scale {
  kind: Kind;
  low: number;
  high: number;
}

const RAMPS: Record<Kind, (share: number) => string> = {
  activation: (share) => interpolateRdBu(1 - share),
  weight: interpolatePuOr,
  positive: interpolateCividis,
  picture: (share) => `rgb(${Array(3).fill(Math.round(255 * share)).join(",")})`,
};

const STEPS = 256;
const tables = new Map<Kind, Uint8ClampedArray>();

/** RGB of 256 steps of a ramp, so that painting a map is a look-up. */
function table(kind: Kind): Uint8ClampedArray {
  let found = tables.get(kind);
  if (!found) {
    found = new Uint8ClampedArray(3 * STEPS);
    for (let step = 0; step < STEPS; step++) {
      const colour = rgb(RAMPS[kind](step / (STEPS - 1)));
      found.set([colour.r, colour.g, colour.b], 3 * step);
    }
    tables.set(kind, found);
  }
  return found;
}

/** A scale that holds all the values: around 0 where the kind is signed; from 0 where nothing is below it. */
export function scaleFor(kind: Kind, ...maps: ArrayLike<number>[]): Scale {
  let low = Infinity;
  let high = -Infinity;
  for (const values of maps) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) low = high = 0;
  if (kind === "picture") return { kind, low: 0, high: 1 };
  if (kind === "positive") return { kind, low: Math.min(0, low), high: high > low ? high : low + 1 };
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return { kind, low: -most, high: most };
}

/** Activations: signed where any value is negative, else unsigned. */
export function activationScale(...maps: ArrayLike<number>[]): Scale {
  const signed = scaleFor("activation", ...maps);
  const negative = maps.some((values) => Array.prototype.some.call(values, (value: number) => value < 0));
  return negative ? signed : scaleFor("positive", ...maps);
}

function step(scale: Scale, value: number): number {
  const share = (value - scale.low) / (scale.high - scale.low || 1);
  return Math.round(Math.min(1, Math.max(0, share)) * (STEPS - 1));
}

export function colour(scale: Scale, value: number): string {
  const at = 3 * step(scale, value);
  const [r, g, b] = table(scale.kind).subarray(at, at + 3);
  return `rgb(${r} ${g} ${b})`;
}

/** Black or white, whichever is read better on the value's colour. */
export function ink(scale: Scale, value: number): string {
  const at = 3 * step(scale, value);
  const [r, g, b] = [...table(scale.kind).subarray(at, at + 3)].map((part) => (part / 255) ** 2.2);
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.18 ? "#000" : "#fff";
}

/** One pixel per number, for a canvas that is then stretched; (H, W), or (3, H, W) from 0 to 1 as RGB. */
export function pixels(values: ArrayLike<number>, width: number, height: number, scale: Scale): ImageData {
  const image = new ImageData(width, height);
  const ramp = table(scale.kind);
  const size = width * height;
  const colours = values.length === 3 * size;
  for (let i = 0; i < size; i++) {
    if (colours) {
      for (let part = 0; part < 3; part++) image.data[4 * i + part] = 255 * values[part * size + i]!;
    } else {
      const at = 3 * step(scale, values[i]!);
      for (let part = 0; part < 3; part++) image.data[4 * i + part] = ramp[at + part]!;
    }
    image.data[4 * i + 3] = 255;
  }
  return image;
}
