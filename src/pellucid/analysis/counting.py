"""What counts as an operation: multiply-adds or single operations, and whether the small things count.

Counters disagree because each answers this in its own way; here it is said. A multiply-add (MAC) is one
multiplication and one addition, two floating-point operations (FLOP). Always counted: products of convolutions and
dense layers. On request: one addition for each result with a bias; one multiply-add for each number that is
normalised; one operation for each number through an activation.
"""

from dataclasses import dataclass

from pellucid.analysis.receptive_field import ACTIVATIONS
from pellucid.errors import ParameterError
from pellucid.graph import Node
from pellucid.ops import BatchNorm

UNITS = ("macs", "flops")


@dataclass(frozen=True)
class Counting:
    """What to count; see above.

    Raises ParameterError where the unit is none.
    """

    unit: str = "macs"
    bias: bool = False
    norm: bool = False
    activation: bool = False

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ParameterError(f"The 'unit' parameter of Counting must be one of {UNITS}; got {self.unit!r:.80}.")

    @property
    def pair(self) -> int:
        """What a multiplication with an addition counts."""
        return 2 if self.unit == "flops" else 1

    @property
    def title(self) -> str:
        """The heading of a column of counts."""
        return "FLOPs" if self.unit == "flops" else "MACs"

    def of(self, node: Node) -> int:
        """Count the operations of one node."""
        results = node.outputs[0].type.size
        count = self.pair * node.op.macs(*node.types)
        given = dict(zip(node.op.arguments, node.inputs, strict=False))
        if self.bias and count and given.get("bias") is not None:
            count += results
        if self.norm and isinstance(node.op, BatchNorm):
            count += self.pair * results
        if self.activation and isinstance(node.op, ACTIVATIONS):
            count += results
        return count
