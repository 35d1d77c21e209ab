/** A run that is watched: its news are asked for again and again while it moves. */
import { ask, Refused } from "../../lib/ask";
import type { TrainFrame, TrainNews, TrainPoint } from "../../messages";

const PAUSE = 400;
const MOVING = ["waiting", "training", "stopping", "elsewhere"];

export function moves(state: TrainNews["state"]): boolean {
  return MOVING.includes(state);
}

export class Followed {
  news: TrainNews | undefined = $state.raw();
  points: TrainPoint[] = $state.raw([]);
  frames: TrainFrame[] = $state.raw([]);
  layer = $state("");
  failure = $state("");
  private timer = 0;
  private closed = false;

  constructor(readonly run: string) {
    void this.look();
  }

  /** Ask at once: something was done to the run. */
  look = async (): Promise<void> => {
    clearTimeout(this.timer);
    try {
      const after = this.points.at(-1)?.step ?? 0;
      const news = await ask("train.news", { run: this.run, after });
      if (this.closed) return;
      this.points = [...this.points.filter((point) => point.step <= after), ...news.points.filter((point) => point.step > after)];
      this.news = news;
      this.failure = "";
      if (news.frames > (this.frames.at(-1)?.step ?? -1)) await this.lookAtFilters();
      if (!this.closed && moves(news.state)) this.again();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.failure = error.message;
      if (this.news) this.again();
    }
  };

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async lookAtFilters(): Promise<void> {
    const after = this.frames.at(-1)?.step ?? 0;
    const found = await ask("train.filters", { run: this.run, after });
    this.layer = found.layer || this.layer;
    this.frames = after ? [...this.frames, ...found.frames] : found.frames;
  }

  private again(): void {
    this.timer = window.setTimeout(() => void this.look(), PAUSE);
  }
}
