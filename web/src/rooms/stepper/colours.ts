/** The scales of a scene: pixels are grey, weights and maps have their own, centred on zero, shared along the way. */
import type { StepperGrid, StepperScene } from "../../messages";
import { scaleFor, type Scale } from "../../lib/scales";

export interface Ramp {
  /** A key of the words: what the legend calls it. */
  name: string;
  grids: readonly string[];
  scale: Scale;
}

const GROUPS = [
  { name: "image", grids: ["image"], kind: "picture" },
  { name: "kernel", grids: ["kernel"], kind: "weight" },
  { name: "maps", grids: ["conv", "relu", "pool"], kind: "activation" },
  { name: "gradients", grids: ["d_conv", "d_relu", "d_pool"], kind: "activation" },
  { name: "d_kernel", grids: ["d_kernel", "d_bias"], kind: "weight" },
  { name: "d_image", grids: ["d_image"], kind: "activation" },
] as const;

/** Grey of a cell that ReLU made 0, and of what no window covers. */
export const GONE = "#d4d6d9";
export const UNSEEN = "#c2410c";

export function ramps(scene: StepperScene): Ramp[] {
  const found: Ramp[] = [];
  for (const { name, grids, kind } of GROUPS) {
    const values = scene.grids.filter((grid) => (grids as readonly string[]).includes(grid.name)).flatMap(numbersOf);
    if (values.length) found.push({ name, grids, scale: kind === "picture" ? picture(values) : scaleFor(kind, values) });
  }
  return found;
}

function numbersOf(grid: StepperGrid): number[] {
  return grid.values.flat();
}

/** Pixels below zero need signs; others are grey, black at 0. */
function picture(values: number[]): Scale {
  if (values.some((value) => value < 0)) return scaleFor("activation", values);
  return { kind: "picture", low: 0, high: Math.max(...values) || 1 };
}

export function rampOf(all: readonly Ramp[], grid: string): Scale {
  return all.find((ramp) => ramp.grids.includes(grid))!.scale;
}
