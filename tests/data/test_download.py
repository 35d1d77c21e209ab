import errno
import hashlib
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from pellucid.data import download
from pellucid.data.catalogue import RemoteFile
from pellucid.errors import FileError

CONTENTS = np.random.default_rng(0).bytes(3 * 2**18 + 17)


class Server(ThreadingHTTPServer):
    """Serves CONTENTS on the loopback, as badly as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents = CONTENTS
        self.cut = 10**9  # bytes after which a connection ends
        self.ranges = True
        self.shift = 0
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data.bin"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "")
        server.requests.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if server.ranges else 0  # type: ignore[index]
        body = server.contents[start:]
        self.send_response(206 if server.ranges else 200)
        if server.ranges:
            total = len(server.contents)
            self.send_header("Content-Range", f"bytes {start + server.shift}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cut])

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


def remote(*urls: str) -> RemoteFile:
    return RemoteFile("data.bin", len(CONTENTS), hashlib.sha256(CONTENTS).hexdigest(), urls)


def test_a_file_is_fetched_whole_with_progress_and_only_once(tmp_path: Path, server: Server) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = tmp_path / "not" / "there" / "yet"
    path = download.fetch(remote(server.url), folder, lambda *told: seen.append(told))
    assert path == folder / "data.bin"
    assert path.read_bytes() == CONTENTS
    assert [p.name for p in folder.iterdir()] == ["data.bin"]
    assert seen[-1] == ("data.bin", len(CONTENTS), len(CONTENTS))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    download.fetch(remote(server.url), folder)
    assert len(server.requests) == 1


def test_a_broken_download_is_kept_and_resumed(tmp_path: Path, server: Server) -> None:
    server.cut = 100_000
    with pytest.raises(FileError, match=r"ended after 300000 bytes; 300000 of 786449 bytes are kept, and the next"):
        download.fetch(remote(server.url), tmp_path)
    assert server.requests == ["bytes=0-", "bytes=100000-", "bytes=200000-"]
    assert (tmp_path / "data.bin.part").read_bytes() == CONTENTS[:300_000]
    assert not (tmp_path / "data.bin").exists()
    server.cut = 10**9
    assert download.fetch(remote(server.url), tmp_path).read_bytes() == CONTENTS
    assert server.requests[-1] == "bytes=300000-"
    assert not (tmp_path / "data.bin.part").exists()


def test_a_server_without_ranges_starts_again(tmp_path: Path, server: Server) -> None:
    (tmp_path / "data.bin.part").write_bytes(b"something else")
    server.ranges = False
    assert download.fetch(remote(server.url), tmp_path).read_bytes() == CONTENTS


def test_a_server_that_sends_another_part_is_not_believed(tmp_path: Path, server: Server) -> None:
    server.shift = 1
    with pytest.raises(FileError, match="sent another part of the file than it was asked for"):
        download.fetch(remote(server.url), tmp_path)


def test_wrong_contents_never_get_the_name(tmp_path: Path, server: Server) -> None:
    server.contents = bytes(len(CONTENTS))
    with pytest.raises(FileError, match="the file from there has the wrong SHA-256"):
        download.fetch(remote(server.url), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_more_than_announced_is_not_written(tmp_path: Path, server: Server) -> None:
    server.contents = CONTENTS + bytes(10**6)
    assert download.fetch(remote(server.url), tmp_path).read_bytes() == CONTENTS


@pytest.mark.parametrize("rest", [b"x", b""])
def test_a_complete_but_wrong_remainder_is_thrown_away(tmp_path: Path, server: Server, rest: bytes) -> None:
    (tmp_path / "data.bin.part").write_bytes(bytes(len(CONTENTS)) + rest)
    assert download.fetch(remote(server.url), tmp_path).read_bytes() == CONTENTS


def test_a_complete_remainder_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(CONTENTS)
    assert download.fetch(remote("http://127.0.0.1:9/x"), tmp_path).read_bytes() == CONTENTS


def test_the_next_address_is_tried(tmp_path: Path, server: Server) -> None:
    wrong = Server()
    wrong.contents = bytes(len(CONTENTS))
    thread = Thread(target=wrong.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        file = remote("http://127.0.0.1:9/data.bin", wrong.url, server.url)
        assert download.fetch(file, tmp_path).read_bytes() == CONTENTS
        assert server.requests == ["bytes=0-"]
    finally:
        wrong.shutdown()
        wrong.server_close()
        thread.join()


def test_offline_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"must come over the network; got 127\.0\.0\.1:9: .*refused; check the conn"):
        download.fetch(remote("http://127.0.0.1:9/data.bin"), tmp_path)


def test_a_missing_file_is_named_with_its_host(tmp_path: Path, server: Server) -> None:
    server.ranges = True
    Handler.do_GET, original = lambda handler: handler.send_error(404), Handler.do_GET  # type: ignore[method-assign]
    try:
        with pytest.raises(FileError, match=r"got 127\.0\.0\.1:\d+: Not Found; check the connection"):
            download.fetch(remote(server.url), tmp_path)
    finally:
        Handler.do_GET = original  # type: ignore[method-assign]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, server: Server) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"file/x' must take the file 'data\.bin'; got: Not a directory; free some"):
        download.fetch(remote(server.url), tmp_path / "file" / "x")


def test_a_full_disk_keeps_what_was_written(tmp_path: Path, server: Server) -> None:
    def full(name: str, done: int, size: int) -> None:
        if done > 500_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(FileError, match="got: No space left on device; free some space there, or set PELLUCID_DATA"):
        download.fetch(remote(server.url), tmp_path, full)
    kept = (tmp_path / "data.bin.part").read_bytes()
    assert kept == CONTENTS[: len(kept)] != b""


def test_an_interrupt_keeps_what_was_written(tmp_path: Path, server: Server) -> None:
    def interrupt(name: str, done: int, size: int) -> None:
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.fetch(remote(server.url), tmp_path, interrupt)
    kept = (tmp_path / "data.bin.part").stat().st_size
    assert kept > 500_000
    assert download.fetch(remote(server.url), tmp_path).read_bytes() == CONTENTS
    assert server.requests == ["bytes=0-", f"bytes={kept}-"]
