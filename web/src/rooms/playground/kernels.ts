/** Kernels beside a drawing: as the address has them, by name or as rows, and what is said of them. */
import { matrix } from "../../lib/kept.svelte";
import { kernelName } from "../../lib/kernels";
import { fromRows, tensor, toRows, numbers } from "../../lib/tensor";
import { t } from "../../lib/words.svelte";
import type { PlaygroundExhibit, PlaygroundKernel, Tensor } from "../../messages";

export const MOST_KERNELS = 12;
export const LARGEST = 7;
export const FIRST = "vertical-edge|horizontal-edge|laplacian|sharpen";

const rowsOf = matrix(LARGEST);

/** A kernel by its name in the gallery, or by its rows as text. */
export interface Entry {
  text: string;
  rows: number[][];
  tensor: Tensor;
  /** In the gallery. */
  exhibit: PlaygroundExhibit | undefined;
}

function entry(text: string, gallery: readonly PlaygroundExhibit[]): Entry | undefined {
  const exhibit = gallery.find((one) => one.text === text);
  const rows = exhibit ? toRows(numbers(exhibit.kernel)) : rowsOf.read(text);
  return rows && { text, rows, tensor: exhibit?.kernel ?? tensor(fromRows(rows)), exhibit };
}

export function entries(texts: string, gallery: readonly PlaygroundExhibit[]): Entry[] {
  const found = texts.split("|").map((text) => entry(text, gallery));
  return found.filter((one) => one !== undefined).slice(0, MOST_KERNELS);
}

export function written(rows: number[][]): string {
  return rowsOf.write(rows);
}

/** The kernel turned by 180°. */
export function turned(rows: number[][]): number[][] {
  return rows.map((row) => row.toReversed()).toReversed();
}

function decimals(text: string): string {
  return text.replace(/\d\.\d/g, (found) => found.replace(".", t("playground.point")));
}

/** What a kernel of the gallery is called. */
export function called({ name, text }: PlaygroundExhibit): string {
  const angle = /angle=(\d+)/.exec(text)?.[1];
  return kernelName(name) + (angle ? ` ${angle}°` : "");
}

/** What a kernel is called: as in the gallery, as what it resembles there, or as one's own. */
export function title({ exhibit }: Entry, about: PlaygroundKernel | undefined): string {
  if (exhibit) return called(exhibit);
  if (!about) return "…";
  if (about.zero) return t("playground.zeros");
  const { match } = about;
  if (!match) return t("playground.own_kernel");
  let words = kernelName(match.name);
  if (match.scale !== "1") words = `${decimals(match.scale)} × ${words}`;
  if (match.mirrored) words += t("playground.mirrored");
  if (match.turn) words += t("playground.turned", { angle: match.turn });
  return match.error ? t("playground.nearly", { what: words }) : words;
}

/** Lines and edges that run along an angle, counter-clockwise from the horizontal. */
function along(angle: number): string {
  const turn = ((Math.round(angle) % 180) + 180) % 180;
  if (turn % 90 === 0) return t(turn ? "playground.upright" : "playground.level");
  return t(turn % 45 === 0 ? "playground.diagonal" : "playground.slanted", { angle: turn });
}

function side(angle: number): string {
  const turn = Math.round(angle) % 360;
  return turn % 45 === 0 ? t(`playground.side.${turn}`) : t("playground.side", { angle: turn });
}

/** What one sees at once. */
export function briefly(about: PlaygroundKernel | undefined): string {
  if (!about) return "";
  if (about.zero) return t("playground.zeros_says");
  if (!about.detector || about.bright === null) return answers(about);
  return t("playground.brief_edges", { side: side(about.bright) });
}

/** One sentence on what the kernel answers to, one on flat areas. */
export function says(about: PlaygroundKernel | undefined): string {
  if (!about) return "";
  if (about.zero) return t("playground.zeros_says");
  return `${answers(about)} ${flat(about)}`;
}

function answers(about: PlaygroundKernel): string {
  const { bright, edges, detector, band } = about;
  if (detector && bright !== null) {
    return t("playground.answers_edges", { which: along(bright + 90), side: side(bright) });
  }
  if (detector && edges !== null) return t("playground.answers_lines", { which: along(edges) });
  if (detector) return t("playground.answers_all");
  return t(`playground.band.${band}`);
}

function flat({ total, balanced }: PlaygroundKernel): string {
  if (total === "0") return t("playground.flat_zero");
  if (balanced) return t("playground.flat_nearly");
  if (total === "1") return t("playground.flat_same");
  return total.startsWith("−") ? t("playground.flat_negative") : t("playground.flat_times", { total: decimals(total) });
}

/** More about it: pairs of a word and what is to be said. */
export function facts(about: PlaygroundKernel): [string, string][] {
  const list = (names: string[]): string => names.map((name) => t(`playground.symmetry.${name}`)).join(", ");
  const found: [string, string][] = [[t("playground.sum"), decimals(about.total)]];
  const symmetry = [
    about.unchanged.length ? t("playground.unchanged", { by: list(about.unchanged) }) : "",
    about.opposite.length ? t("playground.opposite", { by: list(about.opposite) }) : "",
  ];
  found.push([t("playground.symmetry"), symmetry.filter(Boolean).join("; ") || t("playground.none")]);
  const { column, row, rank } = about;
  const product = column && row && `(${column.join(", ")})ᵀ × (${row.join(", ")})`;
  found.push([t("playground.product"), product ? decimals(product) : t("playground.rank", { rank })]);
  return found;
}
