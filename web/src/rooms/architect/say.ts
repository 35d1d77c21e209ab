/** Numbers and sizes as the architect writes them. */
import { count, t } from "../../lib/words.svelte";
import type { ArchitectBlock } from "../../messages";

export function size(shape: readonly number[]): string {
  return shape.map((extent) => String(extent)).join("×");
}

export function octets(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  for (const [unit, most] of [["kB", 1e6], ["MB", 1e9], ["GB", 1e12]] as const) {
    if (bytes < 0.9995 * most) return `${count((bytes / most) * 1000, 3)} ${unit}`;
  }
  return `${count(bytes / 1e12, 3)} TB`;
}

/** Long counts get short: exact up to ten millions, then four digits and a letter. */
export function amount(value: number): string {
  if (value < 1e7) return count(value);
  for (const [letter, unit] of [["M", 1e6], ["G", 1e9], ["T", 1e12]] as const) {
    if (value < 999.95 * unit) return `${count(value / unit, 4)} ${letter}`;
  }
  return value.toExponential(3);
}

export function field(block: ArchitectBlock): string {
  const last = block.rows.at(-1);
  if (!last) return "";
  if (!last.field.length) return t("architect.all");
  const [rows = 0, columns = 0] = last.field;
  return rows === columns ? count(rows) : `${count(rows)}×${count(columns)}`;
}

/** What a block is called: its kind in words, or, where the network cannot be changed, its operation. */
export function kindOf(block: ArchitectBlock): string {
  return block.word ? t(`architect.${block.word}`) : (block.rows[0]?.op ?? "");
}

/** Its settings in a few signs: "16 · 3×3 · stride 2". */
export function settingsOf(block: ArchitectBlock): string {
  const now = Object.fromEntries(block.settings.map((one) => [one.name, one.value]));
  const found: string[] = [];
  const outputs = now.out_channels ?? now.out_features;
  if (outputs !== undefined) found.push(outputs ? count(outputs) : t("architect.as_classes"));
  if (now.kernel_size !== undefined) found.push(`${now.kernel_size}×${now.kernel_size}`);
  if (now.stride !== undefined && now.stride > 1) found.push(t("architect.with_stride", { n: now.stride }));
  if (now.padding) found.push(t("architect.with_padding", { n: now.padding }));
  if (now.dilation !== undefined && now.dilation > 1) found.push(t("architect.with_dilation", { n: now.dilation }));
  if (now.groups !== undefined && now.groups > 1) found.push(t("architect.with_groups", { n: now.groups }));
  if (now.percent !== undefined) found.push(`${now.percent} %`);
  if (now.output_size !== undefined) found.push(`${now.output_size}×${now.output_size}`);
  if (now.bias === 0) found.push(t("architect.no_bias"));
  return found.join(" · ");
}
