/** A design is a text, as Python's listings are: `1x28x28to10-conv8.p1-relu-…`. Here its parts are put in order. */
import type { ArchitectBlock, ArchitectKind } from "../../messages";

export const MOST_BLOCKS = 120;
export const FIRST = "1x28x28to10-conv8.p1-relu-pool-conv16.p1-relu-pool-flatten-linear64-relu-linear";

export interface Head {
  channels: number;
  height: number;
  width: number;
  classes: number;
}

export function isListing(design: string): boolean {
  return /^\d+x\d+x\d+to\d+(-|$)/.test(design);
}

/** The images and classes of a listing. */
export function headOf(design: string): Head {
  const [channels = 1, height = 1, width = 1, classes = 1] = design.split("-")[0]!.split(/x|to/).map(Number);
  return { channels, height, width, classes };
}

export function withHead(design: string, { channels, height, width, classes }: Head): string {
  return [`${channels}x${height}x${width}to${classes}`, ...blocks(design)].join("-");
}

export function blocks(design: string): string[] {
  return design.split("-").slice(1);
}

function withBlocks(design: string, texts: readonly string[]): string {
  return [design.split("-")[0]!, ...texts].join("-");
}

export function inserted(design: string, at: number, ...texts: string[]): string {
  return withBlocks(design, blocks(design).toSpliced(at, 0, ...texts));
}

export function removed(design: string, at: number): string {
  return withBlocks(design, blocks(design).toSpliced(at, 1));
}

export function replaced(design: string, at: number, text: string): string {
  return withBlocks(design, blocks(design).with(at, text));
}

/** Take a block from one place and put it where another stands. */
export function moved(design: string, from: number, to: number): string {
  const texts = blocks(design);
  const [text] = texts.splice(from, 1);
  return withBlocks(design, texts.toSpliced(to, 0, text!));
}

/** Write a block with one of its settings changed. */
export function changed(block: ArchitectBlock, kind: ArchitectKind, name: string, value: number): string {
  const now = new Map(block.settings.map((setting) => [setting.name, setting.value]));
  now.set(name, value);
  return kind.settings.reduce((text, { name, letter, usual }) => {
    const value = now.get(name)!;
    return value === usual ? text : `${text}${letter ? `.${letter}` : ""}${value}`;
  }, kind.word);
}

/** What a new block of a kind looks like: convolutions that keep the size, heads that fit the classes. */
export function fresh(word: string): string {
  return { conv: "conv16.p1", depthwise: "depthwise.p1", linear: "linear64" }[word] ?? word;
}

/** The words of the palette, by what they are for. */
export const SHELVES: Record<string, string[]> = {
  look: ["conv", "depthwise", "separable", "residual", "bottleneck", "inverted"],
  bend: ["relu", "leaky", "relu6", "gelu", "silu", "tanh", "sigmoid"],
  shrink: ["pool", "avgpool", "gap", "adaptive"],
  steady: ["norm", "dropout"],
  decide: ["flatten", "linear"],
};
