/** The picture that goes in: named, fetched from Python, or drawn; and how the address says which. */
import { ask } from "../../lib/ask";
import { bytes } from "../../lib/kept.svelte";
import { numbers, type Numbers } from "../../lib/tensor";
import type { PipelineChoices } from "../../messages";

/** (C, H, W); `white` is the brightest number that it may have: 9 of patterns, 1 of photos. */
export interface Picture extends Numbers {
  white: number;
}

const runs = bytes(1, 3 * 32 * 32);

/** A picture that was drawn on, as text: `drawn:3x16x16:9:…`. */
export function written({ shape, values, white }: Picture): string {
  const steps = white === 1 ? 255 : 1;
  return `drawn:${shape.join("x")}:${white}:${runs.write(Uint8Array.from(values, (value) => Math.round(value * steps)))}`;
}

function drawn(text: string): Picture | undefined {
  const [size = "", white = "", data = ""] = text.split(":");
  const shape = size.split("x").map(Number);
  const values = runs.read(data);
  const steps = white === "1" ? 255 : 1;
  const fits = (shape[0] === 1 || shape[0] === 3) && shape.length === 3 && values?.length === shape[0] * shape[1]! * shape[2]!;
  return fits ? { shape, values: Float32Array.from(values, (value) => value / steps), white: white === "1" ? 1 : 9 } : undefined;
}

/** The picture that a text stands for: a pattern's name, `sample:data:7`, `upload:id`, or one that was drawn. */
export async function opened(text: string, choices: PipelineChoices): Promise<Picture> {
  const [kind = "", name = "", index = "0"] = text.split(":");
  if (kind === "drawn") {
    const found = drawn(text.slice("drawn:".length));
    if (found) return found;
  } else if (kind === "sample" || kind === "upload") {
    const picture =
      kind === "sample" ? ({ kind, data: name, index: Number(index) || 0 } as const) : ({ kind, id: name } as const);
    const { image } = await ask("pipeline.picture", { picture });
    return { ...numbers(image), white: 1 };
  }
  const pattern = choices.patterns.find((one) => one.name === text) ?? choices.patterns[0]!;
  return { ...numbers(pattern.image), white: 9 };
}

/** Write numbers, one for each channel, into some cells. */
export function painted(picture: Picture, cells: readonly { row: number; column: number }[], colour: readonly number[]): Picture {
  const [channels = 1, height = 1, width = 1] = picture.shape;
  const values = picture.values.slice();
  for (const { row, column } of cells) {
    if (row < 0 || column < 0 || row >= height || column >= width) continue;
    for (let c = 0; c < channels; c++) values[(c * height + row) * width + column] = colour[c % colour.length]!;
  }
  return { ...picture, values };
}
