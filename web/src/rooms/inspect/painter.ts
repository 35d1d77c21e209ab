/** Draws the overview on a canvas: a pure function of where things are and what is known of them. */
import { bytesOf } from "../../lib/base64";
import { pixels, type Scale } from "../../lib/scales";
import type { Numbers } from "../../lib/tensor";
import type { InspectMaps } from "../../messages";
import { corner, type Block, type Layout } from "./layout";

export interface Scene {
  layout: Layout;
  seen: Numbers | undefined;
  maps: ReadonlyMap<string, InspectMaps>;
  /** The open map, and the one under the pointer or the keyboard's mark. */
  open: { layer: string; channel: number } | null;
  marked: { layer: string; channel?: number } | null;
  /** What the open cell depends on, by layer: (y0, x0, y1, x1). */
  boxes: ReadonlyMap<string, readonly number[]>;
  /** Channels that the open map is made of, the strongest first. */
  sources: { layer: string; channels: readonly number[] } | null;
}

export interface View {
  /** The part of the layout that is seen, and pixels of the screen for each of its units. */
  left: number;
  width: number;
  zoom: number;
}

/** Colours of the theme. */
interface Ink {
  line: string;
  amber: string;
}

interface Strip {
  of: InspectMaps;
  canvas: HTMLCanvasElement;
}

const WHOLE = 127;
const strips = new Map<string, Strip>();

export function scaleOf(maps: InspectMaps): Scale {
  const { low, limit } = maps;
  return low < 0 ? { kind: "activation", low: -limit, high: limit } : { kind: "positive", low: 0, high: limit };
}

/** A layer's maps, one below the other, one pixel for each number. */
function strip(maps: InspectMaps): HTMLCanvasElement {
  const known = strips.get(maps.layer);
  if (known?.of === maps) return known.canvas;
  const values = new Int8Array(bytesOf(maps.data).buffer);
  const kind = scaleOf(maps).kind;
  const scale = { kind, low: kind === "positive" ? 0 : -WHOLE, high: WHOLE };
  const canvas = known?.canvas ?? document.createElement("canvas");
  [canvas.width, canvas.height] = [maps.width, maps.count * maps.height];
  canvas.getContext("2d")!.putImageData(pixels(values, canvas.width, canvas.height, scale), 0, 0);
  strips.set(maps.layer, { of: maps, canvas });
  return canvas;
}

export function forget(): void {
  strips.clear();
}

let photo: { of: Numbers; canvas: HTMLCanvasElement } | undefined;

function picture(seen: Numbers): HTMLCanvasElement {
  if (photo?.of === seen) return photo.canvas;
  const [, height = 1, width = 1] = seen.shape;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const scale: Scale = { kind: "picture", low: 0, high: 1 };
  canvas.getContext("2d")!.putImageData(pixels(seen.values, width, height, scale), 0, 0);
  photo = { of: seen, canvas };
  return canvas;
}

export function visible(layout: Layout, view: View): Block[] {
  const [from, to] = [view.left / view.zoom, (view.left + view.width) / view.zoom];
  return layout.blocks.filter((block) => block.x + block.width > from - 40 && block.x < to + 40);
}

export function paint(context: CanvasRenderingContext2D, scene: Scene, view: View, ink: Ink, ratio: number): void {
  const { canvas } = context;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const scale = ratio * view.zoom;
  context.setTransform(scale, 0, 0, scale, -view.left * ratio, 0);
  context.imageSmoothingEnabled = false;
  for (const flow of scene.layout.flows) drawFlow(context, flow.from, flow.to, scene.layout, ink);
  const blocks = visible(scene.layout, view);
  for (const block of blocks) drawBlock(context, block, scene, ink);
  drawSources(context, scene, ink);
  for (const block of blocks) drawBoxes(context, block, scene, ink);
  for (const [at, width] of [[scene.marked, 2], [scene.open, 3]] as const) outline(context, scene, at, width, ink);
}

/** From one layer to the next straight, past others in an arc above them. */
function drawFlow(context: CanvasRenderingContext2D, from: Block, to: Block, layout: Layout, ink: Ink): void {
  const far = layout.blocks.indexOf(to) - layout.blocks.indexOf(from) > 1;
  const [x0, x1] = [from.x + from.width + 4, to.x - 6];
  const { middle } = layout;
  context.strokeStyle = ink.line;
  context.lineWidth = 1.6;
  context.beginPath();
  if (far) {
    context.moveTo(from.x + from.width / 2, from.y - 4);
    context.bezierCurveTo(from.x + from.width, -8, to.x, -8, to.x + to.width / 2, to.y - 4);
  } else {
    context.moveTo(x0, middle);
    context.lineTo(x1, middle);
    context.moveTo(x1 - 6, middle - 5);
    context.lineTo(x1, middle);
    context.lineTo(x1 - 6, middle + 5);
  }
  context.stroke();
}

function drawBlock(context: CanvasRenderingContext2D, block: Block, scene: Scene, ink: Ink): void {
  const { size, count } = block.tiles;
  const maps = scene.maps.get(block.name);
  if (!block.layer) {
    if (scene.seen) context.drawImage(picture(scene.seen), block.x, block.y, size, size);
    return;
  }
  const from = maps && strip(maps);
  for (let channel = 0; channel < count; channel++) {
    const [x, y] = corner(block, channel);
    if (!from || channel >= maps.count) {
      context.globalAlpha = 0.15;
      context.fillStyle = ink.line;
      context.fillRect(x, y, size, size);
      context.globalAlpha = 1;
      continue;
    }
    const { width, height } = maps;
    const [w, h] = width >= height ? [size, (size * height) / width] : [(size * width) / height, size];
    context.drawImage(from, 0, channel * height, width, height, x, y + (size - h) / 2, w, h);
  }
}

function outline(
  context: CanvasRenderingContext2D,
  scene: Scene,
  at: { layer: string; channel?: number } | null,
  width: number,
  ink: Ink,
): void {
  const block = at && scene.layout.blocks.find((one) => one.name === at.layer);
  if (!block) return;
  context.strokeStyle = ink.amber;
  context.lineWidth = width;
  if (at.channel === undefined) {
    context.strokeRect(block.x - 5, block.y - 5, block.width + 6, block.height + 6);
    return;
  }
  const [x, y] = corner(block, at.channel);
  context.strokeRect(x - 1, y - 1, block.tiles.size + 2, block.tiles.size + 2);
}

/** Lines from the maps that the open one is made of: the strongest are drawn darkest. */
function drawSources(context: CanvasRenderingContext2D, scene: Scene, ink: Ink): void {
  const { open, sources, layout } = scene;
  const to = open && layout.blocks.find((block) => block.name === open.layer);
  const from = sources && layout.blocks.find((block) => block.name === sources.layer);
  if (!to || !from) return;
  const [x1, y1] = corner(to, open.channel);
  const end = y1 + to.tiles.size / 2;
  sources.channels.forEach((channel, rank) => {
    const [x, y] = corner(from, Math.min(channel, from.tiles.count - 1));
    const [x0, start] = [x + from.tiles.size, y + from.tiles.size / 2];
    context.globalAlpha = 1 - (0.75 * rank) / Math.max(1, sources.channels.length);
    context.strokeStyle = ink.amber;
    context.lineWidth = 1.6;
    context.beginPath();
    context.moveTo(x0, start);
    context.bezierCurveTo((x0 + x1) / 2, start, (x0 + x1) / 2, end, x1 - 2, end);
    context.stroke();
  });
  context.globalAlpha = 1;
}

/** The amber window of what the open cell depends on, on the image and on every map in between. */
function drawBoxes(context: CanvasRenderingContext2D, block: Block, scene: Scene, ink: Ink): void {
  const box = scene.boxes.get(block.name);
  if (!box) return;
  const [y0, x0, y1, x1] = box as [number, number, number, number];
  const [rows, columns] = block.map;
  const isAll = y1 - y0 === rows && x1 - x0 === columns;
  if (isAll && block.layer) return; // as every cell behind a dense layer has it: nothing to point out
  const unit = block.tiles.size / Math.max(rows, columns);
  const [left, top] = columns >= rows ? [0, ((columns - rows) / 2) * unit] : [0, 0];
  const open = scene.open?.layer === block.name ? scene.open.channel : undefined;
  context.strokeStyle = ink.amber;
  context.fillStyle = ink.amber;
  for (let channel = 0; channel < block.tiles.count; channel++) {
    if (open !== undefined && channel !== open) continue;
    const [x, y] = corner(block, channel);
    const place = [x + left + x0 * unit, y + top + y0 * unit, (x1 - x0) * unit, (y1 - y0) * unit] as const;
    context.globalAlpha = 0.22;
    context.fillRect(...place);
    context.globalAlpha = 1;
    context.lineWidth = block.layer ? 1.2 : 2.5;
    context.strokeRect(...place);
  }
}
