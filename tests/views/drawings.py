"""What any drawing must be: nothing written over something else, nothing cut off."""

from functools import cache
from itertools import combinations

from matplotlib.figure import Figure

import pellucid as pel
from pellucid.graph import Graph
from pellucid.nn.random import skip_init

NAMES = ("tiny", "pooled28", "lenet5-rgb", "vgg16", "resnet18", "resnet50", "googlenet", "densenet121", "mobilenet-v2")


@cache
def graph(name: str) -> Graph:
    """The graph of a network of the zoo, as it is used."""
    with skip_init():
        net = pel.zoo.build(name)
    with net.evaluating():
        return net.graph((1, *pel.zoo.usual_input(name)))


def texts(figure: Figure) -> list[str]:
    """All that is written, in order."""
    return [text.get_text() for text in figure.axes[0].texts]


def check_legible(figure: Figure) -> None:
    """Fail where text lies on text or leaves the sheet."""
    figure.set_dpi(192)  # as it is written: text of few pixels is set wider
    figure.canvas.draw()
    places = [(text.get_text(), text.get_window_extent()) for text in figure.axes[0].texts if text.get_text()]
    for words, box in places:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        assert inside, f"{words!r} leaves the sheet"
    for (one, a), (other, b) in combinations(places, 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 or b.y1 <= a.y0
        assert apart, f"{one!r} lies on {other!r}"
