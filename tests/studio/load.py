"""Many people drawing at once: how long they wait for their maps.

Run it as a script, ``python -m tests.studio.load --help``; `test_load.py` is the same as a test.
"""

import argparse
import asyncio
import base64
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from tests.studio.served import Served, served

SIDE = 20
GATHER_SECONDS = 10.0
"""That answers may still come after the last stroke."""


@dataclass
class Seen:
    """What the drawers have seen: seconds from when each stroke was due to its answer, and what went wrong."""

    asked: int = 0
    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        return self.asked - len(self.waits)

    def within(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        return 1000 * float(np.quantile(self.waits, share))

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {self.within(share):.1f} ms" for name, share in SHARES.items())
        return f"{self.asked:,} strokes, {self.lost} lost, {len(self.errors)} errors; {parts}"


SHARES = {"median": 0.5, "95 %": 0.95, "99 %": 0.99, "longest": 1.0}


def tensor(values: np.ndarray) -> dict[str, object]:
    exact = np.ascontiguousarray(values, "<f4")
    return {"shape": list(exact.shape), "data": base64.b64encode(exact).decode()}


def strokes(seed: int, count: int) -> list[str]:
    """Make questions: a walk over a drawing, each stroke one cell brighter, seen through the page's four kernels."""
    random = np.random.default_rng(seed)
    edge = np.float32([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    kernels = [
        edge,
        edge.T,
        np.float32([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        np.float32([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    ]
    drawing, place = np.zeros((SIDE, SIDE), np.float32), random.integers(SIDE, size=2)
    made = []
    for number in range(count):
        place = np.clip(place + random.integers(-1, 2, size=2), 0, SIDE - 1)
        drawing[tuple(place)] = 1
        asks = {"drawing": tensor(drawing), "kernels": [tensor(kernel) for kernel in kernels]}
        made.append(json.dumps({"id": number, "ask": "playground.maps", "with": asks}))
    return made


async def draw(url: str, headers: dict[str, str], questions: list[str], rate: float, start: float, seen: Seen) -> None:
    """Send a stroke whenever one is due, whether answers have come or not."""
    loop = asyncio.get_running_loop()
    async with connect(url, additional_headers=headers, compression=None, max_queue=None) as line:
        reading = asyncio.create_task(read(line, len(questions), rate, start, seen))
        for number, question in enumerate(questions):
            await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
            seen.asked += 1
            await line.send(question)
        await asyncio.wait([reading], timeout=GATHER_SECONDS)
        reading.cancel()


async def read(line: ClientConnection, count: int, rate: float, start: float, seen: Seen) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(count):
        text = await line.recv()
        now, answer = loop.time(), json.loads(str(text)[:100].split(',"tells"')[0].rstrip("}") + "}")
        seen.waits.append(now - start - answer["id"] / rate)
        if not str(text).startswith(f'{{"id":{answer["id"]},"tells":{{"maps":{{"shape":[4,{SIDE},{SIDE}]'):
            seen.errors.append(str(text)[:200])


async def crowd(server: Served, drawers: int, rate: float, seconds: float) -> Seen:
    """Let so many people draw; their strokes are spread over time as people's are."""
    seen = Seen()
    url, headers = f"ws://127.0.0.1:{server.port}/socket", {**server.headers, "Origin": server.url}
    async with connect(url, additional_headers=headers) as line:  # who comes first waits until the engine is there
        await line.send(strokes(0, 1)[0])
        await line.recv()
    questions = [strokes(seed, round(rate * seconds)) for seed in range(drawers)]
    start = asyncio.get_running_loop().time() + drawers / 100
    await asyncio.gather(
        *(draw(url, headers, walk, rate, start + n / drawers / rate, seen) for n, walk in enumerate(questions))
    )
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long people who draw at once wait for their maps.")
    parser.add_argument("--drawers", type=int, default=200)
    parser.add_argument("--rate", type=float, default=10.0, help="strokes per second of each")
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as server:
        print(asyncio.run(crowd(server, chosen.drawers, chosen.rate, chosen.seconds)))


if __name__ == "__main__":
    main()
