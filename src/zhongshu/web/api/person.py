"""Who asks the API to change something: the name in the request, else the one that the person gave this browser."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse

from zhongshu.kernel.store.signed import Refused, Signed, Why
from zhongshu.web.room import Room

#: As the pages set it; percent-encoded.
PERSON_COOKIE = "zs_person"
STATUS = {Why.WRONG: 422, Why.MISSING: 404, Why.CONFLICT: 409}


def signed(room: Room, request: Request, by: str, note: str = "") -> Signed:
    """The name and the moment under a change; raises Refused where nobody is named."""
    name = by or unquote(request.cookies.get(PERSON_COOKIE, ""), errors="replace").strip()
    return Signed(name, room.clock.now_ns(), note)


async def refused(_request: Request, error: Exception) -> JSONResponse:
    """404, 409 or 422 with the reason: ``detail`` in English, ``error`` in both languages."""
    assert isinstance(error, Refused)  # it is registered for nothing else
    return JSONResponse({"detail": str(error), "error": error.both}, STATUS[error.why])
