/** Where the faces of a funnel's solids lie: height by the square root of a map's side, width by that of its channels. */
import type { ArchitectStage } from "../../messages";

export interface Solid {
  stage: ArchitectStage;
  kind: "image" | "maps" | "numbers";
  middle: number;
  front: string;
  side: string;
  roof: string;
}

const TALL = 130;
const CENTRE = 92;

export function solids(stages: readonly ArchitectStage[], width: number): Solid[] {
  const areas = stages.map(({ plane }) => (plane.length ? plane[0]! * plane[1]! : 1));
  const largest = Math.max(...areas);
  const most = Math.max(...stages.map((stage) => stage.channels));
  const slot = width / stages.length;
  return stages.map((stage, index) => {
    const middle = slot * (index + 0.5);
    const height = Math.max(TALL * (areas[index]! / largest) ** 0.25, 4);
    const wide = Math.max(Math.min(0.55 * slot, 60) * Math.sqrt(stage.channels / most), 1.5);
    const [right, up] = [0.14 * height, 0.1 * height];
    const left = middle - (wide + right) / 2;
    const top = CENTRE - (height - up) / 2;
    const [end, bottom] = [left + wide, top + height];
    return {
      stage,
      kind: index === 0 ? "image" : stage.plane.length ? "maps" : "numbers",
      middle,
      front: `M${left} ${top}H${end}V${bottom}H${left}z`,
      side: `M${end} ${top}l${right} ${-up}V${bottom - up}L${end} ${bottom}z`,
      roof: `M${left} ${top}l${right} ${-up}H${end + right}L${end} ${top}z`,
    };
  });
}
