"""Images with labels: reading, checking, preparing, batching and augmenting them.

Start with :mod:`pellucid.data.registry` (``pel.datasets``), whose ``load`` takes a name or a path and
returns a training and a test :class:`Dataset`.
"""

from pellucid.data.augment import Augmentation
from pellucid.data.batches import batches, order
from pellucid.data.dataset import Dataset
from pellucid.data.preprocessing import Preprocessing

__all__ = ["Augmentation", "Dataset", "Preprocessing", "batches", "order"]
