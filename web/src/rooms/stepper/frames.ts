/** What is shown at a time: pure functions of a scene and a time in milliseconds. Nothing is drawn here. */
import { bisectRight } from "d3-array";
import type { StepperGrid, StepperMove, StepperPhase, StepperScene } from "../../messages";

/** Cells of a map that are framed, counted from its first real one. Fractions lie between two steps. */
export interface Box {
  row: number;
  column: number;
  rows: number;
  columns: number;
}

export interface Moment {
  step: number;
  /** How far the windows have come from the step before: 0 … 1. */
  glide: number;
}

const GLIDE = 320;
const SHARE = 0.55;
/** Share of the way at which the cell that the window leads to is filled. */
const LANDED = 0.6;

/** The time at which each step begins, and that at which the last ends. */
export function beginnings(durations: readonly number[]): number[] {
  const starts = [0];
  for (const duration of durations) starts.push(starts.at(-1)! + duration);
  return starts;
}

function glideTime(starts: readonly number[], step: number): number {
  return Math.min(GLIDE, SHARE * (starts[step + 1]! - starts[step]!));
}

/** The time at which a step has come to rest. */
export function rest(starts: readonly number[], step: number): number {
  return starts[step]! + glideTime(starts, step);
}

export function at(starts: readonly number[], time: number): Moment {
  const step = Math.max(0, Math.min(starts.length - 2, bisectRight(starts, time) - 1));
  const share = Math.min(1, Math.max(0, (time - starts[step]!) / glideTime(starts, step)));
  return { step, glide: share * share * (3 - 2 * share) };
}

export function phaseOf(scene: StepperScene, step: number): StepperPhase {
  return scene.phases.findLast((phase) => phase.first <= step)!;
}

/** How many cells of a map are filled: all of one that is given, else as many as steps have filled. */
export function filled(scene: StepperScene, grid: StepperGrid, { step, glide }: Moment): number {
  const all = grid.values.length * grid.values[0]!.length;
  const phase = scene.phases.find((one) => one.name === grid.name);
  if (phase) {
    const done = step - phase.first + (glide >= LANDED ? 1 : 0);
    return Math.max(0, Math.min(all, done));
  }
  const turn = scene.phases.find((one) => one.name === "back")?.first ?? Infinity;
  return grid.name.startsWith("d_") && step < turn ? 0 : all;
}

/** The step that fills a cell (counted with the border), or none. */
export function stepOf(scene: StepperScene, grid: StepperGrid, row: number, column: number): number | undefined {
  const phase = scene.phases.find((one) => one.name === grid.name);
  return phase && phase.first + row * grid.values[0]!.length + column;
}

/** What a step frames in a map: one box where the cells form one, else a box for each. */
export function boxes(move: StepperMove | undefined, grid: string): Box[] {
  const found: Box[] = [];
  for (const lit of move?.work?.lit ?? []) if (lit.grid === grid) found.push(...framed(lit.cells));
  if (move?.work?.grid === grid) {
    const [row, column] = move.work.target;
    found.push({ row, column, rows: 1, columns: 1 });
  }
  return found;
}

function framed(cells: readonly (readonly [number, number])[]): Box[] {
  if (!cells.length) return [];
  const rows = cells.map(([row]) => row);
  const columns = cells.map(([, column]) => column);
  const box = { row: Math.min(...rows), column: Math.min(...columns), rows: 0, columns: 0 };
  box.rows = Math.max(...rows) - box.row + 1;
  box.columns = Math.max(...columns) - box.column + 1;
  const single = ([row, column]: readonly [number, number]): Box => ({ row, column, rows: 1, columns: 1 });
  return box.rows * box.columns === new Set(cells.map(String)).size ? [box] : cells.map(single);
}

/** Boxes on their way from one step to the next; those that have no like before simply stand. */
export function between(from: readonly Box[], to: readonly Box[], glide: number): Box[] {
  if (from.length !== to.length || glide >= 1) return [...to];
  const mix = (a: number, b: number): number => a + (b - a) * glide;
  return to.map((box, i) => ({
    row: mix(from[i]!.row, box.row),
    column: mix(from[i]!.column, box.column),
    rows: mix(from[i]!.rows, box.rows),
    columns: mix(from[i]!.columns, box.columns),
  }));
}

/** The cell that a maximum took. */
export function winner(move: StepperMove | undefined): Box[] {
  const work = move?.work;
  if (work?.grid !== "pool" || work.weights[0]!.length < 2) return [];
  const at = work.weights[0]!.indexOf(1);
  const cell = work.lit[0]!.cells[at];
  return cell && work.weights[0]!.every((weight) => weight === 0 || weight === 1)
    ? [{ row: cell[0], column: cell[1], rows: 1, columns: 1 }]
    : [];
}
