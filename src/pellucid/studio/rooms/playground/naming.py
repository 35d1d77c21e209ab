"""What a kernel is called and does, in parts that the page puts into words."""

from pellucid.explain.kernels.describe import Description, describe
from pellucid.explain.kernels.matrices import write_number
from pellucid.explain.kernels.recognise import Match
from pellucid.studio.messages.playground import PlaygroundKernel, PlaygroundMatch
from pellucid.types import Array

_ROUNDING = 1e-6


def named(kernel: Array) -> PlaygroundKernel:
    """Describe a kernel (KH, KW)."""
    found = describe(kernel)
    spectrum = found.spectrum
    return PlaygroundKernel.model_validate(
        {
            "match": None if found.match is None else _match(found.match),
            "zero": not found.norm,
            "total": write_number(found.total),
            "balanced": found.is_balanced,
            "parity": {1: "even", -1: "odd", 0: "neither"}[found.symmetry["half turn"]],
            "unchanged": _symmetries(found, 1),
            "opposite": _symmetries(found, -1),
            "column": None if found.column is None else [write_number(value) for value in found.column],
            "row": None if found.row is None else [write_number(value) for value in found.row],
            "rank": found.rank,
            "bright": found.bright,
            "edges": None if spectrum.direction is None else (spectrum.direction + 90) % 180,
            "detector": found.is_balanced,
            "band": spectrum.kind,
        }
    )


def _match(match: Match) -> PlaygroundMatch:
    name, _, settings = match.name.partition(":")
    return PlaygroundMatch(
        name=name,
        settings=settings,
        scale=write_number(match.scale),
        turn=match.turn,
        mirrored=match.mirrored,
        error=match.error if match.error > _ROUNDING else 0.0,
        also=list(match.also),
    )


def _symmetries(found: Description, wanted: int) -> list[str]:
    return [name for name, sign in found.symmetry.items() if sign == wanted]
