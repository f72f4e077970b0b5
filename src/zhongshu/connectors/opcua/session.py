"""One session with an OPC UA server: from the settings to an activated session, taken up again after a cut, and closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asyncua import Client, ua
from asyncua.client.ua_client import UASocketProtocol
from asyncua.common.utils import Buffer
from asyncua.crypto import security_policies, uacrypto
from asyncua.ua.ua_binary import struct_from_binary
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from zhongshu.connectors.opcua import trust
from zhongshu.connectors.opcua.config import Settings
from zhongshu.connectors.opcua.words import Words
from zhongshu.kernel.clock import Clock

#: What a server is asked at most in one call when it names no limit of its own.
DEFAULT_BATCH = 1000
_LIMITS = {
    "read": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    "write": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite,
    "browse": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    "monitor": ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
}

# asyncua reports every cut with a traceback of its own; we say it once, in words. Whoever set a level keeps it.
if logging.getLogger("asyncua").level == logging.NOTSET:
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)


def honour_cancel() -> None:
    """End the running task if it was asked to: ``asyncio.wait_for``, on which asyncua rests, may swallow that in Python 3.11."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Refused(Exception):
    """The connection cannot be made as things stand; ``reason`` and ``remedy`` are words for people."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


@dataclass
class Limits:
    """What the server allows in one call; the numbers are already safe to use."""

    read: int = DEFAULT_BATCH
    write: int = DEFAULT_BATCH
    browse: int = DEFAULT_BATCH
    monitor: int = DEFAULT_BATCH
    stated: dict[str, int] = field(default_factory=dict)


class Session:
    """A session that may outlive its socket: ``resume`` puts it on a new one, so that the server's queues are not lost."""

    def __init__(
        self, name: str, settings: Settings, uri: str, clock: Clock, secrets: Path, words: Words
    ) -> None:
        self._name, self._settings, self._uri = name, settings, uri
        self._clock, self._secrets, self._words = clock, secrets, words
        self._client: Client | None = None
        self._renewal: asyncio.Task[None] | None = None
        self.namespaces: Mapping[str, int] = {}
        self.limits = Limits()
        self.server: dict[str, str] = {}

    @property
    def open(self) -> bool:
        """Whether a socket stands and a session is activated on it."""
        return self._client is not None and self._protocol is not None and not self._protocol.is_closed

    @property
    def resumable(self) -> bool:
        """Whether the server may still hold our session."""
        return self._client is not None and self._client.uaclient.has_session

    @property
    def _protocol(self) -> UASocketProtocol | None:
        return self._client.uaclient.protocol if self._client else None

    async def start(self) -> None:
        """Open a new session and learn namespaces and limits. Raises Refused, OSError, TimeoutError, UaError."""
        client = Client(self._settings.endpoint, timeout=self._settings.timeout_s)
        client.application_uri = self._uri
        client.name = client.description = f"zhongshu {self._name}"
        client.session_timeout = round(self._settings.session_s * 1000)
        self._login(client)
        await self._secure(client)
        self._client = client
        try:
            await self._channel(client)
            await client.create_session()
            await self._activate(client)
        except BaseException:
            self.cut()
            self._client = None
            raise
        self._renewal = asyncio.create_task(self._renew(client))
        await self._learn()

    async def resume(self) -> None:
        """Put the session that the server still holds on a new socket. Raises when it holds none any more."""
        client = self._client
        if client is None:
            raise ConnectionError("there is no session to resume")
        try:
            await self._channel(client)
            client.uaclient.session.rebind_authentication_token()
            await self._activate(client)
        except BaseException:
            self.cut()
            raise
        self._renewal = asyncio.create_task(self._renew(client))

    async def close(self) -> None:
        """Say goodbye, so that the server frees everything at once; never raises, never waits longer than a second."""
        client, self._client = self._client, None
        self._stop_renewal()
        if client is None:
            return
        try:
            if client.uaclient.protocol is not None and not client.uaclient.protocol.is_closed:
                async with asyncio.timeout(1.0):
                    await client.uaclient.close_session(True)
                    await client.close_secure_channel()
        except (OSError, TimeoutError, ua.UaError):
            pass  # it is gone already; its session ends by its own timeout
        finally:
            client.disconnect_socket()

    def cut(self) -> None:
        """Drop the socket, keep the session for ``resume``."""
        self._stop_renewal()
        if self._client is not None:
            self._client.disconnect_socket()

    async def request(self, request: Any, *, timeout_s: float | None = None) -> Buffer:
        """Send a service request; the answer's body after its header is checked. 0 waits for ever (Publish).

        Raises ConnectionError, TimeoutError, UaStatusCodeError.
        """
        protocol = self._protocol
        if protocol is None or protocol.is_closed:
            raise ConnectionError("the connection is closed")
        return await protocol.send_request(request, timeout_s)

    async def ask(self, request: Any, response: type[Any]) -> Any:
        """Send a service request and decode its answer; raises as ``request`` does."""
        body = await self.request(request)
        answer = struct_from_binary(response, body)
        answer.ResponseHeader.ServiceResult.check()
        return answer

    async def read(
        self, nodes: list[ua.NodeId], attribute: ua.AttributeIds = ua.AttributeIds.Value
    ) -> list[ua.DataValue]:
        """Read one attribute of many nodes, as many in one call as the server allows."""
        found: list[ua.DataValue] = []
        for at in range(0, len(nodes), self.limits.read):
            request = ua.ReadRequest()
            request.Parameters.NodesToRead = [
                ua.ReadValueId(NodeId=node, AttributeId=attribute)
                for node in nodes[at : at + self.limits.read]
            ]
            request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
            found += (await self.ask(request, ua.ReadResponse)).Results
        return found

    # --- how it is made -------------------------------------------------------------------------------

    async def _channel(self, client: Client) -> None:
        await client.connect_socket()
        await client.send_hello()
        await client.open_secure_channel()

    async def _activate(self, client: Client) -> None:
        password = self._password()
        await client.activate_session(
            username=self._settings.user or None,
            password=password or None,
            certificate=client.user_certificate,
        )

    def _password(self) -> str:
        try:
            return self._settings.password(self._secrets)
        except OSError as error:
            file = self._secrets / self._settings.password_file
            raise Refused(
                self._words("check.password_file", file=file, detail=error.strerror),
                self._words("check.password_remedy"),
            ) from error

    def _login(self, client: Client) -> None:
        """The user's certificate, where one is named."""
        if not self._settings.certificate:
            return
        raw = (self._secrets / self._settings.certificate).read_bytes()
        pem = raw.lstrip().startswith(b"-----")
        client.user_certificate = (
            x509.load_pem_x509_certificate(raw) if pem else x509.load_der_x509_certificate(raw)
        )
        key = (self._secrets / (self._settings.certificate_key or self._settings.certificate)).read_bytes()
        client.user_private_key = serialization.load_pem_private_key(key, None)

    async def _secure(self, client: Client) -> None:
        """Look at the server's certificate, trust it or not, and prepare the policy."""
        if self._settings.security == "None":
            return
        policy = getattr(security_policies, f"SecurityPolicy{self._settings.security}")
        mode = ua.MessageSecurityMode[self._settings.mode]
        offers = await client.connect_and_get_server_endpoints()
        offer = next(
            (o for o in offers if o.SecurityMode == mode and o.SecurityPolicyUri == policy.URI), None
        )
        if offer is None or not offer.ServerCertificate:
            offered = ", ".join(
                sorted({f"{o.SecurityPolicyUri.rpartition('#')[2]}/{o.SecurityMode.name}" for o in offers})
            )
            raise Refused(
                self._words(
                    "trust.no_endpoint", policy=self._settings.security, mode=mode.name, offered=offered
                ),
                self._words("trust.no_endpoint_remedy"),
            )
        certificate = uacrypto.x509_from_der(offer.ServerCertificate)
        self._trust(uacrypto.der_from_x509(certificate))
        own = trust.identity(self._secrets, "own", self._uri, self._clock.wall_ns())
        client.application_uri = own.uri
        client.security_policy = policy(certificate, own.certificate, own.key, mode)
        client.uaclient.set_security(client.security_policy)

    def _trust(self, certificate: bytes) -> None:
        """Compare the server's certificate with the one that was trusted. Raises Refused."""
        if self._settings.trust == "any":
            return
        seen, known = trust.fingerprint(certificate), trust.pinned(self._secrets, self._name)
        file = trust.pin_file(self._secrets, self._name)
        if known and known != seen:
            raise Refused(
                self._words("trust.mismatch", seen=seen, pinned=known),
                self._words("trust.mismatch_remedy", file=file),
            )
        if not known and self._settings.trust == "pinned":
            raise Refused(
                self._words("trust.unpinned", seen=seen), self._words("trust.unpinned_remedy", file=file)
            )
        if not known:
            trust.pin(self._secrets, self._name, seen)

    async def _learn(self) -> None:
        """Namespaces, limits and identity of the server; a server that hides its limits gets small calls."""
        nodes = [
            ua.ObjectIds.Server_NamespaceArray,
            ua.ObjectIds.Server_ServerStatus_BuildInfo,
            *_LIMITS.values(),
        ]
        self.limits = Limits(read=10)
        values = await self.read([ua.NodeId(n) for n in nodes])
        content = [v.Value.Value if v.Value is not None else None for v in values]
        self.namespaces = {uri: n for n, uri in enumerate(content[0] or ())}
        stated = {
            name: int(v) for name, v in zip(_LIMITS, content[2:], strict=True) if isinstance(v, int) and v > 0
        }
        safe = {name: min(stated.get(name, DEFAULT_BATCH), DEFAULT_BATCH) for name in _LIMITS}
        self.limits = Limits(**safe, stated=stated)
        build = content[1]
        if isinstance(build, ua.BuildInfo):
            self.server = {
                "product": str(build.ProductName or ""), "manufacturer": str(build.ManufacturerName or ""),
                "version": str(build.SoftwareVersion or ""), "uri": str(build.ProductUri or ""),
            }  # fmt: skip

    async def _renew(self, client: Client) -> None:
        """Renew the channel's keys after three quarters of their life, as OPC UA Part 4 asks."""
        while True:
            await asyncio.sleep(client.secure_channel_timeout * 0.75 / 1000)
            try:
                await client.open_secure_channel(renew=True)
                client.uaclient.revolve_security_token()
            except (OSError, TimeoutError, ua.UaError):
                client.disconnect_socket()  # whoever waits for an answer sees the loss
                return

    def _stop_renewal(self) -> None:
        if self._renewal is not None:
            self._renewal.cancel()
            self._renewal = None
