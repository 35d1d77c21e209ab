from itertools import combinations

import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.views.diagram import diagram
from pellucid.views.layout import lay_out
from pellucid.views.outline import IMAGE, outline
from tests.views.drawings import NAMES, check_legible, graph, texts


@pytest.mark.parametrize("name", pel.zoo.names())
def test_boxes_stand_apart_on_the_sheet_below_what_they_read(name: str) -> None:
    blocks = outline(graph(name))
    layout = lay_out(blocks, 600)
    places = layout.places

    assert set(places) == {IMAGE, *range(len(blocks))}
    for place in places.values():
        assert place.x - place.width / 2 >= 0
        assert place.x + place.width / 2 <= 600
        assert place.width > 90
        assert place.bottom <= layout.height
    for a, b in combinations(places.values(), 2):
        apart = abs(a.x - b.x) >= (a.width + b.width) / 2 or a.y >= b.bottom or b.y >= a.bottom
        assert apart or a.column != b.column
    for link in layout.links:
        above, below = places[link.source], places[link.target]
        assert (above.column, above.bottom) < (below.column, below.y)


@pytest.mark.parametrize("name", pel.zoo.names())
def test_arrows_are_the_readings_and_pass_beside_boxes(name: str) -> None:
    blocks = outline(graph(name))
    layout = lay_out(blocks, 600)
    reads = {(source, index) for index, block in enumerate(blocks) for source in block.sources}

    assert {(link.source, link.target) for link in layout.links} == reads
    for link in layout.links:
        above, below = layout.places[link.source], layout.places[link.target]
        x = above.x if link.via is None else link.via
        for index, place in layout.places.items():
            if index not in (link.source, link.target) and place.column == above.column == below.column:
                between = above.bottom < place.y < below.y
                assert not (between and abs(place.x - x) < place.width / 2), f"{link} passes through {index}"


@pytest.mark.parametrize("name", [*NAMES, "squeezenet1-0", "mobilenet-v3-small", "convnext-tiny"])
def test_diagrams_are_legible(name: str) -> None:
    check_legible(diagram(graph(name), name))


def test_a_box_says_operation_name_size_and_parameters() -> None:
    written = texts(diagram(graph("tiny"), "tiny"))

    assert {"tiny: 4,266 parameters, 88,592 multiply-adds", "image", "1×28×28"} <= set(written)
    assert {"Conv2d 3×3", "conv1 · ReLU", "4×28×28", "40 parameters"} <= set(written)
    assert {"Linear", "fc · Flatten", "10", "3,930 parameters"} <= set(written)


def test_branches_stand_side_by_side() -> None:
    blocks = outline(graph("googlenet"))
    places = lay_out(blocks, 600).places
    rows = [{places[index].y for index, block in enumerate(blocks) if f"{part}.branch" in block.name} for part in PARTS]
    columns = [places[index].x for index, block in enumerate(blocks) if "inception3a.branch" in block.name]

    assert all(len(row) == 1 for row in rows)
    assert columns == sorted(columns)
    assert len(set(columns)) == 4


PARTS = [f"inception{part}" for part in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]


def test_a_way_past_a_box_runs_beside_it() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x):
            x = self.first(x)
            return x + self.second(x)

    layout = lay_out(outline(Residual().graph((1, 1, 4, 4))), 600)
    via = {(link.source, link.target): link.via for link in layout.links}

    assert set(via) == {(IMAGE, 0), (0, 1), (1, 2), (0, 2)}
    assert [pair for pair, x in via.items() if x is not None] == [(0, 2)]
    assert via[0, 2] > layout.places[1].x + layout.places[1].width / 2
