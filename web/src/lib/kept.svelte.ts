/** State that a link brings back: `const size = kept("size", 20, whole(8, 64))`, then `size.value`. */
import { getContext, setContext } from "svelte";
import { forAddress, fromAddress } from "./base64";
import { address } from "./place.svelte";

/** Where state is kept: the address of the page, or memory for a room inside another and for widgets. */
export interface Shelf {
  get(name: string): string | null;
  put(name: string, text: string | undefined): void;
}

const KEY = Symbol("shelf");

/** Keep the state of all rooms below in memory, beginning with that of a query such as `size=8&mode=erase`. */
export function keepInMemory(query: string): void {
  const texts = new URLSearchParams(query);
  setContext<Shelf>(KEY, {
    get: (name) => texts.get(name),
    put: (name, text) => (text === undefined ? texts.delete(name) : texts.set(name, text)),
  });
}

/** How a value is written into an address; `read` gives undefined for what it cannot be. */
export interface Codec<T> {
  read(text: string): T | undefined;
  write(value: T): string;
}

/** A value under a name; call it while a component is being made. Put whole new values: changes inside are not seen. */
export function kept<T>(name: string, initial: T, codec: Codec<T>): { value: T } {
  const shelf = getContext<Shelf | undefined>(KEY) ?? address;
  const text = shelf.get(name);
  const usual = codec.write(initial);
  let value = $state.raw((text === null ? undefined : codec.read(text)) ?? initial);
  return {
    get value() {
      return value;
    },
    set value(next) {
      value = next;
      const written = codec.write(next);
      shelf.put(name, written === usual ? undefined : written);
    },
  };
}

export function whole(least: number, most: number): Codec<number> {
  return {
    read(text) {
      const value = Number(text);
      return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
    },
    write: String,
  };
}

export function decimal(least: number, most: number): Codec<number> {
  return {
    read(text) {
      const value = Number(text || NaN);
      return value >= least && value <= most ? value : undefined;
    },
    write: (value) => String(+value.toPrecision(6)),
  };
}

export function oneOf<T extends string>(...choices: readonly T[]): Codec<T> {
  return { read: (text) => choices.find((choice) => choice === text), write: (value) => value };
}

export const flag: Codec<boolean> = {
  read: (text) => (text === "1" ? true : text === "0" ? false : undefined),
  write: (value) => (value ? "1" : "0"),
};

export function words(most: number): Codec<string> {
  return { read: (text) => (text.length <= most ? text : undefined), write: (value) => value };
}

/** Rows of numbers: `0,-1,0;-1,4,-1;0,-1,0`, at most so many by so many. */
export function matrix(most: number): Codec<number[][]> {
  return {
    read(text) {
      const rows = text.split(";").map((row) => row.split(",").map((part) => Number(part || NaN)));
      const width = rows[0]!.length;
      const fits = rows.length <= most && width <= most && rows.every((row) => row.length === width);
      return fits && rows.flat().every(Number.isFinite) ? rows : undefined;
    },
    write: (rows) => rows.map((row) => row.map((value) => +value.toPrecision(6)).join(",")).join(";"),
  };
}

/** Values from 0 to 255, runs of equal ones made short: what a drawing needs of an address. */
export function bytes(least: number, most: number): Codec<Uint8Array> {
  return {
    read(text) {
      try {
        const runs = fromAddress(text);
        const values: number[] = [];
        for (let i = 0; i + 1 < runs.length && values.length <= most; i += 2) {
          for (let n = runs.charCodeAt(i); n > 0; n--) values.push(runs.charCodeAt(i + 1));
        }
        return values.length >= least && values.length <= most ? Uint8Array.from(values) : undefined;
      } catch {
        return undefined;
      }
    },
    write(values) {
      let runs = "";
      for (let i = 0; i < values.length; ) {
        let n = 1;
        while (n < 255 && values[i + n] === values[i]) n++;
        runs += String.fromCharCode(n, values[i]!);
        i += n;
      }
      return forAddress(runs);
    },
  };
}
