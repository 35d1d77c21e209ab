/** Settings of figures, as chapters write them: `size=8`, `relu=yes`, `scores=2,1,0`. */
export type Settings = Record<string, string>;

export function whole(settings: Settings, name: string, otherwise: number): number {
  const value = Number(settings[name] ?? otherwise);
  return Number.isInteger(value) ? value : otherwise;
}

export function list(settings: Settings, name: string): number[] {
  return (settings[name] ?? "").split(",").filter(Boolean).map(Number);
}
