"""The data sets that have a name: what they are, where they come from, and what their files must be."""

from dataclasses import dataclass

from pellucid.data import cifar
from pellucid.data.preprocessing import Preprocessing
from pellucid.types import Pair


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: its name, size in bytes, SHA-256, and the addresses to try in order."""

    name: str
    size: int
    sha256: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One named data set.

    `train` and `test` count images; `size` is (height, width); `mean` and `std` are those of the training
    images, one per channel, with white at 1.
    """

    name: str
    description: str
    licence: str
    homepage: str
    classes: tuple[str, ...]
    train: int
    test: int
    size: Pair
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    files: tuple[RemoteFile, ...] = ()

    @property
    def preprocessing(self) -> Preprocessing:
        """How its images become a network's input."""
        return Preprocessing(self.size, self.channels, self.mean, self.std)

    @property
    def bytes(self) -> int:
        """What there is to fetch; 0 for what comes with Pellucid."""
        return sum(file.size for file in self.files)


def _idx_files(hosts: tuple[str, ...], files: dict[str, tuple[int, str]]) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(name, size, sha256, tuple(host + name for host in hosts)) for name, (size, sha256) in files.items()
    )


_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

_FASHION_HOMEPAGE = "https://github.com/zalandoresearch/fashion-mnist"

_FASHION_FILES = _idx_files(
    (
        "https://fashion-mnist.s3.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    {
        "train-images-idx3-ubyte.gz": (
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        "train-labels-idx1-ubyte.gz": (
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        "t10k-images-idx3-ubyte.gz": (
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    },
)

_MNIST_FILES = _idx_files(
    ("https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"),
    {
        "train-images-idx3-ubyte.gz": (
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        "train-labels-idx1-ubyte.gz": (
            28_881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        "t10k-images-idx3-ubyte.gz": (
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            4_542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    },
)

_CIFAR_FILES = (
    RemoteFile(
        "cifar-10-binary.tar.gz",
        170_052_171,
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
    ),
)

ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            name="fashion-mnist-mini",
            description="Clothes in grey, 28×28; the part of Fashion-MNIST that comes with Pellucid",
            licence="MIT, © 2017 Zalando SE",
            homepage=_FASHION_HOMEPAGE,
            classes=_CLOTHES,
            train=5_000,
            test=1_000,
            size=(28, 28),
            channels=1,
            mean=(0.2860,),  # of the whole of Fashion-MNIST, so that models can move between the two
            std=(0.3530,),
        ),
        Entry(
            name="fashion-mnist",
            description="Clothes in grey, 28×28 (Xiao, Rasul and Vollgraf, 2017)",
            licence="MIT, © 2017 Zalando SE",
            homepage=_FASHION_HOMEPAGE,
            classes=_CLOTHES,
            train=60_000,
            test=10_000,
            size=(28, 28),
            channels=1,
            mean=(0.2860,),
            std=(0.3530,),
            files=_FASHION_FILES,
        ),
        Entry(
            name="mnist",
            description="Handwritten digits in grey, 28×28 (LeCun, Cortes and Burges, 1998)",
            licence="CC BY-SA 3.0",
            homepage="http://yann.lecun.com/exdb/mnist/",
            classes=tuple("0123456789"),
            train=60_000,
            test=10_000,
            size=(28, 28),
            channels=1,
            mean=(0.1307,),
            std=(0.3081,),
            files=_MNIST_FILES,
        ),
        Entry(
            name="cifar-10",
            description="Animals and vehicles in colour, 32×32 (Krizhevsky, 2009)",
            licence="none stated; its author asks to be cited",
            homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
            classes=cifar.CLASSES,
            train=50_000,
            test=10_000,
            size=(32, 32),
            channels=3,
            mean=(0.4914, 0.4822, 0.4465),
            std=(0.2470, 0.2435, 0.2616),
            files=_CIFAR_FILES,
        ),
    )
}
