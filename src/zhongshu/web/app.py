"""One ASGI application out of pages, API, assets and the live channel, behind the gate."""

from __future__ import annotations

from importlib import resources

from fastapi import FastAPI, WebSocket
from fastapi.exceptions import RequestValidationError
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from zhongshu import __version__
from zhongshu.kernel.store.signed import Refused
from zhongshu.web.api import (
    approvals,
    autonomy,
    commands,
    corrections,
    decisions,
    docs,
    doing,
    export,
    metrics,
    orders,
    plan,
    plant,
    points,
    rules,
    sensing,
    status,
)
from zhongshu.web.api.person import refused
from zhongshu.web.gate import Guarded
from zhongshu.web.live import Live
from zhongshu.web.pages import add_pages
from zhongshu.web.room import Room
from zhongshu.web.words import words

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ROUTERS = (
    status,
    plant,
    points,
    orders,
    corrections,
    commands,
    autonomy,
    approvals,
    decisions,
    doing,
    sensing,
    rules,
    plan,
    export,
    metrics,
    docs,
)


def build_app(room: Room, live: Live) -> ASGIApp:
    """The whole control room as one ASGI application."""
    app = FastAPI(
        title="zhongshu 中枢",
        version=__version__,
        description="Everything the pages of the control room do. Times ending in _ms are plant time.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # the usual pages load their scripts from another host
        redoc_url=None,
    )
    for module in ROUTERS:
        app.include_router(module.router(room))

    app.add_api_route("/api/{path:path}", _no_route, methods=list(METHODS), include_in_schema=False)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(Refused, refused)

    @app.websocket("/live")
    async def follow(socket: WebSocket) -> None:
        await live.serve(socket)

    assets = resources.files("zhongshu.web").joinpath("assets")
    app.mount("/assets", _Assets(directory=str(assets)), name="assets")
    add_pages(app, room)
    app.add_middleware(GZipMiddleware, minimum_size=800)
    return Guarded(app, room.gate)


async def _no_route(request: Request, path: str) -> JSONResponse:
    """A program that asks the API for what it has not shall read JSON, not a page."""
    told = words().text("error.no-route", "en", method=request.method, path=f"/api/{path}")
    return JSONResponse({"detail": told}, 404)


async def _not_understood(request: Request, error: Exception) -> JSONResponse:
    """What is wrong and where, without what was sent: it may be huge, or hold what JSON cannot say."""
    assert isinstance(error, RequestValidationError)  # it is registered for nothing else
    problems = [{name: problem[name] for name in ("type", "loc", "msg")} for problem in error.errors()]
    return JSONResponse({"detail": problems}, 422)


class _Assets(StaticFiles):
    """Scripts and styles: always asked about, seldom sent, so that an update is never half old."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be asked about again by its ETag."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
