/** Rooms as a notebook's widgets: the same components, in a shadow tree so that their style and the notebook's stay apart. */
import { mount, unmount } from "svelte";
import Frame from "./Frame.svelte";
import style from "./app.css?inline";
import { connect } from "./lib/ask";
import { overComm, type Model } from "./lib/comm";
import Architect from "./rooms/Architect.svelte";
import Inspect from "./rooms/Inspect.svelte";
import Playground from "./rooms/Playground.svelte";
import Stepper from "./rooms/Stepper.svelte";

const ROOMS = { architect: Architect, inspect: Inspect, playground: Playground, stepper: Stepper };

function render({ model, el }: { model: Model; el: HTMLElement }): () => Promise<void> {
  connect(overComm(model));
  const root = el.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style.replaceAll(":root", ":host"));
  root.adoptedStyleSheets = [sheet];
  const room = ROOMS[model.get("room") as keyof typeof ROOMS];
  const frame = mount(Frame, { target: root, props: { room, state: model.get("place") as string } });
  return () => unmount(frame);
}

export default { render };
