/** Dots and lines for the channels of some convolutions: at most so many dots, each of which stands for as many. */
import type { GeometryPart } from "../../messages";

const MOST_DOTS = 16;

export interface Line {
  from: number;
  to: number;
  group: number;
}

export interface Connections {
  /** Channels of each column, and dots that are drawn for them. */
  channels: number[];
  dots: number[];
  parts: { kernel: number; groups: number; lines: Line[] }[];
}

export function connections(parts: readonly GeometryPart[]): Connections {
  const channels = [parts[0]!.channels_in, ...parts.map((part) => part.channels_out)];
  const scale = Math.max(1, Math.max(...channels) / MOST_DOTS);
  const dots = channels.map((some) => Math.max(1, Math.round(some / scale)));
  return {
    channels,
    dots,
    parts: parts.map(({ kernel, groups }, column) => {
      const [left, right] = [dots[column]!, dots[column + 1]!];
      const shown = Math.min(groups, left, right);
      const group = (dot: number, all: number): number => Math.floor((dot * shown) / all);
      const lines: Line[] = [];
      for (let from = 0; from < left; from++) {
        for (let to = 0; to < right; to++) {
          if (group(from, left) === group(to, right)) lines.push({ from, to, group: group(from, left) });
        }
      }
      return { kernel, groups, lines };
    }),
  };
}
