"""Who may come in: every request passes here first, from the socket to the pages, the API and the live channel.

The control room listens on loopback, where the danger is not a stranger on the network but a foreign web page in the
same browser: it may rebind a name to 127.0.0.1, post forms, or open WebSockets. So the Host must be ours, whoever changes
something must hold the API token or a session of ours together with our Origin, and a WebSocket needs Origin and session.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhongshu.kernel.config import write_private
from zhongshu.web.words import words

NAMES = ("127.0.0.1", "localhost", "[::1]")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: Closing code of a WebSocket that may not come in.
FORBIDDEN = 4403
#: The longest body that is read; an order has some hundred bytes.
BODY_MAX = 1_000_000
#: NiceGUI brings inline scripts and compiles templates; nothing may come from, or go to, another host.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class Gate:
    """Names, sessions and the API token of one control room on ``port``."""

    def __init__(self, secrets_dir: Path, port: int) -> None:
        self.token = _kept(secrets_dir / "api.token")
        self._key = _kept(secrets_dir / "web.key").encode()
        self._hosts = frozenset(f"{name}:{port}" for name in NAMES)
        # Cookies know no ports: two brains on one machine must not take each other's sessions away.
        self.cookie = f"zs_session_{port}"

    def host_ok(self, headers: Headers) -> bool:
        """True if the request names this control room, not a name that was pointed at it."""
        return headers.get("host", "").lower() in self._hosts

    def origin_ok(self, headers: Headers) -> bool:
        """True if a page of ours asks, on the very host it came from."""
        origin = urlsplit(headers.get("origin", ""))
        return origin.scheme == "http" and origin.netloc.lower() == headers.get("host", "").lower()

    def new_session(self) -> str:
        """A fresh session for a cookie: random, signed with a key that never leaves the data directory."""
        name = secrets.token_urlsafe(18)
        return f"{name}.{self._signature(name)}"

    def session_ok(self, headers: Headers) -> bool:
        """True if the request carries a session that this control room signed."""
        jar: SimpleCookie = SimpleCookie()
        try:
            jar.load(headers.get("cookie", ""))
        except CookieError:
            return False
        name, _, signature = (jar[self.cookie].value if self.cookie in jar else "").rpartition(".")
        return bool(name) and hmac.compare_digest(signature.encode(), self._signature(name).encode())

    def token_ok(self, headers: Headers) -> bool:
        """True if the request carries the API token."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self.token.encode())

    def may_change(self, headers: Headers) -> bool:
        """True if whoever asks may change something."""
        return self.token_ok(headers) or (self.session_ok(headers) and self.origin_ok(headers))

    def may_watch(self, headers: Headers) -> bool:
        """True if whoever opens a WebSocket is a page of ours."""
        return self.host_ok(headers) and self.origin_ok(headers) and self.session_ok(headers)

    def _signature(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()


class Guarded:
    """The ASGI application behind the gate."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app, self._gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, or answer 403 (HTTP) or close with 4403 (WebSocket)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["type"] == "websocket":
            if self._gate.may_watch(headers):
                await self._app(scope, receive, send)
            else:
                await _close(receive, send)
            return
        problem = self._problem(scope, headers)
        if problem:
            await JSONResponse({"detail": words().text(problem, "en")}, 403)(scope, receive, send)
            return
        if not _short_enough(headers):
            told = words().text("error.too-large", "en", limit=BODY_MAX)
            await JSONResponse({"detail": told}, 413)(scope, receive, send)
            return
        await self._app(scope, receive, self._stamped(headers, send))

    def _problem(self, scope: Scope, headers: Headers) -> str:
        if not self._gate.host_ok(headers):
            return "error.host"
        if scope["method"] not in SAFE and not self._gate.may_change(headers):
            return "error.not-allowed"
        return ""

    def _stamped(self, asked: Headers, send: Send) -> Send:
        """Add the security headers, and a session to a page for a browser that has none."""

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                if headers.get("content-type", "").startswith("text/html"):
                    headers["Content-Security-Policy"] = POLICY
                    if not self._gate.session_ok(asked):
                        session = f"{self._gate.cookie}={self._gate.new_session()}"
                        headers.append("Set-Cookie", f"{session}; Path=/; HttpOnly; SameSite=Strict")
            await send(message)

        return stamped


def _short_enough(headers: Headers) -> bool:
    """True if the body's length is told and within the limit; the server reads no more than was told."""
    told = headers.get("content-length", "0")
    return "transfer-encoding" not in headers and told.isdecimal() and int(told) <= BODY_MAX


async def _close(receive: Receive, send: Send) -> None:
    """A close code reaches the browser only after the handshake, so accept and close at once."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": FORBIDDEN, "reason": "forbidden"})


def _kept(path: Path) -> str:
    """The secret of a file, made at first start, readable by this user only."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="utf-8").strip()
