"""Who is let in: every route, with everything that should fail."""

import httpx
import pytest
from starlette.routing import WebSocketRoute

from pellucid.studio.guard import HEADERS, Door, Guard, in_address
from pellucid.studio.pages import Pages
from pellucid.studio.server import create_app
from pellucid.studio.studio import Studio
from tests.studio.served import write_page
from tests.studio.standin import HOST, ORIGIN, PORT, TOKEN, ask, shake_hands

BEARER = {"Authorization": f"Bearer {TOKEN}"}
COOKIE = {"Cookie": f"theme=dark; pellucid-{PORT}={TOKEN}"}

REFUSED = {
    "no token": {"Host": HOST, "Origin": ORIGIN},
    "another token": {"Host": HOST, "Origin": ORIGIN, "Authorization": f"Bearer {TOKEN}x"},
    "an empty token": {"Host": HOST, "Origin": ORIGIN, "Authorization": "Bearer "},
    "another scheme": {"Host": HOST, "Origin": ORIGIN, "Authorization": f"Basic {TOKEN}"},
    "a token of no ASCII": {"Host": HOST, "Origin": ORIGIN, "Cookie": f"pellucid-{PORT}=é"},
    "the cookie of another port": {"Host": HOST, "Origin": ORIGIN, "Cookie": f"pellucid-{PORT + 1}={TOKEN}"},
    "a foreign host": {"Host": f"evil.example:{PORT}", **BEARER},
    "a foreign host that begins alike": {"Host": f"127.0.0.1.evil.example:{PORT}", **BEARER},
    "a foreign host and its origin": {
        "Host": f"evil.example:{PORT}",
        "Origin": f"http://evil.example:{PORT}",
        **COOKIE,
    },
    "another port": {"Host": f"127.0.0.1:{PORT + 1}", **BEARER},
    "no port": {"Host": "127.0.0.1", **BEARER},
    "an empty host": {"Host": "", **BEARER},
    "a foreign origin": {"Host": HOST, "Origin": "http://evil.example", **BEARER},
    "a foreign origin and the cookie": {"Host": HOST, "Origin": "http://evil.example", **COOKIE},
    "an origin on another port": {"Host": HOST, "Origin": f"http://127.0.0.1:{PORT + 1}", **COOKIE},
    "an origin of another scheme": {"Host": HOST, "Origin": f"https://{HOST}", **COOKIE},
    "the origin null": {"Host": HOST, "Origin": "null", **COOKIE},
    "an empty origin": {"Host": HOST, "Origin": "", **COOKIE},
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    folder = tmp_path_factory.mktemp("studio")
    return create_app(Studio(folder), Door(TOKEN, PORT), Pages(write_page(folder / "page")))


def routes(app: Guard) -> list[tuple[str, str]]:
    """Return the method and an address of every route that the application has."""
    found = []
    for route in app.app.app.routes:  # type: ignore[attr-defined]
        path = route.path.replace("{path:path}", "assets/a-12345678.js").replace("{id}", "0")
        assert "{" not in path
        methods = ["WEBSOCKET"] if isinstance(route, WebSocketRoute) else sorted(route.methods)
        found += [(method, path) for method in methods]
    return found


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_every_route_refuses(app: Guard, headers: dict[str, str]) -> None:
    addresses = routes(app)
    assert {("WEBSOCKET", "/socket"), ("POST", "/api/playground/maps"), ("GET", "/api/uploads/0")} <= set(addresses)
    for method, path in [*addresses, ("GET", "/"), ("GET", "/nonsense"), ("OPTIONS", "/"), ("TRACE", "/socket")]:
        if method == "WEBSOCKET":
            assert shake_hands(app, headers, path) == "websocket.close"
        else:
            answer = ask(app, method, path, headers)
            assert (answer.status_code, path) == (403, path)
            assert "set-cookie" not in answer.headers
            assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {**BEARER},
        {**BEARER, "Origin": ORIGIN},
        {**COOKIE, "Origin": ORIGIN},
        {**BEARER, "Origin": ORIGIN.upper().replace("HTTP", "http")},
    ],
    ids=["a program", "bearer", "cookie", "capitals"],
)
def test_who_has_the_token_is_let_in(app: Guard, headers: dict[str, str]) -> None:
    headers = {"Host": HOST, **headers}

    assert ask(app, "GET", "/", headers).status_code == 200
    assert ask(app, "POST", "/api/uploads", headers).status_code == 422
    assert shake_hands(app, headers) == "websocket.accept"


def test_browsers_name_no_origin_when_they_read(app: Guard) -> None:
    headers = {"Host": HOST, **COOKIE}

    assert ask(app, "GET", "/stepper", headers).status_code == 200
    assert ask(app, "HEAD", "/", headers).status_code == 200
    assert ask(app, "POST", "/api/uploads", headers).status_code == 403
    assert shake_hands(app, headers) == "websocket.close"


def test_two_hosts_are_none(app: Guard) -> None:
    answer = ask(app, "GET", "/", httpx.Headers([("Host", HOST), ("Host", "evil.example"), *BEARER.items()]))

    assert answer.status_code == 403


def test_the_token_in_the_address_becomes_a_cookie(app: Guard) -> None:
    answer = ask(app, "GET", f"/stepper?step=3&token={TOKEN}&word=a%20%26b", {"Host": HOST})

    assert (answer.status_code, answer.headers["location"]) == (303, "/stepper?step=3&word=a+%26b")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"pellucid-{PORT}={TOKEN};")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/"))
    assert answer.headers["cache-control"] == "no-store"
    assert ask(app, "GET", "/", {"Host": HOST, "Cookie": cookie.partition(";")[0]}).status_code == 200


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/%2F/evil.example", "/\\evil.example", "/%5Cevil.example", "/%09/x"]
)
def test_the_way_back_stays_here(app: Guard, path: str) -> None:
    answer = ask(app, "GET", f"{ORIGIN}{path}?token={TOKEN}", {"Host": HOST})

    location = answer.headers["location"]
    assert answer.status_code == 303
    assert location[0] == "/"
    assert location[1:2] not in ("/", "\\")


def test_a_wrong_token_in_the_address_is_refused(app: Guard) -> None:
    for query in ("token=wrong", "token=", f"token={TOKEN}&token=x", "token=%ff%00é"):
        answer = ask(app, "GET", f"/?{query}", {"Host": HOST})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert ask(app, "POST", f"/api/uploads?token={TOKEN}", {"Host": HOST, "Origin": ORIGIN}).status_code == 403
    assert shake_hands(app, {"Host": HOST, "Origin": ORIGIN}, query=f"token={TOKEN}") == "websocket.close"


def test_the_spare_token_opens_once(app: Guard) -> None:
    app.door.spare = "spare"
    first = ask(app, "GET", "/?token=spare", {"Host": HOST})

    assert first.status_code == 303
    cookie = first.headers["set-cookie"].partition(";")[0]
    assert cookie == f"pellucid-{PORT}={TOKEN}"
    assert ask(app, "GET", "/?token=spare", {"Host": HOST}).status_code == 403
    assert ask(app, "GET", "/?token=spare", {"Host": HOST, "Cookie": cookie}).status_code == 303
    for spent in ("/?token=", "/"):
        assert ask(app, "GET", spent, {"Host": HOST}).status_code == 403
    assert ask(app, "GET", "/", {"Host": HOST, "Authorization": "Bearer spare"}).status_code == 403


def test_what_is_refused_says_what_to_do(app: Guard) -> None:
    answer = ask(app, "GET", "/", {"Host": HOST})

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "pellucid studio" in answer.text
    assert "<script" not in answer.text
    assert "style" not in answer.text


def test_who_follows_a_link_from_another_site_comes_again_from_here(app: Guard) -> None:
    """Browsers keep a strict cookie back where another site leads here; the refusal's own reload brings it."""
    led = {"Host": HOST, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert 'http-equiv="refresh"' in ask(app, "GET", "/lessons/3", led).text
    for other in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Mode": "no-cors"}):
        assert "refresh" not in ask(app, "GET", "/lessons/3", {**led, **other}).text


@pytest.mark.parametrize("path", ["/", "/assets/a-12345678.js", "/nonsense", "/api/openapi.json", "/api/uploads/0"])
def test_every_answer_carries_the_headers(app: Guard, path: str) -> None:
    for answer in (ask(app, "GET", path), ask(app, "GET", path, {"Host": HOST})):
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("host", "names", "known", "unknown"),
    [
        ("127.0.0.1", (), ["LOCALHOST:80", "localhost", "127.0.0.1", "[::1]:80", "[::1]"], ["192.168.0.7", "::1", "x"]),
        ("::1", (), ["[::1]", "localhost:80"], ["[::2]", "[::1]:81", "[::1", ":80"]),
        ("192.168.0.7", (), ["192.168.0.7", "127.0.0.1"], ["192.168.0.8", "box"]),
        ("0.0.0.0", ("Box",), ["192.168.0.7", "[fe80::1]", "box:80", "localhost"], ["evil.example", "1.2.3.4.5", ""]),
    ],
)
def test_the_names_of_a_server(host: str, names: tuple[str, ...], known: list[str], unknown: list[str]) -> None:
    door = Door.to(host, 80, TOKEN, names)

    assert [name for name in known if not door.knows(name)] == []
    assert [name for name in unknown if door.knows(name)] == []
    assert door.opens(TOKEN)
    assert not door.opens("")
    assert in_address("[::1]") == "[::1]"
