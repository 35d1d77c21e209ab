"""Train the lesson network on the full MNIST with Pellucid and PyTorch, epoch by epoch in turns; print the seconds.

    python tools/mnist_race.py FOLDER_OF_MNIST_IDX

Both start from the same weights and see the same batches at the same learning rates (stochastic gradient descent,
momentum 0.9, rising to 0.1 and falling to 0); both use all cores. PyTorch runs eagerly, channels last, its quicker
layout for this network. The time is that of the training steps.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

import pellucid as pel
from pellucid.kernels.threads import count

EPOCHS, BATCH, PEAK = 3, 64, 0.1
Step = Callable[[np.ndarray, np.ndarray, float], None]


def pellucid_steps(net: pel.nn.Module) -> tuple[Step, Callable[[np.ndarray], np.ndarray]]:
    """Return how Pellucid takes a step, and how it predicts."""
    gradients = pel.value_and_grad(net, pel.losses.cross_entropy)
    optimizer, parameters = pel.optim.SGD(PEAK, momentum=0.9), dict(net.named_parameters())

    def step(x: np.ndarray, y: np.ndarray, lr: float) -> None:
        _, slopes = gradients(x, y)
        optimizer.update(parameters, slopes, lr)

    def predict(x: np.ndarray) -> np.ndarray:
        return np.concatenate([net(x[start : start + 500]).argmax(1) for start in range(0, len(x), 500)])

    return step, predict


def in_torch(net: pel.nn.Module) -> torch.nn.Module:
    """Return the lesson network in PyTorch, with the same weights."""
    nn = torch.nn
    twin = nn.Sequential(
        *[nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
        *[nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()],
        *[nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Linear(128, 10)],
    )
    with torch.no_grad():
        for target, source in zip(twin.parameters(), net.parameters(), strict=True):
            target.copy_(torch.from_numpy(source.data))
    return twin


def torch_steps(net: torch.nn.Module) -> tuple[Step, Callable[[np.ndarray], np.ndarray]]:
    """Return how PyTorch takes a step, and how it predicts."""
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), lr=PEAK, momentum=0.9)

    def step(x: np.ndarray, y: np.ndarray, lr: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = lr
        images = torch.from_numpy(x).to(memory_format=torch.channels_last)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images), torch.from_numpy(y)).backward()
        optimizer.step()

    def predict(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            parts = [net(torch.from_numpy(x[start : start + 500])).argmax(1) for start in range(0, len(x), 500)]
        return torch.cat(parts).numpy()

    return step, predict


def main(folder: str) -> None:
    train, test = pel.datasets.load(folder)
    torch.set_num_threads(count())
    pel.manual_seed(0)
    net = pel.zoo.build("pooled28")
    contenders = {"PyTorch": torch_steps(in_torch(net)), "Pellucid": pellucid_steps(net)}
    x, y, seconds = train.inputs(), train.labels.astype(np.int64), dict.fromkeys(contenders, 0.0)
    steps = EPOCHS * (len(x) // BATCH)
    for epoch in range(EPOCHS):
        order = np.random.default_rng(epoch).permutation(len(x))
        for name, (step, predict) in contenders.items():
            for number in range(len(x) // BATCH):
                chosen = order[number * BATCH : (number + 1) * BATCH]
                done = (epoch * (len(x) // BATCH) + number) / steps
                images, labels = x[chosen], y[chosen]
                began = time.perf_counter()
                step(images, labels, PEAK * min(4 * done + 0.02, (1 - done) / 0.75))
                seconds[name] += time.perf_counter() - began
            accuracy = (predict(test.inputs()) == test.labels).mean()
            print(f"epoch {epoch + 1}  {name:9} {100 * accuracy:.2f} %  {seconds[name]:6.1f} s", flush=True)
    print(f"{seconds['PyTorch'] / seconds['Pellucid']:.2f} times as fast, {count()} threads")


if __name__ == "__main__":
    main(*sys.argv[1:])
