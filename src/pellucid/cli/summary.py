"""``pellucid summary``: a network's layers, shapes, parameters, operations, memory and receptive fields."""

from typing import Annotated

import typer

from pellucid.cli.options import Json, print_json
from pellucid.interop.target import find_network

EXAMPLE = "Example: pellucid summary pooled28 --input 3,32,32 --formula"


def summary(
    network: Annotated[
        str, typer.Argument(metavar="NET|RUN|MODEL", help="A network's name, a run's folder or a model file.")
    ],
    shape: Annotated[
        str | None, typer.Option("--input", metavar="C,H,W", help="Image.", show_default="the network's own")
    ] = None,
    batch: Annotated[int, typer.Option(metavar="N", min=1, help="Images at once.")] = 1,
    flops: Annotated[bool, typer.Option("--flops", help="Count operations: two for each multiply-add.")] = False,
    bias: Annotated[bool, typer.Option("--bias", help="Count additions of biases, too.")] = False,
    norm: Annotated[bool, typer.Option("--norm", help="Count batch normalisation, too.")] = False,
    activation: Annotated[bool, typer.Option("--activation", help="Count activations, too.")] = False,
    formula: Annotated[bool, typer.Option("--formula", help="Add every layer's formulas, the numbers put in.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write the table in Markdown.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Write the table in HTML.")] = False,
    json: Json = False,
) -> None:
    """Account for a network: shapes, parameters, operations, memory, and how far each layer sees."""
    from pellucid.analysis.counting import Counting
    from pellucid.analysis.summary import summary as summarise
    from pellucid.views import text

    if markdown + html + json > 1:
        raise typer.BadParameter("--markdown, --html and --json are three forms of the same; give one.")
    counting = Counting("flops" if flops else "macs", bias, norm, activation)
    net, image = find_network(network, parse_shape(shape))
    found = summarise(net, image, batch=batch, counting=counting)
    if json:
        print_json(found.as_dict(formula))
    elif markdown or html:
        typer.echo(found.markdown() if markdown else found.html())
    else:
        console = text.console()
        console.print(found.text(max(80, console.width)), markup=False, soft_wrap=True)
    if formula and not json:
        typer.echo("\n" + found.formulas())


def parse_shape(shape: str | None) -> tuple[int, ...] | None:
    """Read C,H,W. Raises BadParameter where it is none."""
    if shape is None:
        return None
    parts = shape.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() and len(part) < 10 and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"--input must be C,H,W, three whole numbers of at least 1; got {shape!r}.")
    return tuple(int(part) for part in parts)
