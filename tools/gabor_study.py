"""Measure whether learned first-layer filters look like Gabor functions more than chance makes them.

    python tools/gabor_study.py [DATA [SIZE [SEEDS [EPOCHS]]]]        (fashion-mnist 7 3 8)

Trains a network whose first layer is 32 filters of SIZE×SIZE, once for each seed, and fits Gabor functions to them
before and after. Beside them stand filters in which one thing has been destroyed: noise (everything), the learned
numbers in random places (the neighbourhoods), the learned strength of every frequency with random phases (where the
waves meet).
"""

import sys

import numpy as np

import pellucid as pel
from pellucid import nn
from pellucid.explain.gabor import fit_gabors, principal_planes, random_r2
from pellucid.train.evaluate import evaluate


def network(channels: int, side: int, size: int, classes: int) -> nn.Module:
    """Three convolutions, as in the lessons' network, the first with large filters."""
    cells = side // 4
    return nn.Sequential(
        {
            "conv1": nn.Conv2d(channels, 32, size, padding=size // 2),
            "relu1": nn.ReLU(),
            "pool1": nn.MaxPool2d(2),
            "conv2": nn.Conv2d(32, 32, 3, padding=1),
            "relu2": nn.ReLU(),
            "conv3": nn.Conv2d(32, 64, 3, padding=1),
            "relu3": nn.ReLU(),
            "pool2": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(64 * cells * cells, 128),
            "relu4": nn.ReLU(),
            "fc2": nn.Linear(128, classes),
        }
    )


def r2(planes: np.ndarray) -> np.ndarray:
    return np.array([fit.r2 for fit in fit_gabors(planes)])


def shuffled(planes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    flat = planes.reshape(len(planes), -1)
    return rng.permuted(flat, axis=1).reshape(planes.shape)


def phases_drawn(planes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keep the strength of every frequency, with the phases of noise."""
    noise = np.fft.fft2(rng.standard_normal(planes.shape))
    return np.fft.ifft2(abs(np.fft.fft2(planes)) * noise / abs(noise)).real


def main(data: str = "fashion-mnist", size: str = "7", seeds: str = "3", epochs: str = "8") -> None:
    train, test = pel.datasets.load(data)
    _, channels, side, _ = train.images.shape
    found: dict[str, list[np.ndarray]] = {}
    for seed in range(int(seeds)):
        pel.manual_seed(seed)
        net = network(channels, side, int(size), len(train.classes))
        planes = {"before training": principal_planes(net.state_dict()["conv1.weight"])[0]}
        optimizer = pel.optim.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
        settings = {"optimizer": optimizer, "schedule": "one-cycle", "augment": "flip", "seed": seed}
        pel.fit(net, train, epochs=int(epochs), progress=False, **settings)
        planes["learned"], _, shares = principal_planes(net.state_dict()["conv1.weight"])
        rng = np.random.default_rng(seed)
        planes |= {name: change(planes["learned"], rng) for name, change in CONTROLS.items()}
        for name, values in planes.items():
            found.setdefault(name, []).append(r2(values))
        learned = found["learned"][-1]
        accuracy = evaluate(net, test).accuracy
        print(
            f"seed {seed}: test accuracy {100 * accuracy:.2f} %, learned median R² {np.median(learned):.3f}, "
            f"one colour holds {np.median(shares):.0%}",
            flush=True,
        )
    found["noise"] = [random_r2((int(size), int(size)))]
    report(found, f"{data}, 32 filters of {size}×{size}, {seeds} seeds, {epochs} epochs")


CONTROLS = {"learned, cells shuffled": shuffled, "learned, phases drawn": phases_drawn}
ORDER = ("learned", "before training", "noise", *CONTROLS)


def report(found: dict[str, list[np.ndarray]], title: str) -> None:
    bar = np.nanpercentile(found["noise"][0], 95)
    print(f"\nR² of Gabor functions fitted to filters; {title}")
    print(f"{'':26}{'median':>8}{'quartiles':>16}{'medians of seeds':>20}{'above 95 % of noise':>22}")
    for name in ORDER:
        values = np.concatenate(found[name])
        low, median, high = np.nanpercentile(values, (25, 50, 75))
        medians = [float(np.nanmedian(one)) for one in found[name]]
        between = f"{min(medians):.2f} to {max(medians):.2f}" if len(medians) > 1 else ""
        above = f"{(values > bar).sum()} of {len(values)}"
        print(f"{name:26}{median:8.2f}{f'{low:.2f} to {high:.2f}':>16}{between:>20}{above:>22}")


if __name__ == "__main__":
    main(*sys.argv[1:])
