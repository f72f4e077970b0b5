"""The brain's side of one OPC UA connection: subscribes, delivers to the sink, writes, calls, and comes back after any loss."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from asyncua import ua

from zhongshu.connectors.opcua.checking import check
from zhongshu.connectors.opcua.commands import Commands
from zhongshu.connectors.opcua.config import Settings, read_settings
from zhongshu.connectors.opcua.intake import Intake
from zhongshu.connectors.opcua.publishing import Lost, Publishing
from zhongshu.connectors.opcua.session import Refused, Session, honour_cancel
from zhongshu.connectors.opcua.subscribing import Watch, subscribe, watch
from zhongshu.connectors.opcua.words import Words, words_of
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Check, Connector, Sink
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import Connection, Plant

log = logging.getLogger(__name__)

FIRST_RETRY_S, LAST_RETRY_S = 0.2, 3.0
#: A connection that stood this long has earned a quick first retry again.
STEADY_S = 1.0
#: How often points that the server did not have are asked for again.
MEND_S = 15.0


def connector(plant: Plant, connection: Connection, clock: Clock, secrets: Path) -> Connector:
    """The connector of one connection. Raises SettingsError."""
    return OpcUaConnector(
        plant, connection, read_settings(connection.id, connection.settings), clock, secrets
    )


class OpcUaConnector:
    """Reader and Writer on one session. Client handles are indexes into ``self._points``."""

    def __init__(
        self, plant: Plant, connection: Connection, settings: Settings, clock: Clock, secrets: Path
    ) -> None:
        self._name, self._settings, self._clock, self._secrets = connection.id, settings, clock, secrets
        self._words: Words = words_of(plant.settings)
        self._uri = f"urn:zhongshu:{plant.id}"
        units = [u for u in plant.units if u.connection == connection.id]
        self._units = {u.id: u for u in units}
        self._points = [p for u in units for p in u.points]
        self._point_of = {p.id: p for p in self._points}
        self._intake = Intake(self._points)
        self._session: Session | None = None
        self._watch: Watch | None = None
        self._publishing: Publishing | None = None
        self._commands: Commands | None = None
        self._told_missing: set[int] = set()
        self._down = ""
        self._told_down = False
        self._lost_at = 0.0
        self._counts = {"connects": 0, "resumes": 0, "losses": 0, "attempts": 0}

    # --- Reader ---------------------------------------------------------------------------------------

    async def run(self, sink: Sink) -> None:
        """Read for ever; every loss is told once and mended with a back-off of at most three seconds."""
        loop = asyncio.get_running_loop()
        delay = FIRST_RETRY_S
        try:
            while True:
                honour_cancel()
                began = loop.time()
                try:
                    await self._live(sink)
                except asyncio.CancelledError:
                    raise
                except Exception as error:  # noqa: BLE001 - a server may answer anything; we try again for ever
                    await self._fallen(error, sink)
                delay = FIRST_RETRY_S if loop.time() - began > STEADY_S else min(LAST_RETRY_S, delay * 2)
                await asyncio.sleep(delay * random.uniform(0.7, 1.0))
        finally:
            self._commands = None
            if self._session is not None:
                await asyncio.shield(self._session.close())

    async def _live(self, sink: Sink) -> NoReturn:
        """One stretch of connection, ended by an exception."""
        self._counts["attempts"] += 1
        await self._attach()
        publishing = self._up(sink)
        mending = asyncio.create_task(self._mend())
        try:
            await publishing.run()
        finally:
            mending.cancel()
            await asyncio.gather(mending, return_exceptions=True)

    async def _attach(self) -> None:
        """Take up the old session, or open a new one and subscribe."""
        age_s = asyncio.get_running_loop().time() - self._lost_at
        if self._session is not None and self._session.resumable and age_s < self._settings.session_s:
            try:
                await self._session.resume()
            except ua.UaError:
                pass  # the server forgot it (a restart): a new one
            else:
                self._counts["resumes"] += 1
                return
        await self._leave()
        session = Session(self._name, self._settings, self._uri, self._clock, self._secrets, self._words)
        try:
            await session.start()
            made = await subscribe(session, self._settings)
            self._intake.resubscribed(range(len(self._points)))
            await watch(session, self._settings, made, self._points, range(len(self._points)))
        except BaseException:
            await asyncio.shield(session.close())
            raise
        self._session, self._watch = session, made
        self._publishing = None

    def _up(self, sink: Sink) -> Publishing:
        session, made = self._session, self._watch
        assert session is not None and made is not None
        self._commands = Commands(session, self._clock, self._words, self._settings.timeout_s)
        if self._publishing is None:
            self._publishing = Publishing(
                session,
                made,
                self._intake,
                sink,
                self._clock,
                self._words,
                self._settings.timeout_s,
                tuple(self._units),
            )
        self._counts["connects"] += 1
        log.info(
            "%s: connected to %s, %d of %d points",
            self._name,
            self._settings.endpoint,
            len(made.handles),
            len(self._points),
        )
        self._down, self._told_down = "", False
        sink.connected()
        self._tell_missing(made, sink)
        if made.short:
            log.warning(
                "%s: the server's queues are too short for %d points, samples may be lost",
                self._name,
                len(made.short),
            )
        return self._publishing

    def _tell_missing(self, made: Watch, sink: Sink) -> None:
        """Points that the server does not have turn Bad; said once, until they appear."""
        absent = sorted(made.missing)
        news = [h for h in absent if h not in self._told_missing]
        if absent:
            self._intake.report_bad(absent, self._clock.wall_ns(), sink)
        if news:
            some = ", ".join(f"{self._points[h].path} ({made.missing[h]})" for h in news[:5])
            log.warning("%s: %d points cannot be watched: %s", self._name, len(news), some)
        self._told_missing = set(absent)

    async def _mend(self) -> None:
        """Ask again for the points that were missing: a server may come up before its devices do."""
        while True:
            await asyncio.sleep(MEND_S)
            session, made = self._session, self._watch
            if session is None or made is None or not made.missing:
                continue
            before = set(made.missing)
            self._intake.resubscribed(before)
            try:
                await watch(session, self._settings, made, self._points, sorted(before))
            except (OSError, TimeoutError, ua.UaError):
                continue  # the loop that publishes sees the loss
            if found := before - set(made.missing):
                log.info("%s: %d points that were missing are there now", self._name, len(found))
                self._told_missing -= found

    async def _fallen(self, error: Exception, sink: Sink) -> None:
        """Tell of a loss once, and keep the session for a resume where the server may still hold it."""
        self._commands = None
        self._down = self._reason(error)
        if not self._told_down:
            self._told_down = True
            self._lost_at = asyncio.get_running_loop().time()
            self._counts["losses"] += 1
            log.warning("%s: connection lost: %s", self._name, self._down)
            sink.lost(self._down)
        if self._session is None:
            return
        if isinstance(error, Lost) and error.resumable:
            self._session.cut()
        elif isinstance(error, OSError | TimeoutError):
            self._session.cut()  # could not reach it for the resume; the session may still be there
        else:
            await self._leave()

    async def _leave(self) -> None:
        session, self._session, self._watch, self._publishing = self._session, None, None, None
        if session is not None:
            await session.close()

    def _reason(self, error: Exception) -> str:
        endpoint = self._settings.endpoint
        if isinstance(error, Lost | Refused):
            return error.reason
        if isinstance(error, TimeoutError):
            return self._words("lost.no_answer", endpoint=endpoint, seconds=self._settings.timeout_s)
        if isinstance(error, ua.UaStatusCodeError):
            return self._words("lost.refused", detail=ua.StatusCode(ua.UInt32(error.code)).name)
        if isinstance(error, OSError):
            return self._words(
                "lost.unreachable",
                endpoint=endpoint,
                detail=error.strerror or str(error) or type(error).__name__,
            )
        if not isinstance(error, ua.UaError):
            log.warning("%s: unexpected", self._name, exc_info=error)
        return self._words("lost.malformed", detail=str(error) or type(error).__name__)

    # --- Writer ---------------------------------------------------------------------------------------

    async def write(self, point: int, value: float) -> Answer:
        """Write one raw value in the node's own type and read it back."""
        if point not in self._point_of:
            return self._answer(Outcome.REFUSED, Result.BAD_ARGUMENT, "write.unknown_point", point=point)
        commands = self._ready()
        if commands is None:
            return self._answer(Outcome.NOT_SENT, Result.OK, "write.no_connection")
        return await commands.write(self._point_of[point], value)

    async def call(self, call: Call) -> Answer:
        """Call the unit's method; SET_PARAMETER is a write."""
        if call.verb is Verb.SET_PARAMETER:
            return await self.write(int(call.args["point"]), float(call.args["value"]))
        if call.unit not in self._units:
            return self._answer(Outcome.REFUSED, Result.BAD_ARGUMENT, "call.unknown_unit", unit=call.unit)
        commands = self._ready()
        if commands is None:
            return self._answer(Outcome.NOT_SENT, Result.OK, "write.no_connection")
        return await commands.call(self._units[call.unit], call)

    def _ready(self) -> Commands | None:
        return self._commands if self._session is not None and self._session.open else None

    def _answer(self, outcome: Outcome, result: Result, key: str, **values: Any) -> Answer:
        return Answer(outcome, result, self._words(key, **values), self._clock.now_ns())

    # --- for people -----------------------------------------------------------------------------------

    async def check(self) -> Check:
        """Connect on a session of its own, look at the server and at every point, leave; never raises."""
        session = Session(self._name, self._settings, self._uri, self._clock, self._secrets, self._words)
        return await check(
            session, self._name, self._settings, self._points, self._secrets, self._words, self._reason
        )

    def diagnostics(self) -> Mapping[str, Any]:
        """What support needs to know; no password, key or certificate is in it."""
        session, made, intake = self._session, self._watch, self._intake
        hidden = {"password_file", "certificate", "certificate_key", "user"}
        return {
            "protocol": "opcua",
            "connection": self._name,
            "settings": self._settings.model_dump(exclude=hidden),
            "login": "user"
            if self._settings.user
            else "certificate"
            if self._settings.certificate
            else "anonymous",
            "up": self._commands is not None,
            "last_reason": self._down,
            "server": dict(session.server) if session else {},
            "limits": dict(session.limits.stated) if session else {},
            "points": len(self._points),
            "watched": len(made.handles) if made else 0,
            "missing": {self._points[h].path: why for h, why in list(made.missing.items())[:50]}
            if made
            else {},
            "short_queues": len(made.short) if made else 0,
            "publishing_ms": made.publishing_ms if made else 0.0,
            "counts": {
                **self._counts,
                "delivered": intake.delivered,
                "doubles_dropped": intake.doubles,
                "overflows": intake.overflows,
                "waiting_ignored": intake.waiting,
                "unreadable": intake.unreadable,
                "republished": self._publishing.republished if self._publishing else 0,
                "sequence_gaps": self._publishing.gaps if self._publishing else 0,
            },
            "status_codes": dict(intake.codes),
        }
