/**
 * Where one is: the path names the room (and what is in it), the query holds the room's state, so that a reload or a
 * shared link brings back what was seen.
 */

export const place = $state({ room: "", rest: [] as string[], visit: 0 });

function read(): void {
  const [room = "", ...rest] = location.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  place.room = room;
  place.rest = rest;
  place.visit++;
}

/** Go to a place such as `/stepper?kernel=sobel`; the room is made anew from the state in it. */
export function go(to: string): void {
  write();
  history.pushState(null, "", to);
  read();
  scrollTo(0, 0);
}

/** Let links of the page lead to places without loading the page again. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element).closest?.("a");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!plain || !link || link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
  if (event.defaultPrevented || link.getAttribute("href")?.startsWith("#") || link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

let written: URLSearchParams | undefined;
let timer = 0;

function write(): void {
  clearTimeout(timer);
  if (!written) return;
  const query = written.toString();
  history.replaceState(null, "", location.pathname + (query && `?${query}`));
  written = undefined;
}

/** Browsers allow some hundred changes of the address in half a minute: while something is dragged, few are made. */
const PAUSE = 200;

/** The room's state, kept in the address. */
export const address = {
  get: (name: string): string | null => (written ?? new URLSearchParams(location.search)).get(name),
  put(name: string, text: string | undefined): void {
    written ??= new URLSearchParams(location.search);
    if (text === undefined) written.delete(name);
    else written.set(name, text);
    clearTimeout(timer);
    timer = window.setTimeout(write, PAUSE);
  },
};

export function start(): void {
  read();
  addEventListener("popstate", read);
  addEventListener("pagehide", write);
}
