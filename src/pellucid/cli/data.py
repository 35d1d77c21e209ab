"""``pellucid data``: which data sets there are, and where."""

from typing import Annotated, Any

import typer

from pellucid.cli.options import Json, print_json

app = typer.Typer(help="List and fetch data sets.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of a data set.")]


@app.command("list", epilog="Example: pellucid data list")
def list_(json: Json = False) -> None:
    """List the data sets that have a name, and whether they are on this machine."""
    from pellucid.data import registry
    from pellucid.views import text

    rows = [_row(name) for name in registry.names()]
    if json:
        print_json(rows)
    else:
        typer.echo(text.data_list(rows))


@app.command(epilog="Example: pellucid data get mnist")
def get(name: Name) -> None:
    """Fetch a data set, unless it is here, and print where it is. A download that broke off goes on."""
    from pellucid.data import registry
    from pellucid.views import text
    from pellucid.views.progress import downloading

    with downloading(text.console(error=True)) as progress:
        place = registry.get(name, progress=progress)
    typer.echo(place)


@app.command(epilog="Example: pellucid data path fashion-mnist")
def path(name: Name) -> None:
    """Print where a data set is on this machine."""
    from pellucid.data import registry

    typer.echo(registry.path(name))


def _row(name: str) -> dict[str, Any]:
    from pellucid.data import registry

    entry, place = registry.info(name), registry.find(name)
    return {
        "name": name,
        "description": entry.description,
        "licence": entry.licence,
        "image": [entry.channels, *entry.size],
        "classes": list(entry.classes),
        "train": entry.train,
        "test": entry.test,
        "bytes": entry.bytes,
        "path": None if place is None else str(place),
    }
