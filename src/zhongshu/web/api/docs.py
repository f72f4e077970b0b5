"""GET /api/docs and /api/words: the API explained from its own description, and the browser's texts."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from zhongshu.web.room import Room
from zhongshu.web.words import book

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>zhongshu API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/assets/css/base.css"><link rel="stylesheet" href="/assets/css/docs.css">
<script type="module" src="/assets/js/docs.js"></script></head>
<body class="docs"><main><h1>zhongshu 中枢 API</h1><div id="api"></div></main></body></html>
"""


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(prefix="/api", tags=["about"])

    @routes.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    async def docs() -> HTMLResponse:
        return HTMLResponse(PAGE)

    @routes.get("/words/{language}", summary="Every text of the control room in one language")
    async def texts(language: Literal["zh", "en"]) -> dict[str, str]:
        return book(language)

    return routes
