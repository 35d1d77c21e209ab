/** What a reader has done, kept by the browser: chapters that were opened, and grades by the row of exercises. */
import { recall, remember } from "../../lib/remember";

function load<T>(key: string, otherwise: T): T {
  return (JSON.parse(recall(key) ?? "null") as T | null) ?? otherwise;
}

function save(key: string, value: unknown): void {
  remember(key, JSON.stringify(value));
}

const CHAPTERS = "lessons.read";
let read = $state.raw<string[]>(load<string[]>(CHAPTERS, []));

export const readChapters = {
  has: (name: string): boolean => read.includes(name),
  add(name: string): void {
    if (read.includes(name)) return;
    read = [...read, name];
    save(CHAPTERS, read);
  },
};

/** How each exercise of a row was answered at first: by its place. */
export class Score {
  #key: string;
  #grades = $state.raw<Record<string, boolean>>({});

  constructor(seed: number, kinds: string) {
    this.#key = `lessons.score.${seed}.${kinds}`;
    this.#grades = load<Record<string, boolean>>(this.#key, {});
  }

  get asked(): number {
    return Object.keys(this.#grades).length;
  }

  get right(): number {
    return Object.values(this.#grades).filter(Boolean).length;
  }

  of(place: number): boolean | undefined {
    return this.#grades[place];
  }

  /** The first answer counts. */
  note(place: number, right: boolean): void {
    if (place in this.#grades) return;
    this.#grades = { ...this.#grades, [place]: right };
    save(this.#key, this.#grades);
  }
}
