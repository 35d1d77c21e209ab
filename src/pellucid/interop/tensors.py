"""Safetensors files with one JSON record: what models and checkpoints are written as.

The format holds raw numbers and a JSON header, so reading one executes nothing. The record is stored under a single
metadata key because the order of several keys is not fixed, and equal content must give equal bytes.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.errors import FileError, ParameterError
from pellucid.files import replacing
from pellucid.types import Array

_KEY = "pellucid"


def write(path: str | os.PathLike[str], arrays: dict[str, Array], record: dict[str, Any]) -> None:
    """Write arrays and a record; replaces the file in one piece.

    Raises FileError where it cannot be written, ParameterError where the record is not made of JSON values.
    """
    from safetensors.numpy import save

    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    try:
        text = json.dumps(record)
    except (TypeError, ValueError, RecursionError) as error:
        raise ParameterError(f"What is kept with '{path}' must be JSON values; got others: {error}.") from None
    data = save(contiguous, metadata={_KEY: text})
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def read(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """Read arrays and the record of a file of this kind ("model", "checkpoint").

    Raises FileError where the file is missing, damaged or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileError(f"There is no {kind} file '{path}'; check the path.")
    try:
        with safe_open(path, framework="numpy") as file:
            record = (file.metadata() or {}).get(_KEY)
            if record is None:
                raise FileError(f"'{path}' is a safetensors file, but not one that Pellucid wrote: it has no record.")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, TypeError, AttributeError, ValueError) as error:
        raise FileError(f"'{path}' is not a readable safetensors file, but damaged or another: {error}") from None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"'{path}' cannot be read: {error.strerror or error}") from None
    return arrays, _parsed(record, path, kind)


def _parsed(text: str, path: Path, kind: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(f"The record of '{path}' is damaged: {error}") from None
    if not isinstance(record, dict) or record.get("kind") != kind:
        found = record.get("kind") if isinstance(record, dict) else None
        raise FileError(f"'{path}' holds a {found!r:.40}, not a {kind}.")
    return record
