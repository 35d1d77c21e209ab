"""``pellucid studio``: the page where networks are drawn on, stepped through, built, trained and taken apart."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from pellucid.errors import FileError

NEEDS = ("fastapi", "uvicorn", "websockets")
"""What the extra ``studio`` installs."""
EXAMPLE = "Example: pellucid studio --port 0 --no-browser"


def studio(
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Address to listen on; 0.0.0.0 lets other machines in, with the token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="Port to listen on; 0 takes any that is free.")
    ] = 8642,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    runs: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of training runs.")] = Path("runs"),
) -> None:
    """Open the studio, a page served from this machine, until Ctrl-C."""
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise FileError(f"The studio needs {' and '.join(missing)}; install them with: pip install 'pellucid[studio]'")
    from pellucid.studio.serve import serve

    serve(host, port, runs=runs, browser=browser, tell=typer.echo)
