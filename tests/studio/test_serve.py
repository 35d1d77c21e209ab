"""The studio as it is started: sockets, words, and a process of its own under good and bad treatment."""

import json
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import pellucid as pel
from pellucid.studio.guard import Door
from pellucid.studio.serve import STUCK_SECONDS, greeting, listen, serve
from tests.studio.served import Served, served, write_page


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("studio"), "standin") as running:
        yield running


def line(server: Served) -> ClientConnection:
    headers = {**server.headers, "Origin": server.url}
    return connect(f"ws://127.0.0.1:{server.port}/socket", additional_headers=headers, compression=None, max_size=None)


def echo(page: ClientConnection, number: int, word: str = "x") -> object:
    page.send(json.dumps({"id": number, "ask": "standin.echo", "with": {"word": word}}))
    return json.loads(page.recv(60))


def test_the_head_of_a_request_has_a_largest_size(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 2**17)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_the_printed_address_opens_the_page(server: Served) -> None:
    with httpx.Client(base_url=server.url, follow_redirects=True) as client:
        assert client.get("/stepper").status_code == 403
        page = client.get("/stepper", params={"token": server.token})
        assert (page.status_code, page.url.path, "token" in str(page.url)) == (200, "/stepper", False)
        assert client.get("/assets/a-12345678.js").headers["content-encoding"] == "gzip"


def test_two_pages_have_two_lines(server: Served) -> None:
    with line(server) as first, line(server) as second:
        assert echo(first, 1) == echo(second, 1) == {"id": 1, "tells": {"word": "x"}}


def test_lines_from_elsewhere_are_refused(server: Served) -> None:
    address = f"ws://127.0.0.1:{server.port}/socket"
    for headers in ({}, {"Origin": server.url}, *({**server.headers, "Origin": site} for site in ("http://x", "null"))):
        with pytest.raises(InvalidStatus) as refused, connect(address, additional_headers=headers):
            pass
        assert refused.value.response.status_code == 403


def test_too_large_a_question_ends_its_line_alone(server: Served) -> None:
    with line(server) as other, line(server) as page:
        assert len(str(echo(page, 1, "x" * 2_000_000))) > 2_000_000
        with pytest.raises(ConnectionClosed) as closed:
            echo(page, 2, "x" * 9_000_000)
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
        assert echo(other, 3) == {"id": 3, "tells": {"word": "x"}}


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x81\x05hello",
        b"\xff\xff\xff\xff",
        b"\x81\x82\0\0\0\0\xff\xfe",
        b"\x83\x80\0\0\0\0",
        b"\x80\x80\0\0\0\0",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
    ids=["not masked", "reserved bits", "no UTF-8", "reserved kind", "nothing to continue", "HTTP"],
)
def test_garbage_ends_its_line_alone(server: Served, garbage: bytes) -> None:
    with line(server) as other, line(server) as page:
        page.socket.sendall(garbage)
        with pytest.raises(ConnectionClosed):
            page.recv(60)
        assert echo(other, 3) == {"id": 3, "tells": {"word": "x"}}


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
    ],
)
def test_garbage_instead_of_http_is_refused(server: Served, garbage: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.sendall(garbage)
        assert raw.recv(100).split(b" ")[1] in (b"400", b"403")


def test_a_page_that_does_not_read_leaves_the_others_in_peace(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.sendall(handshake(server))
        assert raw.recv(12) == b"HTTP/1.1 101"
        text = b'{"id":1,"ask":"standin.large","with":{"word":"x"}}'
        frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
        raw.setblocking(False)
        with suppress(BlockingIOError):  # the server stops reading, so that sending stops
            for _ in range(1_000_000):
                raw.send(frame * 1000)
            pytest.fail("The server reads without end.")
        with line(server) as page:
            assert echo(page, 3) == {"id": 3, "tells": {"word": "x"}}
        assert memory(server) < 2**29


def handshake(server: Served) -> bytes:
    headers = {
        "Host": f"127.0.0.1:{server.port}",
        "Origin": server.url,
        **server.headers,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    lines = ["GET /socket HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def memory(server: Served) -> int:
    """Return how many bytes of memory the server takes, where the system says so."""
    status = Path(f"/proc/{server.process.pid}/status")
    if not status.exists():
        return 0
    return 1024 * next(int(row.split()[1]) for row in status.read_text().splitlines() if row.startswith("VmRSS"))


def test_two_hundred_pages_at_once(server: Served) -> None:
    with ExitStack() as stack:
        pages = [stack.enter_context(line(server)) for _ in range(200)]
        for number, page in enumerate(pages):
            page.send(json.dumps({"id": number, "ask": "standin.echo", "with": {"word": "x"}}))
        assert [json.loads(page.recv(60))["id"] for page in pages] == list(range(200))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_it_ends_with_pages_open_and_an_answer_underway(tmp_path: Path, how: signal.Signals, status: int) -> None:
    with served(tmp_path, "standin") as server, line(server) as page:
        page.send(json.dumps({"id": 1, "ask": "standin.wait", "with": {"word": "never"}}))
        assert echo(page, 2) == {"id": 2, "tells": {"word": "x"}}
        with httpx.Client(base_url=server.url, headers=server.headers) as client:
            assert client.post("/api/uploads?name=a.pgm", content=b"P5 1 1 255 x").status_code == 200
        assert len(list((tmp_path / "temporary").glob("pellucid-*/*.picture"))) == 1
        server.process.send_signal(how)
        _, errors = server.process.communicate(timeout=60)

    assert (server.process.returncode, errors) == (status, "")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_port_in_use_is_one_sentence(server: Served, tmp_path: Path) -> None:
    page = write_page(tmp_path / "page")

    with pytest.raises(pel.ParameterError, match=f"The port {server.port} must be free; another program uses it"):
        serve(port=server.port, pages=page)


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", 65536, "The port must be from 0 to 65535; got 65536"),
        ("127.0.0.1", -1, "The port must be from 0 to 65535"),
        ("192.0.2.1", 0, "The host must be an address of this machine; got '192.0.2.1'"),
        ("no such host", 0, "The host must be a name or an address of this machine"),
        ("x" * 70, 0, "The host must be a name or an address of this machine"),
    ],
)
def test_where_nobody_can_listen(host: str, port: int, reason: str) -> None:
    with pytest.raises(pel.ParameterError, match=reason):
        listen(host, port)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
def test_connections_are_cut_whose_other_end_takes_nothing() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        taken, _ = listening.accept()
        with taken:
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1000 * STUCK_SECONDS


def test_a_missing_page_is_told_before_anything_starts(tmp_path: Path) -> None:
    told: list[str] = []

    with pytest.raises(pel.FileError, match="page must be built"):
        serve(port=0, pages=tmp_path, tell=told.append)
    assert told == []


@pytest.mark.parametrize(
    ("host", "address", "open_to_others"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/?token=t", False),
        ("localhost", "http://localhost:80/?token=t", False),
        ("::1", "http://[::1]:80/?token=t", False),
        ("0.0.0.0", "http://127.0.0.1:80/?token=t", True),
        ("192.168.0.7", "http://192.168.0.7:80/?token=t", True),
    ],
)
def test_the_greeting(host: str, address: str, open_to_others: bool) -> None:
    first, *rest = greeting(host, Door.to(host, 80, "t"))

    assert first == f"Pellucid studio: {address}"
    assert any("other machines" in text and "token" in text for text in rest) == open_to_others
    assert rest[-1] == "Stop it with Ctrl-C."
