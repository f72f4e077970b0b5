"""JetStream's own requests, as JSON over the link: streams are looked at and made, consumers come and go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from zhongshu.kernel.bus import BusError
from zhongshu.kernel.nats_link import Link

ASK_S = 5.0
STREAM_NOT_FOUND = 10059
MESSAGE_TOO_LARGE = 10054


class ApiError(BusError):
    """JetStream refused; ``code`` is its own error code (``err_code``)."""

    def __init__(self, subject: str, error: Mapping[str, Any]) -> None:
        super().__init__(f"{subject}: {error.get('description', error)}")
        self.code = int(error.get("err_code", 0))


async def api(link: Link, request: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Ask ``$JS.API.<request>``; raises ApiError for a refusal, BusError for no answer within five seconds."""
    deadline_s = asyncio.get_running_loop().time() + ASK_S
    payload = json.dumps(body).encode() if body else b""
    reply = await link.ask(f"$JS.API.{request}", payload, deadline_s)
    return checked(request, reply.data)


def checked(subject: str, payload: bytes) -> dict[str, Any]:
    """A JSON reply of JetStream; raises ApiError where it holds an error, BusError where it is no JSON object."""
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise BusError(f"{subject}: the reply is no JSON") from error
    if not isinstance(answer, dict):
        raise BusError(f"{subject}: the reply is no JSON object")
    if "error" in answer:
        raise ApiError(subject, answer["error"])
    return answer


async def last_seq(link: Link, stream: str) -> int:
    """The newest sequence of a stream, 0 where nothing was stored yet."""
    return int((await api(link, f"STREAM.INFO.{stream}"))["state"]["last_seq"])
