/** The cells of a map that a pixel reaches, as windows: neighbouring rows and columns in one. */
import type { Window } from "../../lib/cells";
import type { PlaygroundReached } from "../../messages";

function runs(places: readonly number[]): [from: number, count: number][] {
  const found: [number, number][] = [];
  for (const place of places) {
    const last = found.at(-1);
    if (last && place === last[0] + last[1]) last[1]++;
    else found.push([place, 1]);
  }
  return found;
}

export function reached({ rows, columns }: PlaygroundReached): Window[] {
  return runs(rows).flatMap(([row, height]) =>
    runs(columns).map(([column, width]): Window => ({ row, column, rows: height, columns: width, kind: "window" })),
  );
}
