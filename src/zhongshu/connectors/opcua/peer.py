"""The devices' side of one OPC UA connection: a real server whose variables the twin publishes and whose methods it answers."""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AttributeService
from asyncua.server.binary_server_asyncio import BinaryServer
from asyncua.server.internal_server import InternalServer
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager

from zhongshu.connectors.opcua import codec, space, trust
from zhongshu.connectors.opcua.commands import METHODS
from zhongshu.connectors.opcua.config import Settings, read_settings
from zhongshu.connectors.opcua.lane import LaneService, Variable
from zhongshu.kernel.clock import Clock
from zhongshu.kernel.ports import Peer, PlantSide
from zhongshu.model.batch import GOOD, Bytes, Floats, Int64s
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import Connection, Plant, Unit

log = logging.getLogger(__name__)

#: What a write that the plant refuses is answered with; anything else is out of range.
_REFUSALS = {
    Result.WRONG_MODE: ua.StatusCodes.BadUserAccessDenied,
    Result.BUSY: ua.StatusCodes.BadInvalidState,
    Result.NOT_READY: ua.StatusCodes.BadInvalidState,
    Result.NOT_CAPABLE: ua.StatusCodes.BadNotSupported,
}
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
_ADMIN = User(role=UserRole.Admin)
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def peer(
    plant: Plant,
    connection: Connection,
    units: Sequence[Unit],
    clock: Clock,
    plant_side: PlantSide,
    secrets: Path,
) -> Peer:
    """The server of one connection. Raises SettingsError; refuses to listen anywhere but on the loopback."""
    settings = read_settings(connection.id, connection.settings)
    return OpcUaPeer(
        connection.id, settings, units, clock, plant_side, secrets, f"urn:zhongshu:{plant.id}:{connection.id}"
    )


class OpcUaPeer:
    """A server that can be restarted (everything volatile lost) and cut (nothing lost but the wire)."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        units: Sequence[Unit],
        clock: Clock,
        plant_side: PlantSide,
        secrets: Path,
        uri: str,
    ) -> None:
        if settings.host not in _LOOPBACK:
            raise ValueError(f"{name}: the server listens on the loopback only, not on {settings.host}")
        self._name, self._settings, self._clock, self._uri = name, settings, clock, uri
        self._units, self._plant_side, self._secrets = tuple(units), plant_side, secrets
        self._uris = space.namespace_uris(units)
        # The standard has 0, the server's own URI 1; ours follow in this order.
        self._namespaces = {uri: n for n, uri in enumerate(self._uris, start=2)}
        self._variables = [
            Variable(codec.node_id(str(p.address.get("node", "")), self._namespaces), u.id, p)
            for u in units
            for p in u.points
        ]
        self._listener: socket.socket | None = None
        self._server: _PlantServer | None = None

    @property
    def sessions(self) -> int:
        """Sessions that the server holds, alive or waiting to be resumed."""
        return len(self._server.iserver._external_sessions) if self._server else 0

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        if self._listener is None:
            family = socket.AF_INET6 if self._settings.host == "::1" else socket.AF_INET
            self._listener = socket.create_server(
                (self._settings.host, self._settings.port), family=family, backlog=64
            )
        await self._serve()

    async def _serve(self) -> None:
        listener = self._listener
        if listener is None:
            return
        iserver = InternalServer(user_manager=_Users(self._settings, self._secrets))
        by_node = {v.node: v for v in self._variables}
        for variable in self._variables:
            variable.items.clear()
            variable.shown = variable.sampled  # what was written but never taken over is volatile
        server = _PlantServer(iserver, listener)
        await server.prepare(self._settings.endpoint, self._uri, self._name, self._uris)
        iserver.subscription_service = LaneService(iserver.aspace, iserver, by_node)
        iserver.isession.subscription_service = iserver.subscription_service
        iserver.attribute_service = _PlantAttributes(iserver, by_node, self._clock, self._plant_side)
        space.add_units(
            iserver.aspace,
            iserver.node_mgt_service,
            self._units,
            self._variables,
            self._namespaces,
            self._method,
        )
        await self._secure(server)
        await server.start()
        self._server = server

    async def _secure(self, server: _PlantServer) -> None:
        if self._settings.security == "None":
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
            return
        own = trust.identity(self._secrets, f"server-{self._name}", self._uri, self._clock.wall_ns())
        server.iserver.certificate, server.iserver.private_key = own.certificate, own.key
        server.set_security_policy(
            [ua.SecurityPolicyType[f"{self._settings.security}_{self._settings.mode}"]]
        )

    async def stop(self) -> None:
        """Close every session and free the port."""
        await self._end()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _end(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            for session in list(server.iserver._external_sessions.values()):
                await session.close_session(True)
            if (ticking := server.iserver.time_task) is not None:
                server.iserver.time_task = None  # asyncua would wait for its next tick, up to a second
                ticking.cancel()
                await asyncio.gather(ticking, return_exceptions=True)
            await server.stop()

    async def restart(self) -> None:
        """A device restart: sessions and subscriptions are gone, the last samples are shown again; the port stays ours."""
        await self._end()
        await self._serve()

    async def drop(self, seconds: float) -> None:
        """Cut every connection without a goodbye and every new one at once, for ``seconds`` of wall time.

        Sessions, subscriptions and their queues live on, as they do in a device behind a broken cable.
        """
        server = self._server
        if server is None or server.bserver is None:
            return
        server.refuse(True)
        try:
            await asyncio.sleep(seconds)
        finally:
            server.refuse(False)

    def publish(self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes) -> None:
        """Make these samples available to readers and subscribers."""
        variables = self._variables
        for i, t, v, q in zip(index.tolist(), t_ns.tolist(), value.tolist(), quality.tolist(), strict=True):
            variables[i].publish(t, v, q)

    async def flush(self) -> None:
        """Nothing to do: every subscription delivers at its own publishing interval."""

    def _method(self, unit: Unit, verb: Verb) -> Callable[..., Any]:
        """What runs when a client calls this method of this unit."""
        names = [name for name, _ in METHODS[verb][1]]

        async def called(_parent: ua.NodeId, *given: ua.Variant) -> Any:
            if len(given) != len(names):
                code = (
                    ua.StatusCodes.BadArgumentsMissing
                    if len(given) < len(names)
                    else ua.StatusCodes.BadTooManyArguments
                )
                return ua.StatusCode(code)
            values = {name: v.Value for name, v in zip(names, given, strict=True)}
            if any(not isinstance(v, int) or isinstance(v, bool) for v in values.values()):
                return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
            key = values.pop("key")
            answer = await self._plant_side.called(Call(unit.id, verb, key, values))
            if answer.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT):
                return ua.StatusCode(ua.StatusCodes.BadTimeout)
            return [ua.Variant(ua.Int32(_result(answer)), ua.VariantType.Int32)]

        return called


def _result(answer: Answer) -> Result:
    if answer.outcome is Outcome.REFUSED and answer.result is Result.OK:
        return Result.PROTOCOL_ERROR
    return answer.result


class _PlantServer(Server):  # type: ignore[misc]
    """asyncua's server on a socket that stays ours, with the standard's nodes copied instead of built."""

    def __init__(self, iserver: InternalServer, listener: socket.socket) -> None:
        super().__init__(iserver=iserver)
        self._socket = listener

    async def prepare(self, endpoint: str, uri: str, name: str, uris: Sequence[str]) -> None:
        """Everything before the plant's own nodes: standard nodes, names, namespaces, limits."""
        self.iserver.aspace._nodes = space.StandardNodes()
        await self.iserver._address_space_fixes()
        await self.iserver.setup_nodes()
        await self.iserver.history_manager.init()
        self.iserver.max_unacked_messages_per_subscription = 200
        self.iserver.max_pending_activation_seconds = 10.0
        self.set_endpoint(endpoint)
        self.set_server_name(f"zhongshu {name}")
        await self.set_application_uri(uri)
        await self.set_build_info(uri, "zhongshu", f"zhongshu {name}", "1", "1", _BUILT)
        array = self.get_node(ua.NodeId(ua.ObjectIds.Server_NamespaceArray))
        await array.write_value(["http://opcfoundation.org/UA/", uri, *uris])
        await self.get_node(ua.NodeId(ua.ObjectIds.Server_ServiceLevel)).write_value(
            ua.Variant(255, ua.VariantType.Byte)
        )

    async def start(self) -> None:
        """Listen on the socket that is bound already."""
        await self._setup_server_nodes()
        await self.iserver.start()
        self.bserver = _Doorway(
            self.iserver, self.endpoint.hostname or "", self.endpoint.port or 0, self.limits
        )
        self.bserver.listener = self._socket
        self.bserver.set_policies(self._policies)
        await self.bserver.start()

    def refuse(self, refusing: bool) -> None:
        """Cut everybody off, or let them in again."""
        assert isinstance(self.bserver, _Doorway)
        self.bserver.refusing = refusing
        if refusing:
            for client in list(self.bserver.clients):
                if client.transport is not None:
                    client.transport.abort()


class _Doorway(BinaryServer):  # type: ignore[misc]
    """Accepts connections, or resets each at once while the wire is cut."""

    listener: socket.socket
    refusing = False

    def _make_protocol(self) -> Any:
        return _Reset() if self.refusing else super()._make_protocol()

    async def start(self) -> None:
        """Accept on a copy of the bound socket, so that closing does not give the port away."""
        loop = asyncio.get_running_loop()
        self._server: asyncio.Server | None = await loop.create_server(
            self._make_protocol, sock=self.listener.dup()
        )
        self.cleanup_task = asyncio.create_task(self._close_task_loop())

    async def stop(self) -> None:
        """Close the door before those inside, so that nobody slips into a server that is on its way out."""
        self.refusing = True
        if self._server is not None:
            self._server.close()
            self._server = None
        await super().stop()


class _Reset(asyncio.Protocol):
    """A connection that is cut before a word is said."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Reset it."""
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class _PlantAttributes(AttributeService):  # type: ignore[misc]
    """Writes to our variables are put to the plant first; what it refuses does not change the value."""

    def __init__(
        self,
        server: InternalServer,
        variables: dict[ua.NodeId, Variable],
        clock: Clock,
        plant_side: PlantSide,
    ) -> None:
        super().__init__(server.aspace)
        self._variables, self._clock, self._plant_side = variables, clock, plant_side

    async def write(self, params: ua.WriteParameters, user: User | None = None) -> list[ua.StatusCode]:
        """One status for each value."""
        statuses: list[ua.StatusCode] = []
        for wanted in params.NodesToWrite:
            variable = self._variables.get(wanted.NodeId)
            if variable is None:
                statuses += await super().write(
                    ua.WriteParameters(NodesToWrite=[wanted]), user or User(role=UserRole.Admin)
                )
            elif wanted.AttributeId != ua.AttributeIds.Value:
                statuses.append(ua.StatusCode(ua.StatusCodes.BadNotWritable))
            else:
                statuses.append(ua.StatusCode(await self._written(variable, wanted.Value)))
        return statuses

    async def _written(self, variable: Variable, given: ua.DataValue) -> int:
        if not variable.point.writable:
            return ua.StatusCodes.BadNotWritable
        variant = given.Value
        if (
            variant is None
            or variant.VariantType != variable.kind
            or not isinstance(variant.Value, bool | int | float)
        ):
            return ua.StatusCodes.BadTypeMismatch
        value = float(variant.Value)
        answer = await self._plant_side.written(variable.unit, variable.point.name, value)
        if answer.outcome is Outcome.ACCEPTED:
            # Readable at once; the plant counts and publishes it as a sample at its next tick.
            variable.shown = (self._clock.now_ns(), value, GOOD)
            return ua.StatusCodes.Good
        if answer.outcome is Outcome.REFUSED:
            return _REFUSALS.get(answer.result, ua.StatusCodes.BadOutOfRange)
        return ua.StatusCodes.BadTimeout


class _Users(UserManager):  # type: ignore[misc]
    """Lets in whoever the connection's settings name: that user with that password, a certificate, or anybody."""

    def __init__(self, settings: Settings, secrets: Path) -> None:
        self._settings, self._secrets = settings, secrets

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """A user that may read, write and call, or None."""
        allowed = User(role=UserRole.User, name=username)
        if not self._settings.user:
            return allowed
        try:
            known = self._settings.password(self._secrets)
        except OSError:
            return None
        right = username == self._settings.user and hmac.compare_digest(
            (password or "").encode(), known.encode()
        )
        return allowed if right else None
