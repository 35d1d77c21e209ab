/** The film: the scene that Python described, what its steps do as far as they were told, and where it is played. */
import { untrack } from "svelte";
import { ask, live, Refused } from "../../lib/ask";
import { kept, oneOf, flag, whole } from "../../lib/kept.svelte";
import type { StepperMove, StepperScene, StepperSetting } from "../../messages";
import { at, beginnings, rest, type Moment } from "./frames";

export const SPEEDS = ["0.25", "0.5", "1", "2", "4", "8"] as const;
/** Steps ahead of the one that is played whose moves are asked for. */
const AHEAD = 24;
const PART = 64;

export class Film {
  scene: StepperScene | undefined = $state.raw();
  setting: StepperSetting | undefined = $state.raw();
  failure = $state("");
  playing = $state(false);
  /** The step pointed at, shown instead of the one that is played. */
  peek: number | undefined = $state();

  #time = $state(0);
  #moves: (StepperMove | undefined)[] = $state.raw([]);
  #pending = new Set<number>();
  #kept = kept("step", 0, whole(0, 100_000));
  #speed = kept("speed", "1", oneOf(...SPEEDS));
  #loop = kept("loop", false, flag);
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #starts = $derived(this.scene ? beginnings(this.scene.durations) : [0, 1]);

  readonly last = $derived(this.scene ? this.scene.durations.length - 1 : 0);
  readonly moment: Moment = $derived.by(() => {
    const { step, glide } = at(this.#starts, this.#time);
    return { step, glide: this.#still.matches ? 1 : glide };
  });
  readonly step = $derived(this.moment.step);
  /** Whether something changes on the screen by itself. */
  readonly moving = $derived(Boolean(this.scene) && (this.playing || this.moment.glide < 1));

  #live = live(
    "stepper.scene",
    (scene, { setting }) => {
      this.failure = "";
      this.peek = undefined;
      this.#pending.clear();
      const moves: (StepperMove | undefined)[] = Array(scene.durations.length).fill(undefined);
      scene.moves.forEach((move, index) => (moves[scene.first + index] = move));
      const step = this.scene ? this.step : this.#kept.value;
      this.scene = scene;
      this.setting = setting;
      this.#moves = moves;
      this.#time = rest(this.#starts, Math.min(step, this.last));
    },
    (sentence) => {
      this.failure = sentence;
      this.playing = false;
    },
  );

  get speed(): (typeof SPEEDS)[number] {
    return this.#speed.value;
  }
  set speed(value) {
    this.#speed.value = value;
  }
  get loop(): boolean {
    return this.#loop.value;
  }
  set loop(value) {
    this.#loop.value = value;
  }

  show(setting: StepperSetting): void {
    this.#live({ setting, near: untrack(() => (this.scene ? this.step : this.#kept.value)) });
  }

  move(step: number): StepperMove | undefined {
    return this.#moves[step];
  }

  /** Go to a step and let its window come to rest there. */
  seek(step: number): void {
    const to = Math.max(0, Math.min(this.last, step));
    this.playing = false;
    this.peek = undefined;
    this.#time = to === this.step + 1 ? this.#starts[to]! : rest(this.#starts, to);
    this.#kept.value = to;
    this.need(to);
  }

  toggle(): void {
    if (!this.playing && this.step >= this.last) this.#time = 0;
    this.playing = !this.playing;
    this.peek = undefined;
    if (!this.playing) this.#kept.value = this.step;
  }

  /** Let some milliseconds pass. */
  pass(milliseconds: number): void {
    if (this.playing) {
      const end = this.#starts.at(-1)!;
      const time = this.#time + milliseconds * Number(this.speed);
      if (time < end) this.#time = time;
      else if (this.loop) this.#time = 0;
      else this.seek(this.last);
    } else {
      this.#time = Math.min(this.#time + milliseconds, rest(this.#starts, this.step));
    }
    this.need(Math.min(this.last, this.step + (this.playing ? AHEAD : 0)));
  }

  /** Ask what a step does, unless that is known or asked already. */
  need(step: number): void {
    const { setting } = this;
    const part = Math.floor(step / PART);
    if (!setting || this.#moves[step] || this.#pending.has(part)) return;
    this.#pending.add(part);
    ask("stepper.moves", { setting, near: step }).then(
      ({ first, moves }) => {
        this.#pending.delete(part);
        if (this.setting !== setting) return;
        this.#moves = this.#moves.toSpliced(first, moves.length, ...moves);
      },
      (error: unknown) => {
        this.#pending.delete(part);
        if (!(error instanceof Refused)) throw error;
        this.failure = error.message;
      },
    );
  }
}
