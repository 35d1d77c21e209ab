/** What was drawn: strokes of points from 0 to 1, drawn smoothly at any size, packed into an address. */
import { forAddress, fromAddress } from "../../lib/base64";
import type { Codec } from "../../lib/kept.svelte";
import type { Numbers } from "../../lib/tensor";

export type Point = readonly [x: number, y: number];
export type Stroke = readonly Point[];

/** Width of the pen; MNIST's pens are about as wide when a digit fills the pad. */
export const PEN = 0.085;
/** Points nearer than this add nothing. */
export const NEAREST = 0.012;
/** Pixels along a side of what is sent to Python, which makes the network's pixels of it. */
const SENT = 112;
const MOST_POINTS = 1200;
const STEPS = 250;

export function paint(context: CanvasRenderingContext2D, strokes: readonly Stroke[], size: number): void {
  context.fillStyle = "#000";
  context.fillRect(0, 0, size, size);
  context.strokeStyle = context.fillStyle = "#fff";
  context.lineWidth = PEN * size;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const points = stroke.map(([x, y]) => [x * size, y * size] as const);
    const [first, ...others] = points;
    if (!first) continue;
    context.beginPath();
    context.moveTo(...first);
    // Through the middles between points, with the points as what they bend to: no corners.
    for (let i = 0; i < others.length - 1; i++) {
      const [here, next] = [others[i]!, others[i + 1]!];
      context.quadraticCurveTo(...here, (here[0] + next[0]) / 2, (here[1] + next[1]) / 2);
    }
    context.lineTo(...(others.at(-1) ?? first));
    context.stroke();
  }
}

let canvas: HTMLCanvasElement | undefined;

/** The drawing as numbers (1, H, W) from 0 to 1. */
export function raster(strokes: readonly Stroke[], size = SENT): Numbers {
  canvas ??= document.createElement("canvas");
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  paint(context, strokes, size);
  const { data } = context.getImageData(0, 0, size, size);
  const values = new Float32Array(size * size);
  for (let i = 0; i < values.length; i++) values[i] = data[4 * i]! / 255;
  return { shape: [1, size, size], values };
}

export const packed: Codec<readonly Stroke[]> = {
  read(text) {
    try {
      const bytes = fromAddress(text);
      const strokes: Stroke[] = [];
      for (let at = 0; at < bytes.length; ) {
        const count = bytes.charCodeAt(at++);
        const points = Array.from({ length: count }, (_, i): Point => {
          const [x, y] = [bytes.charCodeAt(at + 2 * i), bytes.charCodeAt(at + 2 * i + 1)];
          if (!(x <= STEPS && y <= STEPS)) throw new RangeError();
          return [x / STEPS, y / STEPS];
        });
        strokes.push(points);
        at += 2 * count;
      }
      return strokes;
    } catch {
      return undefined;
    }
  },
  write(strokes) {
    let text = "";
    for (const stroke of strokes) {
      for (let from = 0; from < stroke.length; from += 254) {
        const part = stroke.slice(Math.max(0, from - 1), from + 254);
        text += String.fromCharCode(part.length);
        for (const point of part) {
          text += String.fromCharCode(...point.map((at) => Math.round(STEPS * Math.min(1, Math.max(0, at)))));
        }
      }
    }
    return forAddress(text);
  },
};

export function isFull(strokes: readonly Stroke[]): boolean {
  return strokes.reduce((sum, stroke) => sum + stroke.length, 0) >= MOST_POINTS;
}

/** An arc of an ellipse as points; angles in turns, clockwise from the right. */
function arc(x: number, y: number, rx: number, ry: number, from: number, to: number): Stroke {
  const count = Math.max(4, Math.round(24 * Math.abs(to - from)));
  return Array.from({ length: count + 1 }, (_, i): Point => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / count);
    return [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
  });
}

/** Ten digits as a hand writes them: what one may begin with. */
export const DIGITS: readonly (readonly Stroke[])[] = [
  [arc(0.5, 0.5, 0.2, 0.31, -0.22, 0.8)],
  [[[0.42, 0.3], [0.52, 0.2], [0.5, 0.5], [0.48, 0.8]]],
  [[...arc(0.5, 0.36, 0.18, 0.16, -0.5, 0.08), [0.5, 0.62], [0.3, 0.78], [0.42, 0.76], [0.72, 0.77]]],
  [[...arc(0.47, 0.35, 0.18, 0.15, -0.44, 0.22), ...arc(0.47, 0.64, 0.21, 0.16, -0.22, 0.4)]],
  [[[0.4, 0.2], [0.33, 0.38], [0.29, 0.53], [0.45, 0.54], [0.73, 0.51]], [[0.62, 0.24], [0.59, 0.5], [0.57, 0.82]]],
  [[[0.7, 0.22], [0.55, 0.22], [0.38, 0.23], [0.37, 0.34], [0.35, 0.46], ...arc(0.47, 0.61, 0.2, 0.17, -0.28, 0.4)]],
  [[[0.62, 0.19], [0.47, 0.3], [0.37, 0.45], [0.34, 0.6], ...arc(0.5, 0.64, 0.16, 0.15, 0.5, -0.5)]],
  [[[0.29, 0.25], [0.45, 0.25], [0.71, 0.23], [0.62, 0.42], [0.52, 0.6], [0.46, 0.81]]],
  [[...arc(0.5, 0.35, 0.15, 0.145, -0.1, -0.75), ...arc(0.5, 0.645, 0.175, 0.155, -0.25, 0.75), ...arc(0.5, 0.35, 0.15, 0.145, 0.25, -0.1)]],
  [[...arc(0.5, 0.37, 0.16, 0.15, 0, -1), [0.66, 0.45], [0.63, 0.62], [0.58, 0.81]]],
];
