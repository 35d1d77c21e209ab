"""An attribution in sentences: what it is of, where it lies, and why it is blank where it is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.analysis.gradients import Slopes
from pellucid.explain.attribution.by_gradients import guided_nodes
from pellucid.explain.attribution.record import where
from pellucid.explain.attribution.score import Score
from pellucid.explain.attribution.settings import Found, Method, Settings
from pellucid.explain.numbers import number, percent
from pellucid.graph import Node
from pellucid.ops import ELU, GELU, Hardsigmoid, Hardswish, LeakyReLU, PReLU, ReLU, ReLU6, Sigmoid, SiLU, Tanh
from pellucid.types import Array

_SURE = 0.999
_WHOLE = 0.6
"""A box of more than this share of the image is not called a place."""
_CURVES = (ELU, GELU, Hardsigmoid, Hardswish, LeakyReLU, PReLU, Sigmoid, SiLU, Tanh)
_SATURATING = (Sigmoid, Tanh, Hardsigmoid)


def words(score: Score, name: str, method: Method, settings: Settings, found: Found, summary: Array) -> tuple[str, ...]:
    """Say what was found."""
    said = [*_of_score(score)]
    if not found.map.any():
        said.append(f"The map is blank: {_why(score, name, method, settings, found)}")
    elif not summary.any():
        said.append("In every pixel the map's channels add up to 0.")
    else:
        said += _of_place(summary)
    if found.steps is not None:
        said.append(_of_completeness(found, score.value, settings.tolerance))
    if name == "guided-backprop":
        said += _of_guiding(score)
    return tuple(said)


def _of_score(score: Score) -> Iterator[str]:
    end = "sigmoid" if isinstance(score.end, Sigmoid) else "softmax"
    share = "" if score.probability is None else f"; its probability by {end} is {percent(score.probability)}"
    yield f"The score of {_class(score, score.index)} is {number(score.value)}{share}."
    if score.index != score.likeliest:
        yield f"The network takes the image for {_class(score, score.likeliest)}."
    if score.end is not None:
        is_flat = score.probability is not None and not 1 - _SURE < score.probability < _SURE
        yield f"The network ends in a {end}; the score is the number before it." + (
            f" The {end} is saturated: by its result hardly any gradient would be left." if is_flat else ""
        )


def _class(score: Score, index: int) -> str:
    name = score.classes[index]
    return f"class {index}" if name == str(index) else f"'{name}' (class {index})"


def _of_place(summary: Array) -> list[str]:
    """Say where most of what is positive lies, and most of what is negative."""
    said = []
    for sign, values in (("positive", summary), ("negative", -summary)):
        place = where(values)
        if place is None:
            continue
        (top, bottom), (left, right) = place.rows, place.columns
        area = (bottom - top + 1) * (right - left + 1) / summary.size
        if area > _WHOLE:
            said.append(f"The {sign} attribution is spread over the whole picture.")
        else:
            said.append(f"{percent(place.share)} of the {sign} attribution lies in {place}.")
    return said


def _of_completeness(found: Found, score: float, tolerance: float) -> str:
    start = found.baseline or 0.0
    total = float(found.map.sum(dtype=np.float64))
    way = f"stays at {number(score)}"
    if score != start:
        rises = "rises" if score > start else "falls"
        way = f"{rises} from {number(start)} to {number(score)}, by {number(abs(score - start))}"
    sums = f"The map adds up to {number(total)}; the score {way}"
    if found.error is None:
        return f"{sums}: nothing to be a share of."
    if found.error == 0:
        return f"{sums}: apart by no more than rounding after {_counted(found.steps, 'step')}."
    within = f"{sums}: {percent(found.error)} apart after {_counted(found.steps, 'step')}"
    return f"{within}." if found.error <= tolerance else f"{within}, more than {percent(tolerance)}."


def _counted(count: int | None, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _of_guiding(score: Score) -> Iterator[str]:
    guided = len(guided_nodes(score))
    others = sorted({node.op.kind for node in score.graph.nodes if isinstance(node.op, _CURVES)})
    if others:
        keep = "keeps its own gradient" if len(others) == 1 else "keep their own gradients"
        yield f"{_counted(guided, 'ReLU')} {'is' if guided == 1 else 'are'} guided; {', '.join(others)} {keep}."


def _why(score: Score, name: str, method: Method, settings: Settings, found: Found) -> str:
    """Say why a map is 0 everywhere."""
    if found.layer is not None:
        return _why_no_cell(score, name, found, found.layer)
    if "baseline" in method.takes and np.array_equal(score.image, settings.baseline):
        return "the image equals the baseline, so there is nothing that the score could come from."
    if name == "gradient-times-input" and not score.image.any():
        return "the image is 0 everywhere, and so is every product with it."
    image = next(iter(score.graph.inputs))
    if not score.at_image().image.any():
        return _where_it_stops(score, image, guided=False)
    return f"{method.blank}." if method.blank else _where_it_stops(score, image, guided=True)


def _why_no_cell(score: Score, name: str, found: Found, layer: str) -> str:
    """Say why a class activation map is 0 in every cell."""
    slopes = score.at_image([layer])
    maps, by_maps, weights = slopes.activations[layer], slopes.layers[layer], found.weights
    if not maps.any():
        return f"every number of '{layer}' is 0 for this image."
    if name == "score-cam" and weights is not None and not weights.any():
        return f"every map of '{layer}' is the same everywhere, so that none is a mask."
    if name != "score-cam" and not by_maps.any():
        return _where_it_stops(score, score.graph.layer(layer).name, guided=False)
    if weights is None and not ((by_maps > 0) & (maps > 0)).any():
        return f"in '{layer}' no gradient is positive where its maps are, so ReLU left nothing."
    if weights is not None and not weights.any():
        none = "no gradient by them is positive" if name == "grad-cam++" else "the gradients by each cancel in the mean"
        return f"the maps of '{layer}' weigh nothing: {none}."
    if maps.min() < 0 or weights is None:
        return f"in every cell of '{layer}' its numbers, weighted, add up to 0 or less, and ReLU left nothing."
    if not (weights > 0).any():
        return (
            f"none of the {len(weights)} maps of '{layer}' has a gradient that is positive in the mean: what it found "
            f"speaks against {_class(score, score.index)}, and ReLU left nothing."
        )
    return (
        f"in every cell of '{layer}' the maps that speak against {_class(score, score.index)} "
        f"({int((weights < 0).sum())} of {len(weights)}) outweigh those for it, and ReLU left nothing."
    )


def _where_it_stops(score: Score, start: str, *, guided: bool) -> str:
    """Name the last layer that a gradient reaches and none leaves towards a value, and what it computed."""
    nodes, on_way = [], {start}
    for node in score.graph.nodes:
        if any(value is not None and value.name in on_way for value in node.inputs):
            nodes.append(node)
            on_way |= {value.name for value in node.outputs}
    slopes = score.at_image([node.name for node in nodes], guided=guided)
    alive = {node.outputs[0].name for node in nodes if slopes.layers[node.name].any()}
    for node in nodes:
        inputs = {value.name for value in node.inputs if value is not None} & on_way
        if node.outputs[0].name in alive and not inputs & alive:
            return f"no gradient passes {node.op.kind} '{node.name}': {_reason(score, node, slopes, guided)}."
    return (
        "the score does not depend on the image." if start in score.graph.inputs else "the score does not depend on it."
    )


def _reason(score: Score, node: Node, slopes: Slopes, guided: bool) -> str:
    values, arriving = slopes.activations[node.name], slopes.layers[node.name]
    if isinstance(node.op, ReLU | ReLU6):
        open_ = (values > 0) & ((values < 6) | isinstance(node.op, ReLU))
        if not open_.any():
            return f"all {values[0].size} numbers before it are at most 0 (dead ReLUs)" + (
                ", or 6 and more" if isinstance(node.op, ReLU6) and values.any() else ""
            )
        if not (open_ & (arriving != 0)).any():
            cut = int((~open_).sum())
            return f"{cut} of its {values[0].size} numbers are cut off, among them all that the score depends on"
        if guided:
            return "where it is open all gradients that reach it are negative, and only positive ones may pass"
    if isinstance(node.op, _SATURATING):
        seen = values[arriving != 0]
        return f"it is saturated, its numbers lie between {number(seen.min())} and {number(seen.max())}"
    weight = next((score.net.arrays()[v.name] for v in node.inputs if v is not None and v.name in
                   score.graph.parameters), None)  # fmt: skip
    if weight is not None and not weight.any():
        return "all its weights are 0"
    return "what goes back through it is 0, or cancels"
