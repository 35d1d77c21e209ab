/** What is looked at, and what is known of it: the state behind the room's parts. */
import { ask, live, Refused } from "../../lib/ask";
import { kept, flag, oneOf, words, type Codec } from "../../lib/kept.svelte";
import { numbers, tensor, type Numbers } from "../../lib/tensor";
import type {
  InspectCell,
  InspectChange,
  InspectChannel,
  InspectChoices,
  InspectMaps,
  InspectNetwork,
  InspectScore,
  InspectSubject,
} from "../../messages";
import { DIGITS, packed, raster } from "./strokes";

export interface Spot {
  layer: string;
  channel: number;
  y?: number;
  x?: number;
}

export type Source = "drawing" | "sample" | "upload";

const SPOT: Codec<Spot | null> = {
  read(text) {
    const [layer, channel, y, x] = text.split("*");
    const places = [channel, y, x].map((part) => (part === undefined ? undefined : Number(part)));
    if (!layer || places.some((part) => part !== undefined && !(Number.isInteger(part) && part >= 0))) return undefined;
    return { layer, channel: places[0] ?? 0, y: places[1], x: places[2] };
  },
  write(spot) {
    if (!spot) return "";
    return [spot.layer, spot.channel, spot.y, spot.x].filter((part) => part !== undefined).join("*");
  },
};

const SAMPLE: Codec<{ data: string; index: number }> = {
  read(text) {
    const [, data, index] = text.match(/^([\w-]{1,100}):(\d{1,6})$/) ?? [];
    return data ? { data, index: Number(index) } : undefined;
  },
  write: ({ data, index }) => `${data}:${index}`,
};

/** The network's side of a picture: MNIST's way of laying a digit out is for networks of such digits. */
const HANDWRITTEN = "mnist";
const SIDE = 28;

export class Inspector {
  #target = kept("net", "digits", words(120));
  #source = kept<Source>("from", "drawing", oneOf("drawing", "sample", "upload"));
  #strokes = kept("ink", DIGITS[3]!, packed);
  #sample = kept("sample", { data: "fashion-mnist-mini", index: 0 }, SAMPLE);
  #upload = kept("file", "", words(64));
  #inverted = kept("invert", false, flag);
  #centred = kept("centre", true, flag);
  #spot = kept<Spot | null>("at", null, SPOT);
  #latest = 0;

  choices: InspectChoices | undefined = $state.raw();
  network: InspectNetwork | undefined = $state.raw();
  seen: Numbers | undefined = $state.raw();
  scores: InspectScore[] = $state.raw([]);
  maps: ReadonlyMap<string, InspectMaps> = $state.raw(new Map());
  channel: InspectChannel | undefined = $state.raw();
  cell: InspectCell | undefined = $state.raw();
  failure = $state("");
  opening = $state(false);
  /** How many channels of what a cell reads are written out, and of how many inputs a channel's products are shown. */
  most = $state(3);
  shown = $state(8);
  /** What the pointer is on: a layer, and maybe one of its maps. */
  pointed: { layer: string; channel?: number } | null = $state.raw(null);
  /** Counts pictures: what was computed of an earlier one is old. */
  version = $state(0);
  #wanted: string[] = [];
  #missing = new Set<string>();

  #look = live(
    "inspect.look",
    (told, asked) => {
      if (asked.subject.target !== this.target) return;
      this.seen = numbers(told.seen);
      this.scores = told.scores;
      const maps = new Map(this.maps);
      for (const map of told.maps) {
        maps.set(map.layer, map);
        this.#missing.delete(map.layer);
      }
      this.maps = maps;
      this.failure = "";
    },
    (sentence) => (this.failure = sentence),
  );
  #open = live(
    "inspect.channel",
    (told) => (this.channel = told),
    (sentence) => (this.failure = sentence),
  );
  #count = live(
    "inspect.cell",
    (told) => (this.cell = told),
    (sentence) => (this.failure = sentence),
  );

  constructor(readonly change: () => InspectChange | null = () => null) {}

  get target(): string {
    return this.#target.value;
  }
  get source(): Source {
    return this.#source.value;
  }
  get strokes() {
    return this.#strokes.value;
  }
  get sample() {
    return this.#sample.value;
  }
  get file(): string {
    return this.#upload.value;
  }
  get inverted(): boolean {
    return this.#inverted.value;
  }
  get centred(): boolean {
    return this.#centred.value;
  }
  get spot(): Spot | null {
    return this.#spot.value;
  }

  /** Whether the network was trained on digits laid out as MNIST's are. */
  get handwritten(): boolean {
    return this.network?.data === HANDWRITTEN && this.network.shape[1] === SIDE;
  }

  /** Network and picture, as it is before any change. */
  readonly unchanged: InspectSubject = $derived.by(() => {
    const centred = this.handwritten && this.centred && this.source !== "sample";
    const about = { target: this.target, centred, inverted: this.source === "upload" && this.inverted };
    if (this.source === "sample") return { ...about, picture: { kind: "sample", ...this.sample } };
    if (this.source === "upload" && this.file) return { ...about, picture: { kind: "upload", id: this.file } };
    return { ...about, picture: { kind: "drawing", values: tensor(raster(this.strokes)) } };
  });

  readonly subject: InspectSubject = $derived.by(() => ({ ...this.unchanged, change: this.change() }));

  readonly grey = $derived((this.network?.shape[0] ?? 1) === 1);

  async begin(): Promise<void> {
    this.choices = await ask("inspect.choices", {});
    await this.#load();
  }

  async choose(target: string): Promise<void> {
    this.#target.value = target;
    this.go(null);
    this.maps = new Map();
    this.scores = [];
    await this.#load();
    const { data } = this.network ?? {};
    if (data === HANDWRITTEN) this.#source.value = "drawing";
    else if (data && this.choices?.data.includes(data) && this.source === "drawing") this.takeSample(data, 0);
  }

  async #load(): Promise<void> {
    const turn = ++this.#latest;
    this.opening = true;
    try {
      const found = await ask("inspect.network", { target: this.target });
      if (turn !== this.#latest) return;
      this.network = found;
      this.failure = "";
      if (this.spot && !found.layers.some((layer) => layer.name === this.spot?.layer)) this.go(null);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (turn === this.#latest) this.failure = error.message;
    } finally {
      if (turn === this.#latest) this.opening = false;
    }
  }

  draw(strokes: typeof this.strokes): void {
    this.#source.value = "drawing";
    this.#strokes.value = strokes;
  }

  takeSample(data: string, index: number): void {
    this.#sample.value = { data, index };
    this.#source.value = "sample";
  }

  takeUpload(id: string): void {
    this.#upload.value = id;
    this.#source.value = "upload";
    this.#inverted.value = this.grey;
  }

  backToDrawing(): void {
    this.#source.value = "drawing";
  }

  invert(value: boolean): void {
    this.#inverted.value = value;
  }

  centre(value: boolean): void {
    this.#centred.value = value;
  }

  /** Open a layer's channel, or a cell of it; null closes. */
  go(spot: Spot | null): void {
    this.#spot.value = spot;
    this.most = 3;
    this.shown = 8;
    if (!spot) this.channel = undefined;
    if (spot?.y === undefined) this.cell = undefined;
  }

  /** The picture changed: what was computed of the one before is old. */
  renew(): void {
    this.version++;
    this.#missing = new Set(this.network?.layers.map((layer) => layer.name));
    this.#ask();
  }

  /** The layers that are in view. */
  want(layers: string[]): void {
    this.#wanted = layers;
    if (layers.some((name) => this.#missing.has(name))) this.#ask();
  }

  #ask(): void {
    const layers = this.#wanted.filter((name) => this.#missing.has(name)).slice(0, 80);
    this.#look({ subject: this.subject, layers, side: SIDE });
  }

  openChannel(): void {
    const { spot, subject, shown } = this;
    if (spot) this.#open({ subject, layer: spot.layer, channel: spot.channel, first: 0, most: shown });
  }

  openCell(): void {
    const { spot, subject, most } = this;
    const layer = this.network?.layers.find((one) => one.name === spot?.layer);
    if (!spot || !layer || (layer.shape.length > 1 && spot.y === undefined)) return;
    this.#count({ subject, layer: spot.layer, channel: spot.channel, y: spot.y ?? null, x: spot.x ?? null, most });
  }
}
