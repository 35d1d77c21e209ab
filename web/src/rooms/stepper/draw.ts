/** Cells of one map, painted on a canvas: colours, numbers, what is empty, border, and what no window covers. */
import type { StepperGrid } from "../../messages";
import { colour, ink, type Scale } from "../../lib/scales";
import { GONE, UNSEEN } from "./colours";
import { numerals } from "./layout";

export interface Painted {
  grid: StepperGrid;
  scale: Scale;
  cell: number;
  filled: number;
  /** Of a map after ReLU: the numbers before it. */
  before?: number[][];
}

export function paint(context: CanvasRenderingContext2D, ratio: number, { grid, scale, cell, filled, before }: Painted): void {
  const columns = grid.values[0]!.length;
  const [[top], [left]] = grid.border;
  const rows = grid.values.length;
  const inside = (y: number, x: number): boolean =>
    y >= top && x >= left && y < rows - grid.border[0][1] && x < columns - grid.border[1][1];
  const unseen = new Set(grid.unseen.map(([y, x]) => `${y + top},${x + left}`));
  const { size, text } = numerals(grid.values, cell);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, columns * cell, rows * cell);
  context.font = `${size}px system-ui, "Noto Sans", "DejaVu Sans", sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  grid.values.forEach((line, y) => {
    line.forEach((value, x) => {
      if (y * columns + x >= filled) return;
      const gone = before && before[y]![x]! < 0;
      const real = inside(y, x);
      context.globalAlpha = real ? 1 : 0.28;
      context.fillStyle = gone ? GONE : colour(scale, value);
      context.fillRect(x * cell, y * cell, cell - 1, cell - 1);
      context.globalAlpha = 1;
      if (size) {
        context.fillStyle = real ? (gone ? "#3a3d42" : ink(scale, value)) : "#6b7078";
        context.fillText(text(value), x * cell + (cell - 1) / 2, y * cell + (cell - 1) / 2 + 0.04 * size);
      }
      if (unseen.has(`${y},${x}`)) hatch(context, x * cell, y * cell, cell - 1);
    });
  });
}

/** Strokes over a cell that no window covers, so that it is seen without its colour, too. */
function hatch(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.save();
  context.beginPath();
  context.rect(x, y, size, size);
  context.clip();
  context.strokeStyle = UNSEEN;
  context.lineWidth = 1.5;
  for (let at = -size; at < size; at += 6) {
    context.beginPath();
    context.moveTo(x + at, y + size);
    context.lineTo(x + at + size, y);
    context.stroke();
  }
  context.restore();
}
