/** On which pictures a network can be measured. */
import type { Inspector } from "../inspect/inspector.svelte";

/** The data sets on this machine that have the network's classes, the smallest first. */
export function suitable({ network, choices }: Inspector): string[] {
  const whole = (name: string): string => name.replace(/-mini$/, "");
  const own = network?.data;
  if (!own || !choices) return [];
  return choices.data.filter((name) => whole(name) === whole(own)).sort((a, b) => b.length - a.length);
}
