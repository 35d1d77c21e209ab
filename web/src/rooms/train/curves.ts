/** Curves as data: what is drawn of a run, apart from the drawing. */
import type { TrainEpoch, TrainPoint } from "../../messages";

export interface Place {
  /** In epochs. */
  x: number;
  y: number;
}

export interface Curve {
  name: string;
  raw: Place[];
  smooth: Place[];
  /** Of the pictures held back, at the ends of epochs. */
  held: Place[];
}

const WINDOW = 24;

/** Means of the points around each, fewer at the ends: what the noise of single batches hides. */
function smoothed(places: Place[]): Place[] {
  const half = Math.min(WINDOW, Math.floor(places.length / 10)) >> 1;
  return places.map(({ x }, at) => {
    const near = places.slice(Math.max(0, at - half), at + half + 1);
    return { x, y: near.reduce((sum, place) => sum + place.y, 0) / near.length };
  });
}

export function curve(
  name: string,
  what: "loss" | "accuracy",
  points: readonly TrainPoint[],
  history: readonly TrainEpoch[],
  stepsPerEpoch: number,
): Curve {
  const per = Math.max(1, stepsPerEpoch);
  const raw = points.map((point) => ({ x: point.step / per, y: point[what] }));
  const ends = raw.length ? raw : history.map((epoch) => ({ x: epoch.step / per, y: epoch[what] }));
  const validation = what === "loss" ? "validation_loss" : "validation_accuracy";
  const held = history.filter((epoch) => epoch[validation] !== null).map((epoch) => ({ x: epoch.step / per, y: epoch[validation]! }));
  return { name, raw: ends, smooth: smoothed(ends), held };
}

/** How far the axis goes: all epochs, or a half, a quarter, … of them while no more is needed. */
export function reach(epochs: number, last: number): number {
  let end = epochs;
  while (end > 2 && end / 2 > last) end /= 2;
  return end;
}

/** The place of a curve nearest to a moment. */
export function at(places: readonly Place[], x: number): Place | undefined {
  let best: Place | undefined;
  for (const place of places) if (!best || Math.abs(place.x - x) < Math.abs(best.x - x)) best = place;
  return best;
}
