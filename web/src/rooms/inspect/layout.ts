/** Where the overview puts layers and their maps: numbers only, nothing drawn. */
import type { InspectLayer } from "../../messages";

export interface Tiles {
  /** Maps, and how they are laid out: down first, then to the right. */
  count: number;
  rows: number;
  columns: number;
  /** Side of a tile, and from one to the next. */
  size: number;
  pitch: number;
}

export interface Block {
  name: string;
  /** Upper left corner of the tiles. */
  x: number;
  y: number;
  width: number;
  height: number;
  tiles: Tiles;
  /** Rows and columns of a map. */
  map: [number, number];
  layer: InspectLayer | undefined;
}

export interface Flow {
  from: Block;
  to: Block;
}

export interface Layout {
  width: number;
  height: number;
  /** The row in which what follows each other is joined. */
  middle: number;
  blocks: Block[];
  flows: Flow[];
}

const ARCS = 44;
const HIGH = 432;
const GAP = 42;
const MARGIN = 12;
const WIDEST = 200;
/** Vectors of more numbers are drawn as small as can be: they are only laid out anew. */
const LONG = 512;
const SIZES = [112, 80, 64, 50, 44, 36, 30, 24, 20, 16, 13, 10, 8, 6, 5, 4, 3];
const MOST = 1024;

function tiles(count: number, cells: number): Tiles {
  for (const size of SIZES) {
    if (cells === 1 && size > (count > LONG ? SIZES.at(-1)! : 20)) continue;
    const gap = size > 12 ? 4 : size > 5 ? 2 : 1;
    const pitch = size + gap;
    const fit = Math.max(1, Math.floor((HIGH + gap) / pitch));
    const columns = Math.ceil(count / fit);
    if (columns * pitch <= WIDEST || size === SIZES.at(-1)) {
      return { count, rows: Math.ceil(count / columns), columns, size, pitch };
    }
  }
  throw new Error("no size fits");
}

/** Maps (count, rows, columns) of a layer's result; a number is a map of one cell. */
function shapeOf(layer: InspectLayer): [number, number, number] {
  const [count = 1, rows = 1, columns = 1] = layer.shape;
  return [count, rows, columns];
}

export function layout(
  image: readonly number[],
  imageName: string,
  layers: readonly InspectLayer[],
  labels: number,
): Layout {
  const [channels = 1, high = 1, wide = 1] = image;
  const side = channels === 3 ? 140 : 120;
  const names = [imageName, ...layers.map((layer) => layer.name)];
  /** Ways past other layers are drawn above. */
  const skips = layers.some((layer, at) => layer.reads.some((name) => names.indexOf(name) < at));
  const top = skips ? ARCS : 4;
  const first: Block = {
    ...{ name: imageName, x: MARGIN, width: side, height: side, layer: undefined },
    y: top + (HIGH - side) / 2,
    tiles: { count: 1, rows: 1, columns: 1, size: side, pitch: side },
    map: [high, wide],
  };
  const blocks = [first];
  let x = MARGIN + side + GAP;
  for (const layer of layers) {
    const [count, rows, columns] = shapeOf(layer);
    const laid = tiles(Math.min(count, MOST), rows * columns);
    const [width, height] = [laid.columns * laid.pitch, laid.rows * laid.pitch];
    blocks.push({
      ...{ name: layer.name, x, width, height, layer },
      y: top + (HIGH - height) / 2,
      tiles: laid,
      map: [rows, columns],
    });
    x += Math.max(width, 62) + GAP;
  }
  return { width: x - GAP + labels + MARGIN, height: top + HIGH + MARGIN, middle: top + HIGH / 2, blocks, flows: flows(blocks) };
}

function flows(blocks: readonly Block[]): Flow[] {
  const named = new Map(blocks.map((block) => [block.name, block]));
  return blocks.flatMap((to) =>
    [...new Set(to.layer?.reads)].flatMap((name) => {
      const from = named.get(name);
      return from ? [{ from, to }] : [];
    }),
  );
}

/** Upper left corner of a tile. */
export function corner(block: Block, channel: number): [x: number, y: number] {
  const { rows, pitch } = block.tiles;
  return [block.x + Math.floor(channel / rows) * pitch, block.y + (channel % rows) * pitch];
}

/** The channel under a point, or undefined. */
export function under(block: Block, x: number, y: number): number | undefined {
  const { rows, columns, pitch, count } = block.tiles;
  const [column, row] = [Math.floor((x - block.x) / pitch), Math.floor((y - block.y) / pitch)];
  const channel = column * rows + row;
  return row >= 0 && row < rows && column >= 0 && column < columns && channel < count ? channel : undefined;
}
