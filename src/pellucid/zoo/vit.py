"""How a Vision Transformer reads an image (Dosovitskiy et al. 2020, arXiv:2010.11929): by one strided convolution.

Cutting an image into patches and multiplying each by the same matrix is a convolution whose stride is its kernel's
size. The transformer that follows is none of ours; a mean and a dense layer stand in its place.
"""

from typing import Any

from pellucid.nn import Conv2d, Linear, Module, Sequential
from pellucid.types import Shape
from pellucid.zoo.design import Design

_WIDTH, _PATCH = 768, 16


class PatchEmbedding(Module):
    """Turn patches into tokens: (N, C, H, W) → (N, H/patch · W/patch, width).

    >>> import numpy as np
    >>> PatchEmbedding(3, 8, patch=4)(np.zeros((1, 3, 12, 8), np.float32)).shape
    (1, 6, 8)
    """

    def __init__(self, in_channels: int, width: int, patch: int) -> None:
        super().__init__()
        self.projection = Conv2d(in_channels, width, patch, stride=patch)

    def forward(self, x: Any) -> Any:
        """Return one token for each patch, row by row."""
        return self.projection(x).flatten(2).permute(0, 2, 1)


class TokenMean(Module):
    """The mean of all tokens: (N, tokens, width) → (N, width)."""

    one_op = True

    def forward(self, x: Any) -> Any:
        """Average over the tokens."""
        return x.mean(1)


def patches(input: Shape, classes: int) -> Module:  # noqa: A002
    """Build the embedding of ViT-B/16, the tokens' mean and one dense layer."""
    return Sequential(
        {
            "embedding": PatchEmbedding(input[0], _WIDTH, _PATCH),
            "mean": TokenMean(),
            "head": Linear(_WIDTH, classes),
        }
    )


NETWORKS = {
    "vit-patches": Design(
        patches, paper="arXiv:2010.11929", parameters=_WIDTH * (3 * _PATCH**2 + 1) + 1000 * (_WIDTH + 1)
    )
}
