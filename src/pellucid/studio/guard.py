"""Who may talk to the studio: every request passes here first, WebSockets and files of the page included.

Three rules, each against an attack that reaches servers on one's own machine from any page in one's browser:

- the Host must be a name that this server goes by: a foreign name that is made to mean this machine (DNS rebinding)
  fails;
- the Origin must be that same host; other sites, and pages without a site ("null"), fail. It may be absent where
  browsers leave it out, that is when a page is opened or read, and for programs that show the token in a header;
- the token must come along: in the address once, which puts it into a cookie, or as ``Authorization: Bearer``.

Answers carry headers that forbid the page to load or to be loaded from elsewhere, and scripts inside of HTML.
"""

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "[::]")
"""Hosts that mean all addresses of this machine."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer says to the browser."""

_AGAIN = '<meta http-equiv="refresh" content="0">'

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">{again}<title>Pellucid studio</title>
<h1>This page needs its key</h1>
<p>{why}</p>
<p>Open the address that <code>pellucid studio</code> printed in the terminal, the one that ends in
<code>?token=…</code>; or, if you have opened it in this browser already, <a href="">try again</a>.</p>
"""


@dataclass
class Door:
    """Under which names the studio is reached, and what opens it.

    ``spare`` is a token that opens once: a browser is started with it, and other users may see what it is started with.
    """

    token: str
    port: int
    names: frozenset[str] = frozenset(LOOPBACK)
    any_address: bool = False
    """Whether any address in numbers will do as a name; no name service can bend one."""

    spare: str = ""

    @classmethod
    def to(cls, host: str, port: int, token: str, names: Iterable[str] = ()) -> "Door":
        """Return the door of a server that listens on a host; ``names`` are others that it goes by."""
        everywhere = host in EVERYWHERE
        own = () if everywhere else (in_address(host),)
        return cls(token, port, frozenset(name.lower() for name in (*LOOPBACK, *own, *names)), everywhere)

    @property
    def cookie(self) -> str:
        """Name of the cookie: browsers send one server's cookies to all ports of a host."""
        return f"pellucid-{self.port}"

    def knows(self, host: str) -> bool:
        """Tell whether a Host header names this server."""
        name, colon, port = host.lower().rpartition(":")
        if not colon or port.endswith("]"):  # no port is port 80, and colons in brackets are an address's
            name, port = host.lower(), "80"
        return port == str(self.port) and (name in self.names or (self.any_address and _is_address(name)))

    def opens(self, token: str) -> bool:
        """Compare a token, in a time that tells nothing about it."""
        return _same(token, self.token)

    def opens_once(self, token: str) -> bool:
        """Compare a token from an address with the spare one, which then has had its use."""
        if not self.spare or not _same(token, self.spare):
            return False
        self.spare = ""
        return True


def in_address(host: str) -> str:
    """Write a host as addresses have it.

    >>> in_address("::1"), in_address("localhost")
    ('[::1]', 'localhost')
    """
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class Guard:
    """Lets through to an application what passes the rules; refuses all else with status 403."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send if scope["type"] == "websocket" else _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        """Return what to answer instead of the application, or None."""
        headers: dict[bytes, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value.decode("latin-1"))
        hosts, origins = headers.get(b"host", []), headers.get(b"origin", [])
        if len(hosts) != 1 or not self.door.knows(hosts[0]):
            return _refuse("This server does not go by the name in the address.")
        bearer = _bearer(headers.get(b"authorization", []))
        reading = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        own = [origin.lower() for origin in origins] == [f"http://{hosts[0].lower()}"]
        if not own and (origins or not (reading or bearer)):
            return _refuse("The question comes from another site.")
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        shown = [value for name, value in query if name == "token"]
        tokens = [bearer] if bearer else _cookies(headers.get(b"cookie", []), self.door.cookie)
        known = any(self.door.opens(token) for token in tokens)
        if reading and shown:
            if not (self.door.opens(shown[-1]) or self.door.opens_once(shown[-1]) or known):
                return _refuse("The token in the address is not the one of this studio; it changes with every start.")
            return self._enter(scope["path"], [(name, value) for name, value in query if name != "token"])
        return (
            None if known else _refuse("It is only for the person who started it.", again=reading and _is_led(headers))
        )

    def _enter(self, path: str, rest: list[tuple[str, str]]) -> Response:
        """Put the token into a cookie, and go to the same place without it."""
        place = "/" + quote(path.lstrip("/"), safe="/")  # one slash: two would name another host
        response = RedirectResponse(f"{place}?{urlencode(rest)}" if rest else place, 303)
        response.headers["Cache-Control"] = "no-store"
        response.set_cookie(self.door.cookie, self.door.token, httponly=True, samesite="strict", path="/")
        return response


def _refuse(why: str, *, again: bool = False) -> Response:
    return HTMLResponse(_PAGE.format(why=why, again=_AGAIN if again else ""), 403, {"Cache-Control": "no-store"})


def _is_led(headers: dict[bytes, list[str]]) -> bool:
    """Tell whether a link of another site leads here; browsers then keep the cookie back, but not when one reloads."""
    site, mode = (headers.get(name, [""])[0] for name in (b"sec-fetch-site", b"sec-fetch-mode"))
    return site in ("cross-site", "same-site") and mode == "navigate"


def _bearer(headers: list[str]) -> str:
    kind, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
    return token.strip() if kind.lower() == "bearer" else ""


def _cookies(headers: list[str], name: str) -> list[str]:
    return [value for header in headers for key, value in cookie_parser(header).items() if key == name]


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return wrapped
