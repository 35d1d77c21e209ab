/** Work of seconds that one place of the page shows: how far it is, the result, or why there is none. */
import { ask, Refused, type Asks, type Name, type Tells } from "./ask";

type Result<K extends Name> = Tells<K> extends { result: infer R } ? NonNullable<R> : never;

/** Ask until there is a result; who stops asking stops the work. Gives undefined once `wanted` says no. */
async function until<K extends Name>(
  name: K,
  asks: Asks<K>,
  tell: (share: number) => void,
  wanted: () => boolean,
): Promise<Result<K> | undefined> {
  while (wanted()) {
    const standing = (await ask(name, asks)) as { done: number; of: number; result: Result<K> | null };
    if (!wanted()) return undefined;
    if (standing.result) return standing.result;
    tell(standing.of ? standing.done / standing.of : 0);
  }
  return undefined;
}

export class Work<K extends Name> {
  share = $state(0);
  busy = $state(false);
  result: Result<K> | undefined = $state.raw();
  failure = $state("");
  #turn = 0;

  constructor(readonly name: K) {}

  /** Begin anew; what was underway is given up. */
  async start(asks: Asks<K>): Promise<void> {
    const turn = ++this.#turn;
    const wanted = (): boolean => turn === this.#turn;
    this.busy = true;
    this.share = 0;
    this.failure = "";
    try {
      const found = await until(this.name, asks, (share) => (this.share = share), wanted);
      if (wanted()) this.result = found;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (wanted()) {
        this.failure = error.message;
        this.result = undefined;
      }
    } finally {
      if (wanted()) this.busy = false;
    }
  }

  stop(): void {
    this.#turn++;
    this.busy = false;
  }

  clear(): void {
    this.stop();
    this.result = undefined;
    this.failure = "";
  }
}
