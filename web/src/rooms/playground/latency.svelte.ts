/**
 * How long from a person's stroke to the new maps: measured where the pointer's event was stamped by the browser, when
 * the maps were painted into the page, and when the frame that shows them was finished.
 */

const STROKES = 200;
const SHARE = 0.95;

function percentile(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(SHARE * sorted.length) - 1)] ?? 0;
}

export class Latency {
  #drawn = $state.raw<readonly number[]>([]);
  #shown = $state.raw<readonly number[]>([]);

  get count(): number {
    return this.#shown.length;
  }
  /** Milliseconds within which 95 of 100 strokes had their maps drawn. */
  get drawn(): number {
    return percentile(this.#drawn);
  }
  /** The same until the frame with them was finished. */
  get shown(): number {
    return percentile(this.#shown);
  }

  /** Note that the maps of a stroke, whose event has this time, were drawn just now. */
  note(stamp: number): void {
    const drawn = performance.now() - stamp;
    requestAnimationFrame(() => {
      const after = new MessageChannel(); // its message comes once the frame is painted
      after.port1.onmessage = () => {
        this.#drawn = [...this.#drawn.slice(1 - STROKES), drawn];
        this.#shown = [...this.#shown.slice(1 - STROKES), performance.now() - stamp];
      };
      after.port2.postMessage(0);
    });
  }
}
