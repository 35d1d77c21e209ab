"""The studio's web application: the page, the questions over a WebSocket and as HTTP, the uploads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import SkipValidation
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from pellucid import __version__
from pellucid.errors import DataError, FileError, ParameterError, PellucidError
from pellucid.studio import answers
from pellucid.studio.guard import Door, Guard
from pellucid.studio.messages.uploads import Failure, Kept
from pellucid.studio.pages import Pages
from pellucid.studio.socket import Line
from pellucid.studio.studio import Studio
from pellucid.studio.uploads import too_large
from pellucid.studio.work import Desk, Workers, sentence, unforeseen

MOST_BYTES = 8 * 2**20
"""Of one question, over the socket or HTTP."""
UPLOADS = "/api/uploads"
UPLOAD_SECONDS = 60.0
"""That checking an uploaded file may take."""
ARRIVAL_SECONDS = 600.0
"""That a file may take to arrive."""
MOST_ARRIVING = 4
"""Files that arrive or are checked at a time; others wait, unread, or they could fill the disk together."""

_FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Failure, "description": text}
    for status, text in ((413, "It is too large."), (422, "There is no answer; why, stands in a sentence."))
}


def create_app(studio: Studio, door: Door, built: Pages) -> Guard:
    """Return the application, with the guard before it; FastAPI's own is its ``app.app``.

    When it ends, so does the studio.
    """
    workers = Workers()
    desk = Desk(studio, workers)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        preparing = asyncio.ensure_future(desk.prepare())
        yield
        preparing.cancel()
        workers.close()
        studio.close()

    app = FastAPI(
        title="Pellucid studio", version=__version__, openapi_url="/api/openapi.json", docs_url=None, redoc_url=None,
        lifespan=lifespan,
    )  # fmt: skip
    for question in answers.questions().values():
        _add_question(app, question, desk)
    _add_uploads(app, studio, workers)

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await Line(socket, desk).serve()

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request) -> Response:
        return built.answer(request)

    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(PellucidError, _failed)
    app.add_exception_handler(MemoryError, _failed)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _broke)
    return Guard(_Limited(app), door)


def _add_question(app: FastAPI, question: answers.Question, desk: Desk) -> None:
    async def ask(asked: Any) -> Response:
        if isinstance(asked, bytes):
            raise ParameterError("A question must be sent as application/json; got another type of content.")
        return Response(await desk.answer(question.name, asked), media_type="application/json")

    ask.__annotations__["asked"] = SkipValidation[question.asks]  # type: ignore[misc, name-defined]  # the desk does that
    app.post(
        f"/api/{question.name.replace('.', '/')}",
        name=question.name,
        description=question.answer.__doc__ or "",
        responses={200: {"model": question.tells}, **_FAILURES},
    )(ask)


def _add_uploads(app: FastAPI, studio: Studio, workers: Workers) -> None:
    body = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
    arriving = asyncio.Semaphore(MOST_ARRIVING)

    @app.post(UPLOADS, responses=_FAILURES, openapi_extra={"requestBody": body})
    async def upload(request: Request, name: Annotated[str, Query(max_length=300)]) -> Kept:
        """Keep a picture or a model; the body is the file."""
        place = studio.uploads.new_place()
        async with arriving:
            try:
                await _receive(request, place, studio.uploads.most_bytes)
                checking = workers.run(partial(studio.uploads.adopt, name, place))
                return await asyncio.wait_for(checking, UPLOAD_SECONDS)
            except TimeoutError:
                raise DataError(f"Checking a file must take at most {UPLOAD_SECONDS:g} s; use a smaller one.") from None
            finally:
                place.unlink(missing_ok=True)

    @app.get(UPLOADS + "/{id}", responses=_FAILURES | {200: {"content": {"image/png": {}}}}, response_class=Response)
    async def picture(id: Annotated[str, Path(max_length=64)]) -> Response:  # noqa: A002 - the name in the address
        """Return an uploaded picture, as PNG."""
        content = await workers.run(partial(studio.uploads.png, id))
        return Response(content, 200, {"Cache-Control": "private, max-age=31536000, immutable"}, "image/png")


async def _receive(request: Request, place: FilePath, most: int) -> None:
    """Write the body of a request to a file.

    Raises HTTPException when it grows too large or comes too slowly, FileError where it cannot be written.
    """
    left = most
    try:
        async with asyncio.timeout(ARRIVAL_SECONDS):
            with place.open("wb") as file:
                async for piece in request.stream():
                    left -= len(piece)
                    if left < 0:
                        raise HTTPException(413, str(too_large(most)))
                    file.write(piece)
    except TimeoutError:
        raise HTTPException(408, f"A file must arrive within {ARRIVAL_SECONDS:g} s; got a part of it.") from None
    except OSError as error:
        raise FileError(f"The uploaded file cannot be kept: {error.strerror or error}; free some space.") from None


class _Limited:
    """Stops reading the body of a question that grows too large; uploads have a limit of their own."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = MOST_BYTES

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"A question must have at most {MOST_BYTES // 2**20} MiB; got more.")
            return message

        is_question = scope["type"] == "http" and scope["path"] != UPLOADS
        await self.app(scope, limited if is_question else receive, send)


async def _unreadable(_: Request, error: Exception) -> Response:
    """Answer what FastAPI itself could not read: a question that is not JSON, an upload without a name."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"error": f"The request is not right: its {place}: {first['msg']}."}, 422)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code)


async def _failed(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": sentence(error)}, 422)


async def _gone(_: Request, error: Exception) -> Response:
    return Response(None, 400)  # which nobody hears


async def _broke(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": unforeseen(error)}, 500)
