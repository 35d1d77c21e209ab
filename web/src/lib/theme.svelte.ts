/** Light, dark, or as the system has it. */
import { recall, remember } from "./remember";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const stored = recall("theme") as Theme | null;
export const theme = $state({ chosen: stored && THEMES.includes(stored) ? stored : "system" });

export function dress(chosen: Theme): void {
  theme.chosen = chosen;
  remember("theme", chosen);
  document.documentElement.dataset.theme = chosen;
}
