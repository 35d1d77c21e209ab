"""The application over HTTP: questions, refusals, limits, uploads."""

import asyncio
import io
from pathlib import Path

import httpx
import pytest
from PIL import Image

from pellucid.studio import server
from pellucid.studio.guard import Door, Guard
from pellucid.studio.pages import Pages
from pellucid.studio.server import create_app
from pellucid.studio.studio import Studio
from pellucid.studio.uploads import Uploads
from tests.studio.served import write_page
from tests.studio.standin import OPEN, ORIGIN, PORT, TOKEN, Gate, ask, room
from tests.studio.test_uploads import picture

__all__ = ["room"]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture
def app(room: Gate, studio: Studio, tmp_path: Path) -> Guard:
    return create_app(studio, Door(TOKEN, PORT), Pages(write_page(tmp_path / "page")))


def test_a_question_over_http(app: Guard) -> None:
    quick, slow = (ask(app, "POST", f"/api/standin/{name}", json={"word": "é"}) for name in ("echo", "slow"))

    assert (quick.status_code, quick.json()) == (200, {"word": "é"})
    assert slow.json()["words"][0] == "é"
    assert slow.json()["words"][1].startswith("studio-")


@pytest.mark.parametrize(
    ("path", "settings", "status", "error"),
    [
        ("standin/refuse", {"json": {"word": "x"}}, 422, "The word must be short; got 'x'."),
        ("standin/crash", {"json": {"word": "x"}}, 500, "Something went wrong inside Pellucid (ZeroDivisionError)"),
        ("standin/exhaust", {"json": {"word": "x"}}, 422, "There is not enough memory"),
        ("standin/echo", {"json": {"word": 5}}, 422, "The 'word' of standin.echo is not right"),
        ("standin/echo", {"content": b"null"}, 422, "The question standin.echo is not right"),
        ("standin/echo", {"content": b"{"}, 422, "The request is not right: its body"),
        ("standin/echo", {"content": b"[" * 100_000}, 400, "There was an error"),
        ("standin/echo", {"content": b"\xff\xfe"}, 422, "The request is not right"),
        ("standin/echo", {}, 422, "The request is not right: its body: Field required"),
        ("standin/echo", {"data": {"word": "x"}}, 422, "A question must be sent as application/json"),
        ("standin/nonsense", {"json": {}}, 405, "Method Not Allowed"),
        ("uploads", {}, 422, "The request is not right: its query.name: Field required"),
    ],
)
def test_every_refusal_is_a_sentence(
    app: Guard, path: str, settings: dict[str, object], status: int, error: str
) -> None:
    headers = OPEN | ({"Content-Type": "application/json"} if "content" in settings else {})
    answer = ask(app, "POST", f"/api/{path}", headers, **settings)

    assert (answer.status_code, set(answer.json())) == (status, {"error"})
    assert answer.json()["error"].startswith(error)


def test_a_question_has_a_largest_size(app: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_BYTES", 1000)

    assert ask(app, "POST", "/api/standin/echo", json={"word": "x" * 900}).status_code == 200
    answer = ask(app, "POST", "/api/standin/echo", json={"word": "x" * 1000})
    assert answer.status_code == 413
    assert answer.json()["error"].startswith("A question must have at most")


def test_a_picture_goes_up_and_comes_back(app: Guard) -> None:
    kept = ask(app, "POST", "/api/uploads?name=a%20b.jpg", content=picture(kind="jpeg")).json()

    assert {name: kept[name] for name in ("kind", "name", "width", "height")} == {
        "kind": "image",
        "name": "a b.jpg",
        "width": 3,
        "height": 2,
    }
    back = ask(app, "GET", f"/api/uploads/{kept['id']}")
    assert back.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(back.content)).size == (3, 2)


@pytest.mark.parametrize("upload", ["nonsense", "..", "%2e%2e%2fx", "x" * 65])
def test_there_is_no_such_upload(app: Guard, upload: str) -> None:
    assert ask(app, "GET", f"/api/uploads/{upload}").status_code in (404, 422)


def test_an_upload_has_a_largest_size(app: Guard, studio: Studio) -> None:
    studio.uploads.most_bytes = 1000
    taken = []

    async def endless():  # type: ignore[no-untyped-def]
        while True:
            taken.append(1)
            yield b"x" * 100

    answer = ask(app, "POST", "/api/uploads?name=a.png", content=endless())

    assert answer.status_code == 413
    assert answer.json()["error"].startswith("An uploaded file must have at most")
    assert len(taken) < 20
    assert list(studio.uploads.folder.iterdir()) == []


def test_what_is_no_picture_is_refused(app: Guard, studio: Studio) -> None:
    answer = ask(app, "POST", "/api/uploads?name=a.png", content=b"nonsense")

    assert (answer.status_code, answer.json()["error"][:12]) == (422, "The file 'a.")
    assert list(studio.uploads.folder.iterdir()) == []


def test_checking_a_file_has_a_longest_time(
    app: Guard, room: Gate, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UPLOAD_SECONDS", 0.01)
    monkeypatch.setattr(Uploads, "adopt", lambda *_: room.open.wait(60))
    answer = ask(app, "POST", "/api/uploads?name=a.png", content=picture())
    room.open.set()

    assert (answer.status_code, answer.json()["error"][:15]) == (422, "Checking a file")
    assert list(studio.uploads.folder.iterdir()) == []


def test_a_file_that_comes_too_slowly_is_given_up(app: Guard, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ARRIVAL_SECONDS", 0.01)

    async def stuck():  # type: ignore[no-untyped-def]
        yield b"x"
        await asyncio.Event().wait()

    answer = ask(app, "POST", "/api/uploads?name=a.png", content=stuck())

    assert (answer.status_code, answer.json()["error"][:18]) == (408, "A file must arrive")
    assert list(studio.uploads.folder.iterdir()) == []


def test_a_full_disk_is_told(app: Guard, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio.uploads, "new_place", lambda: Path("/dev/full"))
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # the device stays
    answer = ask(app, "POST", "/api/uploads?name=a.png", content=b"x" * 2**20)

    assert answer.status_code == 422
    assert answer.json()["error"] == "The uploaded file cannot be kept: No space left on device; free some space."


def test_an_upload_that_is_cut_leaves_nothing_and_is_no_mistake(app: Guard, studio: Studio) -> None:
    incoming = [
        {"type": "http.request", "body": b"x" * 1000, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive():  # type: ignore[no-untyped-def]
        return incoming.pop(0)

    async def send(message: object) -> None:
        pass

    headers = [(name.lower().encode(), value.encode()) for name, value in OPEN.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/uploads",
        "query_string": b"name=a.png",
        "headers": headers,
    }
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]

    assert incoming == []
    assert list(studio.uploads.folder.iterdir()) == []


def test_only_a_few_files_arrive_at_a_time(app: Guard) -> None:
    arriving: list[int] = []
    go_on = asyncio.Event()

    async def one(client: httpx.AsyncClient, number: int) -> int:
        async def body():  # type: ignore[no-untyped-def]
            arriving.append(number)
            if len(arriving) == server.MOST_ARRIVING:
                go_on.set()
            await go_on.wait()
            crowd.append(len(arriving) - finished[0])
            yield picture()

        answer = await client.post("/api/uploads?name=a.png", headers=OPEN, content=body())
        finished[0] += 1
        return answer.status_code

    crowd: list[int] = []
    finished = [0]

    async def many() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
            return await asyncio.gather(*(one(client, number) for number in range(3 * server.MOST_ARRIVING)))

    assert asyncio.run(many()) == [200] * 3 * server.MOST_ARRIVING
    assert max(crowd) <= server.MOST_ARRIVING


def test_the_page_and_the_description_of_the_questions(app: Guard) -> None:
    assert "<title>Page" in ask(app, "GET", "/inspect").text
    assert ask(app, "HEAD", "/").status_code == 200
    described = ask(app, "GET", "/api/openapi.json").json()
    assert described["paths"]["/api/standin/slow"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(described["components"]["schemas"]) >= {"Word", "Words", "Kept", "Failure"}
    assert ask(app, "GET", "/docs").status_code == 404
