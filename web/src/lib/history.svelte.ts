/** Undo and redo of whole values; a stroke is one of them, however many cells it passed. */

const MOST = 200;

export class History<T> {
  #kept: { value: T };
  #past = $state.raw<readonly T[]>([]);
  #future = $state.raw<readonly T[]>([]);
  #begun: T | undefined;

  constructor(kept: { value: T }) {
    this.#kept = kept;
  }
  get undoes(): boolean {
    return this.#past.length > 0;
  }
  get redoes(): boolean {
    return this.#future.length > 0;
  }

  /** Put a value as a step of its own. */
  put(value: T): void {
    this.begin();
    this.#kept.value = value;
    this.end();
  }

  /** All that is put into the kept value until the end is one step. */
  begin(): void {
    this.#begun ??= this.#kept.value;
  }

  end(): void {
    const before = this.#begun;
    this.#begun = undefined;
    if (before === undefined || before === this.#kept.value) return;
    this.#past = [...this.#past.slice(1 - MOST), before];
    this.#future = [];
  }

  undo(): void {
    const last = this.#past.at(-1);
    if (last === undefined) return;
    this.#past = this.#past.slice(0, -1);
    this.#future = [this.#kept.value, ...this.#future];
    this.#kept.value = last;
  }

  redo(): void {
    const [next, ...rest] = this.#future;
    if (next === undefined) return;
    this.#future = rest;
    this.#past = [...this.#past, this.#kept.value];
    this.#kept.value = next;
  }
}
