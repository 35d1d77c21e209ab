"""A landscape that a program draws, so that there is a picture to filter before a person brings one."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from pellucid.types import Array

WIDTH, HEIGHT = 1200, 800
_SHORE = 0.7
"""Where the lake begins, as a share of the height."""
_RIDGES = (
    (0.47, 0.10, 3, (150, 165, 196)),
    (0.53, 0.09, 5, (112, 133, 160)),
    (0.60, 0.07, 6, (79, 108, 112)),
    (0.67, 0.05, 9, (54, 84, 62)),
)
"""Height, roughness, bumps and colour of the hills, the farthest first."""


@cache
def landscape() -> Array:
    """Draw sky, sun, hills, a house among spruces, and the lake that mirrors them, uint8 (800, 1200, 3)."""
    random = np.random.default_rng(7)
    picture = _sky(random)
    for ridge in _RIDGES:
        _hill(picture, random, *ridge)
    picture = _details(picture, random)
    _lake(picture, random)
    picture += random.normal(0, 2.5, (HEIGHT, WIDTH, 1)).astype(np.float32)  # the grain of a film
    drawn: Array = np.rint(picture).clip(0, 255).astype(np.uint8)
    drawn.flags.writeable = False
    return drawn


def _noise(random: np.random.Generator, rows: int, columns: int, octaves: int, height: int = HEIGHT) -> Array:
    """Return smooth noise from 0 to 1, float32 (height, 1200): coarse to fine, each half as strong."""
    total = np.zeros((height, WIDTH), np.float32)
    for octave in range(octaves):
        grid = random.random((rows * 2**octave + 1, columns * 2**octave + 1), np.float32)
        smooth = Image.fromarray(grid).resize((WIDTH, height), Image.Resampling.BICUBIC)
        total += np.asarray(smooth) / 2**octave
    total -= total.min()
    return np.asarray(total / total.max())


def _over(picture: Array, colour: Array | tuple[int, int, int], cover: Array) -> None:
    """Lay a colour over the picture where ``cover`` (H, W) is 1."""
    picture += cover[..., None] * (np.asarray(colour, np.float32) - picture)


def _sky(random: np.random.Generator) -> Array:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32) / HEIGHT
    share = np.clip(y / 0.6, 0, 1)[..., None]
    picture: Array = np.array([62, 112, 178], np.float32) * (1 - share) + np.array([252, 219, 172], np.float32) * share
    away = np.hypot(x - 1.12, y - 0.3)
    _over(picture, (255, 236, 190), 0.75 * np.exp(-7 * away))
    _over(picture, (255, 250, 232), np.clip((0.052 - away) * HEIGHT + 0.5, 0, 1))
    clouds = np.clip((_noise(random, 7, 4, 5) - 0.52) * 4, 0, 1) * np.clip(1.25 - 2.2 * y, 0, 1)
    _over(picture, (255, 248, 240), 0.85 * clouds)
    return picture


def _hill(
    picture: Array, random: np.random.Generator, height: float, rough: float, bumps: int, colour: tuple[int, int, int]
) -> None:
    skyline = height + rough * (_noise(random, 1, bumps, 7, 1)[0] - 0.5)
    depth = np.arange(HEIGHT, dtype=np.float32)[:, None] - HEIGHT * skyline
    texture = 0.72 + 0.56 * _noise(random, 24, 36, 4)
    _over(picture, texture[..., None] * np.array(colour, np.float32), np.clip(depth + 0.5, 0, 1))


def _details(picture: Array, random: np.random.Generator) -> Array:
    """Draw what has straight edges, at twice the size, so that its edges become smooth."""
    layer = Image.fromarray(picture.clip(0, 255).astype(np.uint8)).resize((2 * WIDTH, 2 * HEIGHT))
    draw = ImageDraw.Draw(layer)
    shore = int(2 * HEIGHT * _SHORE)
    for foot in sorted(random.uniform(0, 1, 70) ** 0.9 * 2 * WIDTH):
        if not 1380 < foot < 1980:
            _spruce(draw, int(foot), shore - int(random.uniform(0, 40)), random.uniform(70, 210), random)
    _house(draw, 1560, shore - 18)
    for foot in range(1400, 2000, 36):
        draw.rectangle((foot, shore - 52, foot + 9, shore), (236, 228, 212))
    draw.rectangle((1400, shore - 42, 1990, shore - 34), (236, 228, 212))
    return np.asarray(layer.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32).copy()


def _spruce(draw: ImageDraw.ImageDraw, foot: int, ground: int, height: float, random: np.random.Generator) -> None:
    shade = random.uniform(0.7, 1.25)
    colour = (int(34 * shade), int(64 * shade), int(46 * shade))
    draw.rectangle((foot - 5, ground - 20, foot + 5, ground + 6), (72, 52, 38))
    for tier in range(6):
        top = ground - height + tier * height / 7
        half = height * (0.06 + 0.032 * tier)
        draw.polygon([(foot, top), (foot - half, top + height * 0.24), (foot + half, top + height * 0.24)], colour)


def _house(draw: ImageDraw.ImageDraw, left: int, ground: int) -> None:
    draw.rectangle((left, ground - 130, left + 240, ground + 6), (176, 62, 48))
    for board in range(left + 20, left + 240, 20):
        draw.line((board, ground - 130, board, ground + 6), (150, 50, 40), 3)
    draw.polygon([(left - 24, ground - 126), (left + 120, ground - 232), (left + 264, ground - 126)], (70, 60, 66))
    draw.rectangle((left + 176, ground - 232, left + 200, ground - 168), (120, 84, 74))
    for window in (left + 28, left + 168):
        draw.rectangle((window, ground - 100, window + 48, ground - 44), (250, 246, 236))
        for pane in range(4):
            x, y = window + 6 + 20 * (pane % 2), ground - 94 + 26 * (pane // 2)
            draw.rectangle((x, y, x + 15, y + 20), (255, 214, 120))
    draw.rectangle((left + 98, ground - 88, left + 144, ground + 6), (250, 246, 236))
    draw.rectangle((left + 104, ground - 82, left + 138, ground + 6), (92, 66, 52))


def _lake(picture: Array, random: np.random.Generator) -> None:
    shore = int(HEIGHT * _SHORE)
    below = np.arange(1, HEIGHT - shore + 1)[:, None]
    ripples = (_noise(random, 40, 12, 2, HEIGHT - shore) - 0.5) * (3 + 0.09 * below)
    mirrored = np.clip(shore - below + ripples, 0, shore - 1).astype(np.intp)
    water = picture[mirrored, np.arange(WIDTH)[None, :]]
    picture[shore:] = 0.78 * water + 0.22 * np.array([34, 70, 104], np.float32) - 18 * (below / len(below))[..., None]
