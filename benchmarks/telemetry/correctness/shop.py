"""The app that scenarios are played on: every way in which FastAPI lets people build routes and answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.background import BackgroundTask
from starlette.routing import Route, Router

from benchmarks.telemetry.driving import AsgiApp

PAUSE_SECONDS = 0.1
CHUNKS = 3
TASK_SECONDS = 1.0


class ShopError(Exception):
    """What the app itself raises."""


def shop() -> FastAPI:
    """A new app; `app.state.active` is asked for the requests in progress by `/active`."""
    app = FastAPI()
    app.include_router(_shops())
    app.include_router(_answers())
    tenant = FastAPI()
    tenant.include_router(_items(), prefix="/v1")

    @tenant.get("/orders/{order}")
    async def order(order: str) -> str:
        return order

    app.mount("/tenants/{tenant}", tenant)
    app.mount("/plain", Router(routes=[Route("/a/{b}", lambda _: PlainTextResponse("b"))]))
    app.mount("/files", PlainTextResponse("file"))
    return app


def _shops() -> APIRouter:
    shops = APIRouter(prefix="/shops/{shop}")
    shops.include_router(_items())
    return shops


def _items() -> APIRouter:
    items = APIRouter(prefix="/items")

    @items.get("/{item}")
    async def item(item: str) -> str:
        if item == "gone":
            raise HTTPException(404, "gone")
        return item

    return items


def _answers() -> APIRouter:
    answers = APIRouter()

    @answers.get("/boom")
    async def boom() -> None:
        raise ShopError("the shop's own")

    @answers.get("/half")
    async def half() -> StreamingResponse:
        return StreamingResponse(_broken_stream())

    @answers.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_stream(CHUNKS))

    @answers.get("/endless")
    async def endless() -> StreamingResponse:
        return StreamingResponse(_stream(1_000))

    @answers.get("/later")
    async def later() -> PlainTextResponse:
        return PlainTextResponse("soon", background=BackgroundTask(asyncio.sleep, TASK_SECONDS))

    @answers.post("/upload")
    async def upload(request: Request) -> int:
        return len(await request.body())

    @answers.get("/active")
    async def active(request: Request) -> float:
        in_progress: float = request.app.state.active()
        return in_progress

    return answers


async def _broken_stream() -> AsyncIterator[bytes]:
    yield b"half"
    raise ShopError("the shop's own")


async def _stream(chunks: int) -> AsyncIterator[bytes]:
    for _ in range(chunks):
        await asyncio.sleep(PAUSE_SECONDS)
        yield b"chunk"


class Refusing:
    """A middleware that lets nobody in."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Refuse, but let scrapes pass."""
        if scope["type"] == "http" and not scope["path"].startswith("/metrics"):
            await PlainTextResponse("who are you?", status_code=401)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Copying:
    """A middleware that hands on a copy of the scope, so nothing that the router notes there comes back."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand on a copy."""
        await self._app(dict(scope), receive, send)


def refuse_everybody(app: FastAPI) -> None:
    """Let a middleware answer in place of all routes."""
    app.add_middleware(Refusing)


def copy_scopes(app: FastAPI) -> None:
    """Let a middleware copy all scopes."""
    app.add_middleware(Copying)


def answer_exceptions_itself(app: FastAPI) -> None:
    """Let the app make an answer of its own from unhandled exceptions."""

    @app.exception_handler(Exception)
    async def apologize(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"sorry": True}, status_code=503)
