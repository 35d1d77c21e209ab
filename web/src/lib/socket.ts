/** The line to the studio's server: one WebSocket, opened again whenever it breaks. */
import { Refused, type Carrier } from "./ask";
import { line } from "./line.svelte";
import { t } from "./words.svelte";

interface Answer {
  id: number;
  tells?: unknown;
  error?: string;
}
interface Asked {
  text: string;
  sent: boolean;
  told(tells: unknown): void;
  refused(error: Error): void;
}

const SOONEST = 250;
const LATEST = 5000;

export function overSocket(address: URL): Carrier {
  const url = address.href.replace(/^http/, "ws");
  const asked = new Map<number, Asked>();
  let socket: WebSocket | undefined;
  let pause = SOONEST;
  let last = 0;

  function open(): void {
    socket = new WebSocket(url);
    socket.onopen = () => {
      pause = SOONEST;
      line.open = true;
      asked.forEach(send);
    };
    socket.onmessage = (event) => settle(JSON.parse(event.data as string) as Answer);
    socket.onclose = lost;
  }

  function send(question: Asked): void {
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.send(question.text);
    question.sent = true;
  }

  function settle(answer: Answer): void {
    const question = asked.get(answer.id);
    asked.delete(answer.id);
    if (answer.error === undefined) question?.told(answer.tells);
    else question?.refused(new Refused(answer.error));
  }

  /** What was sent may have been done or not: who asked is told so. What was not sent yet waits for the next line. */
  function lost(): void {
    line.open = false;
    for (const [id, question] of asked) {
      if (!question.sent) continue;
      asked.delete(id);
      question.refused(new Refused(t("shell.lost")));
    }
    setTimeout(open, pause);
    pause = Math.min(2 * pause, LATEST);
  }

  open();
  return {
    ask: (name, asks) =>
      new Promise((told, refused) => {
        const id = ++last;
        const question = { text: JSON.stringify({ id, ask: name, with: asks }), sent: false, told, refused };
        asked.set(id, question);
        send(question);
      }),
    upload,
  };
}

async function upload(file: File): Promise<unknown> {
  const name = encodeURIComponent(file.name.slice(-100));
  const response = await fetch(`/api/uploads?name=${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream" },
    body: file,
  });
  const told = (await response.json()) as { error?: string };
  if (told.error !== undefined) throw new Refused(told.error);
  return told;
}
