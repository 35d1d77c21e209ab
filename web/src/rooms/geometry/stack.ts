/** A stack of layers, as it is written in an address, and the ways to enlarge a field that lessons name. */
import type { Codec } from "../../lib/kept.svelte";
import type { GeometryLayer, GeometryStage } from "../../messages";

export const MOST_LAYERS = 12;

export const SETTINGS = ["kernel", "stride", "padding", "dilation"] as const;
export const RANGES: Record<(typeof SETTINGS)[number], [number, number]> = {
  kernel: [1, 31],
  stride: [1, 16],
  padding: [0, 15],
  dilation: [1, 32],
};

export function conv(kernel: number, stride = 1, padding = 0, dilation = 1): GeometryLayer {
  return { kind: "conv", kernel, stride, padding, dilation };
}

export function pool(kernel: number, stride = kernel): GeometryLayer {
  return { kind: "pool", kernel, stride, padding: 0, dilation: 1 };
}

export const PRESETS: Record<string, GeometryLayer[]> = {
  three: [conv(3, 1, 1), conv(3, 1, 1), conv(3, 1, 1)],
  deep: Array.from({ length: 10 }, () => conv(3, 1, 1)),
  larger: [conv(7, 1, 3), conv(7, 1, 3), conv(7, 1, 3)],
  strided: [conv(3, 1, 1), pool(2), conv(3, 1, 1), pool(2), conv(3, 1, 1)],
  dilated: [conv(3, 1, 1), conv(3, 1, 2, 2), conv(3, 1, 4, 4)],
};

/** `c3.1.1.1_p2.2.0.1`: kind, kernel, stride, padding, dilation. */
export const layers: Codec<GeometryLayer[]> = {
  read(text) {
    const found: GeometryLayer[] = [];
    for (const part of text.split("_")) {
      const match = /^([cp])(\d{1,2})\.(\d{1,2})\.(\d{1,2})\.(\d{1,2})$/.exec(part);
      if (!match) return undefined;
      const values = match.slice(2).map(Number);
      if (SETTINGS.some((name, index) => values[index]! < RANGES[name][0] || values[index]! > RANGES[name][1])) return undefined;
      const [kernel, stride, padding, dilation] = values as [number, number, number, number];
      found.push({ kind: match[1] === "c" ? "conv" : "pool", kernel, stride, padding, dilation });
    }
    return found.length <= MOST_LAYERS ? found : undefined;
  },
  write: (all) => all.map((one) => [`${one.kind[0]}${one.kernel}`, one.stride, one.padding, one.dilation].join(".")).join("_"),
};

/** Cells of a row of the picture: `places` are their middles, in pixels of the image. */
export interface Row {
  name: string;
  size: number;
  stage: GeometryStage | null;
  places: number[];
}

/** The image and, above it, the map of each layer that fits, its cells over the middle of what they read. */
export function rows(size: number, stages: readonly GeometryStage[], image: string): Row[] {
  const found: Row[] = [{ name: image, size, stage: null, places: Array.from({ length: size }, (_, at) => at + 0.5) }];
  for (const stage of stages) {
    if (stage.error) continue;
    const below = found.at(-1)!;
    const step = below.size > 1 ? below.places[1]! - below.places[0]! : 1;
    const middle = (cell: number): number => below.places[0]! + cell * step;
    const reach = stage.taps.at(-1)! / 2;
    found.push({ name: stage.name, size: stage.size, stage, places: stage.starts.map((start) => middle(start + reach)) });
  }
  return found;
}

/** What a cell of a row reads: for each row from its own down to the image, its cells; below 0 and behind are padding. */
export function behind(all: readonly Row[], row: number, cell: number): number[][] {
  const seen: number[][] = [[cell]];
  for (let at = row; at > 0; at--) {
    const { stage } = all[at]!;
    const here = seen[0]!.filter((place) => place >= 0 && place < all[at]!.size);
    const below = new Set(here.flatMap((place) => stage!.taps.map((tap) => stage!.starts[place]! + tap)));
    seen.unshift([...below].sort((a, b) => a - b));
  }
  return seen;
}
