"""The architect's answers: what blocks there are, what the zoo has, and the account of a design."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from pellucid import zoo
from pellucid.analysis.advice import advice
from pellucid.analysis.fields import fields
from pellucid.analysis.summary import LayerSummary, Summary, summarise, summary
from pellucid.analysis.warnings import Remark, remarks
from pellucid.errors import ParameterError, nearest
from pellucid.nn.random import skip_init
from pellucid.studio.messages.architect import (
    ArchitectAccount,
    ArchitectAsked,
    ArchitectBlock,
    ArchitectFormula,
    ArchitectHead,
    ArchitectKind,
    ArchitectKinds,
    ArchitectNetwork,
    ArchitectNetworks,
    ArchitectRow,
    ArchitectSetting,
    ArchitectShare,
    ArchitectStage,
    ArchitectValue,
)
from pellucid.studio.messages.base import Nothing
from pellucid.views.anatomy import stages
from pellucid.zoo.kinds import KINDS
from pellucid.zoo.listing import Listing, Placed, assembled, is_listing, parse
from pellucid.zoo.reading import read

if TYPE_CHECKING:
    from pellucid.graph import Graph
    from pellucid.nn import Module
    from pellucid.studio.studio import Studio
    from pellucid.types import Shape


def kinds(asked: Nothing, studio: Studio) -> ArchitectKinds:
    """Return all kinds of blocks."""
    names = ("name", "letter", "usual", "least", "most")
    return ArchitectKinds(
        kinds=[
            ArchitectKind(
                word=kind.word,
                settings=[
                    ArchitectSetting(**{name: getattr(setting, name) for name in names}) for setting in kind.settings
                ],
                fits_classes=kind.fits_classes,
            )
            for kind in KINDS.values()
        ]
    )


def networks(asked: Nothing, studio: Studio) -> ArchitectNetworks:
    """Return all networks of the zoo, counted."""
    return ArchitectNetworks(networks=[_network(name) for name in zoo.names()])


@cache
def _network(name: str) -> ArchitectNetwork:
    net, shape, classes = _built(name)
    found, listing = summary(net, shape), read(net, shape, classes)
    return ArchitectNetwork(
        name=name,
        input=list(shape),
        classes=classes,
        parameters=found.parameters,
        macs=found.macs,
        layers=len(found.layers),
        paper=zoo.paper(name),
        design="" if listing is None else str(listing),
    )


def _built(name: str) -> tuple[Module, Shape, int]:
    with skip_init():
        return zoo.build(name), zoo.usual_input(name), zoo.usual_classes(name)


def account(asked: ArchitectAsked, studio: Studio) -> ArchitectAccount:
    """Return the account of a design."""
    if is_listing(asked.design):
        return _account_of_blocks(parse(asked.design))
    if asked.design not in zoo.names():
        raise ParameterError(f"There is no network {asked.design!r:.60}; {nearest(asked.design, zoo.names())}.")
    return _account_of_network(asked.design)


def _account_of_blocks(listing: Listing) -> ArchitectAccount:
    placed = listing.placed()
    fits = any(not place.error for place in placed)
    with skip_init():
        net = assembled(placed) if fits else None
    graph = _graph(net, listing.input) if net is not None else None
    found = summarise(graph) if graph is not None else None
    said = [*(remarks(graph, fields(graph)) if graph is not None else ()), *advice(placed, listing.classes)]
    blocks = [_block(place, listing.classes, found, said) for place in placed]
    output = placed[-1].output if placed else listing.input
    return _account(
        listing, "", blocks, graph, found,
        averaged=_averaged(listing) if found is not None else None,
        trainable=fits and not any(place.error for place in placed) and output == (listing.classes,),
        code=(listing.code(), listing.code("torch")) if fits else ("", ""),
    )  # fmt: skip


def _account_of_network(name: str) -> ArchitectAccount:
    net, shape, classes = _built(name)
    graph = _graph(net, shape)
    found = summarise(graph)
    said = remarks(graph, fields(graph))
    blocks = [_layer(layer, said) for layer in found.layers]
    code = f'import pellucid as pel\n\nnet = pel.zoo.build("{name}")\n'
    return _account(
        Listing(shape, classes, ()), name, blocks, graph, found, averaged=None, trainable=True, code=(code, "")
    )


def _graph(net: Module, shape: Shape) -> Graph:
    with net.evaluating():
        return net.graph((1, *shape))


def _account(
    listing: Listing,
    name: str,
    blocks: list[ArchitectBlock],
    graph: Graph | None,
    found: Summary | None,
    *,
    averaged: ArchitectHead | None,
    trainable: bool,
    code: tuple[str, str],
) -> ArchitectAccount:
    memory = found.memory if found is not None else None
    return ArchitectAccount(
        design="" if name else str(listing),
        name=name,
        input=list(listing.input),
        classes=listing.classes,
        blocks=blocks,
        parameters=found.parameters if found else 0,
        buffers=found.buffers if found else 0,
        macs=found.macs if found else 0,
        parameter_bytes=memory.parameters if memory else 0,
        activation_bytes=memory.activations if memory else 0,
        inference_bytes=memory.inference if memory else 0,
        training_bytes=memory.training if memory else 0,
        stages=solids(graph) if graph is not None else [],
        shares=[
            ArchitectShare(op=op, parameters=parameters, macs=macs)
            for op, (parameters, macs) in (found.kinds() if found else {}).items()
        ],
        averaged=averaged,
        trainable=trainable,
        pellucid=code[0],
        torch=code[1],
    )


def _block(place: Placed, classes: int, found: Summary | None, said: Sequence[Remark]) -> ArchitectBlock:
    layers = [layer for layer in found.layers if _is_of(layer.name, place.name)] if found and not place.error else []
    return ArchitectBlock(
        word=place.block.word,
        text=str(place.block),
        name=place.name,
        settings=[ArchitectValue(name=name, value=value) for name, value in place.block.settings().items()],
        output=list(place.output),
        parameters=sum(layer.parameters for layer in layers),
        macs=sum(layer.macs for layer in layers),
        bytes=sum(layer.activation_bytes for layer in layers),
        rows=[_row(layer) for layer in layers],
        error=place.error,
        remarks=[remark.text for remark in said if _is_of(remark.layer, place.name)] if not place.error else [],
    )


def _layer(layer: LayerSummary, said: Sequence[Remark]) -> ArchitectBlock:
    return ArchitectBlock(
        word="", text="", name=layer.name, settings=[], output=list(layer.output), parameters=layer.parameters,
        macs=layer.macs, bytes=layer.activation_bytes, rows=[_row(layer)], error="",
        remarks=[remark.text for remark in said if remark.layer == layer.name],
    )  # fmt: skip


def _is_of(layer: str, block: str) -> bool:
    return layer == block or layer.startswith(f"{block}.")


def _row(layer: LayerSummary) -> ArchitectRow:
    size = layer.field.size if layer.field is not None else None
    jump = layer.field.jump if layer.field is not None else None
    return ArchitectRow(
        name=layer.name,
        op=layer.op,
        output=list(layer.output),
        parameters=layer.parameters,
        macs=layer.macs,
        bytes=layer.activation_bytes,
        field=[float(extent) for extent in size or ()],
        jump=[float(extent) for extent in jump or ()],
        formulas=[ArchitectFormula(of=formula.of, text=formula.text) for formula in layer.formulas],
    )


def solids(graph: Graph) -> list[ArchitectStage]:
    """Return the solids of a network's funnel."""
    return [
        ArchitectStage(
            name=stage.name,
            channels=stage.channels,
            plane=list(stage.plane or ()),
            parameters=stage.parameters,
            macs=stage.macs,
        )
        for stage in stages(graph)
    ]


def _averaged(listing: Listing) -> ArchitectHead | None:
    """Offer global average pooling where there is a dense head that it would make smaller."""
    words = [block.word for block in listing.blocks]
    if "flatten" not in words or "linear" not in words[words.index("flatten") :]:
        return None
    other = listing.averaged()
    if str(other) == str(listing) or any(place.error for place in other.placed()):
        return None
    with skip_init():
        found = summary(other.network(), other.input)
    return ArchitectHead(design=str(other), parameters=found.parameters)
