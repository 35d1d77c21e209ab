/** Questions to Python. What may be asked, and what is told, stands in the generated `messages.ts`. */
import type { Kept, Questions } from "../messages";

export type Name = keyof Questions & string;
export type Asks<K extends Name> = Questions[K]["asks"];
export type Tells<K extends Name> = Questions[K]["tells"];

/** Python said no, in a sentence for the person. */
export class Refused extends Error {}

/** Carries a question there and the answer back: a WebSocket in the studio, a widget's own line in a notebook. */
export interface Carrier {
  ask(name: string, asks: unknown): Promise<unknown>;
  upload(file: File): Promise<unknown>;
}

let carrier: Carrier | undefined;

export function connect(to: Carrier): void {
  carrier = to;
}

/** Ask once. Rejects with `Refused`, whose message is a sentence to show. */
export function ask<K extends Name>(name: K, asks: Asks<K>): Promise<Tells<K>> {
  return carried().ask(name, asks) as Promise<Tells<K>>;
}

/** Give Python a file, a picture or a model, to keep for as long as it runs. Rejects as `ask` does. */
export function upload(file: File): Promise<Kept> {
  return carried().upload(file) as Promise<Kept>;
}

function carried(): Carrier {
  if (!carrier) throw new Error("connect() comes before ask()");
  return carrier;
}

/**
 * Ask again and again, as fast as answers come, while something is dragged: one question is on its way, the newest of
 * the others waits, the rest are forgotten. Answers come in order.
 */
export function live<K extends Name>(
  name: K,
  told: (tells: Tells<K>, asks: Asks<K>) => void,
  refused: (sentence: string) => void,
): (asks: Asks<K>) => void {
  let underway = false;
  let waiting: Asks<K> | undefined;

  async function send(asks: Asks<K>): Promise<void> {
    underway = true;
    try {
      told(await ask(name, asks), asks);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused(error.message);
    } finally {
      underway = false;
      const next = waiting;
      waiting = undefined;
      if (next !== undefined) void send(next);
    }
  }

  return (asks) => {
    if (underway) waiting = asks;
    else void send(asks);
  };
}
