"""One ASGI application out of pages, API, assets and the live channel, behind the gate."""

from __future__ import annotations

from importlib import resources

from fastapi import FastAPI, WebSocket
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from zhongshu import __version__
from zhongshu.web.api import commands, docs, export, metrics, orders, plant, points, sensing, status
from zhongshu.web.gate import Guarded
from zhongshu.web.live import Live
from zhongshu.web.pages import add_pages
from zhongshu.web.room import Room

ROUTERS = (status, plant, points, orders, commands, sensing, export, metrics, docs)


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

    @app.websocket("/live")
    async def follow(socket: WebSocket) -> None:
        await live.serve(socket)

    assets = resources.files("zhongshu.web").joinpath("assets")
    app.mount("/assets", _Assets(directory=str(assets)), name="assets")
    add_pages(app, room)
    app.add_middleware(GZipMiddleware, minimum_size=800)
    return Guarded(app, room.gate)


class _Assets(StaticFiles):
    """Scripts and styles: always asked about, seldom sent, so that an update is never half old."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be asked about again by its ETag."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
