/** The state of the pipeline: picture, filters, settings; the maps that Python made of them; the cell pointed at. */
import { ask, live, Refused } from "../../lib/ask";
import { kept, whole, words } from "../../lib/kept.svelte";
import { numbers, tensor, type Numbers } from "../../lib/tensor";
import type { PipelineCell, PipelineChoices, PipelineMaps, PipelineSetting } from "../../messages";
import { asked, layers } from "../stepper/settings";
import { filters, FIRST, forChannels, MOST, numbersOf } from "./filters";
import { opened, painted, written, type Picture } from "./picture";
import { traced, type Layer, type Traces } from "./trace";

export interface Point {
  layer: Layer;
  filter: number;
  row: number;
  column: number;
}

/** What Python told, its arrays read. */
export interface Maps {
  told: PipelineMaps;
  bordered: Numbers;
  conv: Numbers;
  relu: Numbers;
  pool: Numbers | null;
  shares: Numbers;
}

export class Pipe {
  settings = layers();
  choices: PipelineChoices | undefined = $state.raw();
  picture: Picture | undefined = $state.raw();
  maps: Maps | undefined = $state.raw();
  cell: PipelineCell | undefined = $state.raw();
  failure = $state("");
  /** The cell under the pointer, and the one that was pressed. */
  over: Point | null = $state.raw(null);
  pinned: Point | null = $state.raw(null);

  #source = kept("picture", "sun", words(20_000));
  #filters = kept("filters", FIRST, filters);
  #biases = kept("biases", FIRST.map(() => 0), numbersOf);
  #chosen = kept("filter", 0, whole(0, MOST - 1));

  readonly channels = $derived(this.picture?.shape[0] ?? 3);
  readonly filters = $derived(forChannels(this.#filters.value, this.channels));
  readonly biases = $derived(this.filters.map((_, index) => this.#biases.value[index] ?? 0));
  readonly chosen = $derived(Math.min(this.#chosen.value, this.filters.length - 1));
  readonly setting: PipelineSetting | undefined = $derived(
    this.picture && {
      ...asked(this.settings),
      image: tensor(this.picture),
      filters: this.filters,
      biases: this.biases,
    },
  );
  readonly point = $derived(this.over ?? this.pinned);
  readonly traces: Traces | null = $derived.by(() => {
    const { point, maps } = this;
    if (!point || !maps) return null;
    const lists = { conv: maps.told.conv_windows, pool: maps.told.pool_windows };
    return fits(point, maps) ? traced(point.layer, point.row, point.column, lists) : null;
  });

  #maps = live(
    "pipeline.maps",
    (told) => {
      this.failure = "";
      this.maps = {
        told,
        bordered: numbers(told.bordered),
        conv: numbers(told.conv),
        relu: numbers(told.relu),
        pool: told.pool && numbers(told.pool),
        shares: numbers(told.shares),
      };
    },
    (sentence) => (this.failure = sentence),
  );
  #cell = live("pipeline.cell", (cell) => (this.cell = cell), () => (this.cell = undefined));

  get source(): string {
    return this.#source.value;
  }

  async begin(): Promise<void> {
    this.choices = await ask("pipeline.choices", {});
    await this.open(this.source);
  }

  async open(source: string): Promise<void> {
    try {
      const picture = await opened(source, this.choices!);
      this.#source.value = source;
      this.picture = picture;
      this.pinned = this.over = null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.failure = error.message;
      if (!this.picture) this.picture = await opened("sun", this.choices!);
    }
  }

  paint(cells: readonly { row: number; column: number }[], colour: readonly number[]): void {
    if (this.picture) this.picture = painted(this.picture, cells, colour);
  }

  /** Say in the address what was drawn. */
  lift(): void {
    if (this.picture) this.#source.value = written(this.picture);
  }

  show(): void {
    if (this.setting) this.#maps({ setting: this.setting, filter: this.chosen });
  }

  /** Take the cell pointed at apart; a cell of the input has nothing behind it. */
  explain(): void {
    const { point, maps, setting } = this;
    if (!point || !maps || !setting || point.layer === "input" || !fits(point, maps)) this.cell = undefined;
    else this.#cell({ setting, layer: point.layer, channel: point.filter, y: point.row, x: point.column });
  }

  choose(filter: number): void {
    this.#chosen.value = filter;
  }

  change(filters: number[][][][], biases: number[] = this.biases): void {
    this.#filters.value = filters;
    this.#biases.value = biases;
  }
}

/** Whether there still is such a cell: settings may have made the maps smaller. */
function fits({ layer, filter, row, column }: Point, maps: Maps): boolean {
  if (layer === "input") return true;
  const [count = 0, rows = 0, columns = 0] = maps[layer]?.shape ?? [];
  return filter < count && row < rows && column < columns;
}
