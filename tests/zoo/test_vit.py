"""A Vision Transformer's patches: cut out and multiplied by one matrix, they are what the strided convolution gives."""

import numpy as np

from pellucid.zoo.vit import PatchEmbedding


def test_patches_times_a_matrix_are_a_strided_convolution():
    embedding = PatchEmbedding(3, 8, patch=4)
    image = np.random.default_rng(0).standard_normal((2, 3, 12, 20)).astype(np.float32)
    patches = image.reshape(2, 3, 3, 4, 5, 4).transpose(0, 2, 4, 1, 3, 5).reshape(2, 15, 48)
    weight, bias = embedding.projection.weight.data, embedding.projection.bias.data

    np.testing.assert_allclose(embedding(image), patches @ weight.reshape(8, 48).T + bias, atol=1e-5)
