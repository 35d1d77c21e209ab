"""The page's files: what is given, how it is packed and kept, and what never is."""

import gzip
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

import pellucid as pel
from pellucid.studio.answers import ROOMS
from pellucid.studio.pages import Pages
from tests.studio.served import write_page


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "secret.txt").write_text("secret")
    return Pages(write_page(tmp_path / "page"))


def get(pages: Pages, path: str, **headers: str) -> Response:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return pages.answer(Request({"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw}))


@pytest.mark.parametrize("path", ["/", *(f"/{room}" for room in ROOMS), "/lessons/3", "/stepper/"])
def test_every_room_is_the_page(pages: Pages, path: str) -> None:
    answer = get(pages, path)

    assert answer.status_code == 200
    assert b"<title>Page" in answer.body
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/nonsense", "/assets", "/assets/", "/../secret.txt", "/assets/../../secret.txt", "//etc/passwd", "/index.html\0"],
)
def test_nothing_else_is_given(pages: Pages, path: str) -> None:
    answer = get(pages, path)

    assert answer.status_code == 404
    assert b"secret" not in answer.body


def test_a_file_that_came_later_is_not_given(pages: Pages, tmp_path: Path) -> None:
    (tmp_path / "page" / "later.js").write_text("1")

    assert get(pages, "/later.js").status_code == 404


def test_a_file_that_is_gone_is_not_given(pages: Pages, tmp_path: Path) -> None:
    (tmp_path / "page" / "assets" / "a-12345678.js").unlink()

    assert get(pages, "/assets/a-12345678.js").status_code == 404


def test_files_with_a_hash_in_the_name_are_kept_for_good(pages: Pages) -> None:
    answer = get(pages, "/assets/a-12345678.js")

    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert get(pages, "/icon.svg").headers["cache-control"] == "no-cache"


def test_text_is_packed_for_those_who_can_unpack(pages: Pages) -> None:
    plain, packed = get(pages, "/assets/a-12345678.js"), get(pages, "/assets/a-12345678.js", accept_encoding="br, gzip")

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 5
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_what_a_browser_has_is_not_sent_again(pages: Pages) -> None:
    tag = get(pages, "/").headers["etag"]
    again, other = get(pages, "/", if_none_match=tag), get(pages, "/icon.svg", if_none_match=tag)

    assert (again.status_code, again.body, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


def test_a_page_that_was_not_built_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(pel.FileError, match=r"page must be built into '.*'; there is none"):
        Pages(tmp_path / "page")
