/** Which part of a section's figure is lit, by a word of the prose or by the figure itself. */
import { getContext, setContext } from "svelte";

export class Lit {
  #pointed = $state<string | null>(null);
  #pinned = $state<string | null>(null);

  get part(): string | null {
    return this.#pointed ?? this.#pinned;
  }

  show(part: string): void {
    this.#pointed = part;
  }

  hide(): void {
    this.#pointed = null;
  }

  /** Keep a part lit, or let it go: a press, for hands that cannot point. */
  press(part: string): void {
    this.#pinned = this.#pinned === part ? null : part;
    this.#pointed = null;
  }

  pinned(part: string): boolean {
    return this.#pinned === part;
  }
}

const KEY = Symbol("lit");

export function provideLit(): Lit {
  return setContext(KEY, new Lit());
}

export function useLit(): Lit {
  return getContext<Lit>(KEY);
}
