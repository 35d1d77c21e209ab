/** The rooms, in the order of the menu; each is loaded when first entered. */
import type { Component } from "svelte";

export interface Room {
  name: string;
  group: "see" | "count" | "learn" | "course";
  /** A path of a 24×24 drawing in strokes. */
  icon: string;
  load(): Promise<{ default: Component }>;
}

const files = import.meta.glob<{ default: Component }>("../rooms/*.svelte");

function room(name: string, group: Room["group"], icon: string): Room {
  const file = `../rooms/${name[0]!.toUpperCase()}${name.slice(1)}.svelte`;
  return { name, group, icon, load: files[file]! };
}

export const ROOMS: Room[] = [
  room("playground", "see", "M4 20l4-1L19 8l-3-3L5 16zM14 7l3 3"),
  room("stepper", "see", "M4 5v14M8 5l11 7-11 7z"),
  room("pipeline", "see", "M3 5h5v5H3zM10 7.5h4M16 5h5v5h-5zM18.500 10v4M16 14h5v5h-5zM14 16.500h-4M3 14h5v5H3z"),
  room("photo", "see", "M4 6h16v13H4zM4 16l5-5 4 4 3-3 4 4M15.500 9.500h.01"),
  room("geometry", "count", "M12 4L4 20h16zM8 12h8M10 16h4"),
  room("architect", "count", "M4 8h4v8H4zM10 6h4v12h-4zM16 10h4v4h-4z"),
  room("train", "learn", "M4 4v16h16M7 9c3 7 6 8 12 8"),
  room("inspect", "learn", "M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500L21 21"),
  room("shift", "learn", "M12 3v18M3 12h18M12 3l-2 2M12 3l2 2M12 21l-2-2M12 21l2-2M3 12l2-2M3 12l2 2M21 12l-2-2M21 12l-2 2"),
  room("lessons", "course", "M12 6c-2-1.500-5-2-8-2v14c3 0 6 .5 8 2 2-1.500 5-2 8-2V4c-3 0-6 .5-8 2zM12 6v14"),
].filter((found) => found.load);
