"""``pellucid engine``: what computes on this machine, how fast it could be, and what changes it."""

from typing import Annotated

import typer

from pellucid.cli.options import Json, print_json

EXAMPLE = "Example: pellucid engine --json"


def engine(
    clear: Annotated[
        bool, typer.Option("--clear", help="Remove the compiled kernels instead; they are compiled anew when needed.")
    ] = False,
    json: Json = False,
) -> None:
    """Tell which vectors, threads and compiled kernels compute, and which environment variables change them."""
    from pellucid.views import text
    from pellucid.views.engine import engine_tables, kernels_and_size

    if clear:
        from pellucid.kernels import cache

        number, size = cache.clear()
        if json:
            print_json({"kernels": number, "bytes": size})
        else:
            typer.echo(f"Removed {kernels_and_size(number, size)}.")
        return
    from pellucid.bench.engine import describe

    found = describe()
    if json:
        print_json(found)
    else:
        text.console().print(engine_tables(found))
