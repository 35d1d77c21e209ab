/** The form of a new training, kept in the address: a link may bring a network, a design or a whole recipe. */
import { decimal, kept, oneOf, whole, words } from "../../lib/kept.svelte";
import { t } from "../../lib/words.svelte";
import type { TrainSettings } from "../../messages";

export const OPTIMIZERS = ["sgd", "adam", "adamw"] as const;
export const SCHEDULES = ["constant", "step", "cosine", "one-cycle"] as const;
export const AUGMENTS = ["none", "flip", "shift=2", "flip,shift=1", "shift=2,rotate=10"] as const;
export const BATCHES = [16, 32, 64, 128, 256] as const;
const RATES = { sgd: 0.05, adam: 0.002, adamw: 0.002 } as const;

/** The usual rate of an optimiser. */
export function rate(optimizer: (typeof OPTIMIZERS)[number]): number {
  return RATES[optimizer];
}

export type Form = ReturnType<typeof form>;

/** Call it while a component is being made. */
export function form() {
  const design = kept("design", "", words(4000));
  return {
    design,
    /** A listing of the architect's, a link's, goes before a name. */
    network: kept("net", design.value || "pooled28", words(4000)),
    data: kept("data", "fashion-mnist-mini", words(100)),
    epochs: kept("epochs", 4, whole(1, 1000)),
    batch: kept("batch", 64, whole(1, 4096)),
    optimizer: kept("optimizer", "sgd", oneOf(...OPTIMIZERS)),
    rate: kept("rate", 0.05, decimal(1e-6, 100)),
    schedule: kept("schedule", "one-cycle", oneOf(...SCHEDULES)),
    augment: kept("augment", "flip", words(200)),
    seed: kept("seed", 0, whole(0, 2 ** 31)),
  };
}

export function asked(of: Form): TrainSettings {
  return {
    network: of.network.value,
    data: of.data.value,
    epochs: of.epochs.value,
    batch_size: of.batch.value,
    optimizer: of.optimizer.value,
    learning_rate: of.rate.value,
    schedule: of.schedule.value,
    augment: of.augment.value,
    seed: of.seed.value,
  };
}

/** Put the settings of a run into the form. */
export function fill(of: Form, settings: TrainSettings): void {
  of.network.value = settings.network;
  of.data.value = settings.data;
  of.epochs.value = settings.epochs;
  of.batch.value = settings.batch_size;
  of.optimizer.value = settings.optimizer;
  of.rate.value = settings.learning_rate;
  of.schedule.value = settings.schedule;
  of.augment.value = settings.augment;
  of.seed.value = settings.seed;
}

/** Comparisons that one press begins: what the second of two trainings has otherwise than the first. */
export const PAIRS: { name: string; first: Partial<TrainSettings>; second: Partial<TrainSettings> }[] = [
  { name: "strided", first: { network: "pooled28" }, second: { network: "pooled28-strided" } },
  { name: "augmented", first: { augment: "none" }, second: { augment: "flip,shift=1" } },
  { name: "gap", first: { network: "pooled28" }, second: { network: "pooled28-gap" } },
];

/** The changes to the pictures in words, where there are some for them. */
export function changed(augment: string): string {
  return (AUGMENTS as readonly string[]).includes(augment) ? t(`train.augment_${augment}`) : augment;
}
