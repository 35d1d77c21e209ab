"""Starting the studio: a socket, the address with its token, the server behind it."""

from __future__ import annotations

import errno
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from pellucid.errors import ParameterError
from pellucid.studio.guard import EVERYWHERE, LOOPBACK, Door, in_address

if TYPE_CHECKING:
    from pellucid.studio.pages import Pages

PORT = 8642
BACKLOG = 512
"""Connections that may wait until they are accepted."""
STUCK_SECONDS = 60
"""After which a connection is cut whose other end takes nothing more."""
PATIENCE = 2
"""Seconds that requests have to end when the studio does."""


def _print(line: str) -> None:
    print(line, flush=True)


def serve(
    host: str = "127.0.0.1",
    port: int = PORT,
    *,
    runs: str | Path = "runs",
    pages: str | Path | None = None,
    browser: bool = False,
    tell: Callable[[str], None] = _print,
) -> None:
    """Serve the studio until Ctrl-C, which raises KeyboardInterrupt.

    ``port`` 0 takes any that is free; ``runs`` is the folder of training runs; ``pages`` is where the built page lies,
    if not in the package. The address, with the token that opens it, is told as soon as connections are taken; the
    first answer follows when all is loaded.

    Raises ParameterError where host or port cannot be used, FileError where the page was not built.
    """
    from pellucid.studio.pages import BUILT, Pages

    built = Pages(BUILT if pages is None else Path(pages))
    with listen(host, port) as listening:
        names = [socket.gethostname()] if host in EVERYWHERE else []
        door = Door.to(host, listening.getsockname()[1], secrets.token_urlsafe(24), names)
        for line in greeting(host, door):
            tell(line)
        if browser:
            door.spare = secrets.token_urlsafe(24)
            Thread(target=webbrowser.open, args=[address(host, door, door.spare)], daemon=True).start()
        _run(listening, door, built, Path(runs))


def _run(listening: socket.socket, door: Door, built: Pages, runs: Path) -> None:
    import uvicorn

    from pellucid.studio.server import MOST_BYTES, create_app
    from pellucid.studio.studio import Studio

    config = uvicorn.Config(
        create_app(Studio(runs), door, built),
        http="h11",  # which bounds the head of a request, as the other parser does not
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=MOST_BYTES,
        ws_per_message_deflate=False,  # costs more time than it saves, on one machine
        timeout_graceful_shutdown=PATIENCE,
    )
    uvicorn.Server(config).run([listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that takes connections. Raises ParameterError where there can be none."""
    if not 0 <= port < 2**16:
        raise ParameterError(f"The port must be from 0 to 65535; got {port}.")
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except (OSError, UnicodeError):
        raise ParameterError(f"The host must be a name or an address of this machine; got {host!r:.100}.") from None
    try:
        # On Windows the option lets two programs take one port; elsewhere it only shortens the wait after a stop.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(sys.platform != "win32"))
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * STUCK_SECONDS)
        listening.bind(place)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise ParameterError(_why(error, host, port)) from None
    return listening


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"The port {port} must be free; another program uses it; choose another one, or 0 for any that is free."
    if error.errno == errno.EACCES:
        return f"The port must be one that you may use; got {port}; choose one above 1023."
    return f"The host must be an address of this machine; got {host!r:.100} ({error.strerror})."


def address(host: str, door: Door, token: str) -> str:
    """Return the address that opens the studio in a browser on this machine."""
    return f"http://{in_address('127.0.0.1' if host in EVERYWHERE else host)}:{door.port}/?token={token}"


def greeting(host: str, door: Door) -> list[str]:
    """Say where the studio is, and who can reach it."""
    lines = [f"Pellucid studio: {address(host, door, door.token)}"]
    if in_address(host) not in LOOPBACK:
        lines.append(
            "It can be reached from other machines: whoever has "
            "the token can use it, and what is sent is not encrypted. Give the address only to people you trust."
        )
    return [*lines, "Stop it with Ctrl-C."]
