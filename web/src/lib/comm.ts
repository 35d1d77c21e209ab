/** A widget's line to Python: messages of the notebook's kernel. */
import { Refused, type Carrier } from "./ask";

/** What a notebook gives a widget; see anywidget's front-end module. */
export interface Model {
  get(name: string): unknown;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
  on(event: string, heard: (content: Answer) => void): void;
}
interface Answer {
  id: number;
  tells?: unknown;
  error?: string;
}

export function overComm(model: Model): Carrier {
  const asked = new Map<number, { told(tells: unknown): void; refused(error: Error): void }>();
  let last = 0;
  model.on("msg:custom", ({ id, tells, error }) => {
    const question = asked.get(id);
    asked.delete(id);
    if (error === undefined) question?.told(tells);
    else question?.refused(new Refused(error));
  });
  function send(content: object, ...buffers: ArrayBuffer[]): Promise<unknown> {
    return new Promise((told, refused) => {
      const id = ++last;
      asked.set(id, { told, refused });
      model.send({ id, ...content }, undefined, buffers);
    });
  }

  return {
    ask: (name, asks) => send({ ask: name, with: asks }),
    upload: async (file) => send({ upload: file.name }, await file.arrayBuffer()),
  };
}
