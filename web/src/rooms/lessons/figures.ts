/** The figures that sections name, and how their settings are read. */
import type { Component } from "svelte";
import type { LessonSection } from "../../messages";
import Channels from "./figures/Channels.svelte";
import Convolve from "./figures/Convolve.svelte";
import Counts from "./figures/Counts.svelte";
import Field from "./figures/Field.svelte";
import Filters from "./figures/Filters.svelte";
import Funnel from "./figures/Funnel.svelte";
import Layer from "./figures/Layer.svelte";
import Pixels from "./figures/Pixels.svelte";
import Scores from "./figures/Scores.svelte";
import Turned from "./figures/Turned.svelte";
import Windows from "./figures/Windows.svelte";
import type { Settings } from "./settings";

export const FIGURES: Record<LessonSection["figure"], Component<{ settings: Settings }>> = {
  channels: Channels,
  convolve: Convolve,
  counts: Counts,
  field: Field,
  filters: Filters,
  funnel: Funnel,
  layer: Layer,
  pixels: Pixels,
  scores: Scores,
  turned: Turned,
  windows: Windows,
};
