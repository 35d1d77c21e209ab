"""LeNet-5, which read the digits on cheques.

LeCun, Bottou, Bengio & Haffner 1998: "Gradient-based learning applied to document recognition", Proc. IEEE 86(11).
"""

from pellucid.nn import AvgPool2d, Conv2d, Flatten, Linear, Module, Sequential, Tanh
from pellucid.types import Shape
from pellucid.zoo.design import Design
from pellucid.zoo.lessons import cells


def lenet5(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build LeNet-5 with the paper's layers, sizes, tanh and averaging.

    Three details are as in most implementations, not as in the paper: C3 sees all maps of S2, the averages of S2
    and S4 have no weights of their own, and the last layer is dense instead of distances to drawn digits.
    The first weights are drawn as PyTorch draws them.
    """
    channels, height, width = input
    rows, columns = ((extent - 4) // 2 for extent in (height, width))
    return Sequential(
        {
            "c1": Conv2d(channels, 6, 5),
            "tanh1": Tanh(),
            "s2": AvgPool2d(2),
            "c3": Conv2d(6, 16, 5),
            "tanh3": Tanh(),
            "s4": AvgPool2d(2),
            "flatten": Flatten(),
            "c5": Linear(cells(16, rows - 4, columns - 4, 2), 120),
            "tanh5": Tanh(),
            "f6": Linear(120, 84),
            "tanh6": Tanh(),
            "output": Linear(84, classes),
        }
    )


NETWORKS = {"lenet5": Design(lenet5, (1, 32, 32), 10, paper="Proceedings of the IEEE 86 (1998)", parameters=61_706)}
