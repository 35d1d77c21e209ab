/** Numbers of maps and weights as they are printed, alike in all languages, as Python prints them. */

/** At most `digits` significant digits, a real minus sign, and no zeros behind. */
export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e6 || size < 1e-4 ? value.toExponential(digits - 1) : String(+value.toPrecision(digits));
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** A number within a sum: in brackets where it is negative. */
export function factor(value: number): string {
  const text = number(value);
  return text.startsWith("−") ? `(${text})` : text;
}
