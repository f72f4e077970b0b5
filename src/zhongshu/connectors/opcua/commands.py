"""Takes one write or one request to an OPC UA server and brings back what is known of it, in words and codes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from asyncua import ua

from zhongshu.connectors.opcua import codec
from zhongshu.connectors.opcua.session import Session
from zhongshu.connectors.opcua.words import Words
from zhongshu.kernel.clock import Clock
from zhongshu.model.commands import Answer, Call, Outcome, Result, Verb
from zhongshu.model.plant import Point, Unit

#: Method and arguments (name, type) of each verb; the key always comes first, the result is one Int32.
METHODS: Mapping[Verb, tuple[str, tuple[tuple[str, ua.VariantType], ...]]] = {
    Verb.START_JOB: (
        "StartJob",
        (
            ("key", ua.VariantType.Int64),
            ("lot", ua.VariantType.Int64),
            ("product", ua.VariantType.Int32),
            ("operation", ua.VariantType.Int32),
            ("quantity", ua.VariantType.Int32),
        ),
    ),
    Verb.STOP: ("Stop", (("key", ua.VariantType.Int64),)),
    Verb.RESET: ("Reset", (("key", ua.VariantType.Int64),)),
    Verb.HOLD: ("Hold", (("key", ua.VariantType.Int64),)),
    Verb.UNHOLD: ("Unhold", (("key", ua.VariantType.Int64),)),
    Verb.ABORT_JOB: ("AbortJob", (("key", ua.VariantType.Int64),)),
}
#: Codes that leave open whether the server's device did it: a gateway that got no answer, an error midway.
AMBIGUOUS = {
    ua.StatusCodes.BadTimeout,
    ua.StatusCodes.BadRequestTimeout,
    ua.StatusCodes.BadCommunicationError,
    ua.StatusCodes.BadConnectionClosed,
    ua.StatusCodes.BadRequestInterrupted,
    ua.StatusCodes.BadUnknownResponse,
    ua.StatusCodes.BadInternalError,
    ua.StatusCodes.BadUnexpectedError,
    ua.StatusCodes.BadShutdown,
}
#: A device may take a scan or two before a written value can be read back.
READ_BACK_S = 1.0
_READ_BACK_STEP_S = 0.05


class Commands:
    """Writes and calls on one session; data types are read once and kept for as long as the session lives."""

    def __init__(self, session: Session, clock: Clock, words: Words, timeout_s: float) -> None:
        self._session, self._clock, self._words, self._timeout_s = session, clock, words, timeout_s
        self._kinds: dict[ua.NodeId, ua.VariantType] = {}

    async def write(self, point: Point, value: float) -> Answer:
        """Write one value and read it back."""
        try:
            node = codec.node_id(str(point.address.get("node", "")), self._session.namespaces)
            kind = await self._kind(node)
            content = codec.native(kind, value)
        except codec.NotRepresentable as error:
            return self._answer(Outcome.REFUSED, Result.BAD_ARGUMENT, "write.not_representable", detail=error)
        except ua.UaStatusCodeError as error:
            return self._answer(
                Outcome.REFUSED, Result.PROTOCOL_ERROR, "write.refused", detail=codec.name_of(error.code)
            )
        except ValueError as error:
            return self._answer(Outcome.REFUSED, Result.PROTOCOL_ERROR, "write.refused", detail=error)
        except (OSError, TimeoutError, ua.UaError):
            return self._answer(Outcome.NOT_SENT, Result.OK, "write.no_connection")  # only read so far
        request = ua.WriteRequest()
        request.Parameters.NodesToWrite = [_write_value(node, ua.Variant(content, kind))]
        try:
            async with asyncio.timeout(self._timeout_s):
                status = (await self._session.ask(request, ua.WriteResponse)).Results[0]
                if status.is_bad():
                    return self._bad(status.value)
                return await self._read_back(node, kind, float(content))
        except Exception as error:  # noqa: BLE001 - whatever happened after sending, the effect is unknown
            return self._unknown(error)

    async def call(self, unit: Unit, call: Call) -> Answer:
        """Call the unit's method and judge its Int32 result."""
        if call.verb not in METHODS:
            return self._answer(
                Outcome.REFUSED, Result.UNKNOWN_VERB, "call.unknown_verb", verb=call.verb.name
            )
        method, signature = METHODS[call.verb]
        arguments: list[ua.Variant] = []
        for name, kind in signature:
            given = call.key if name == "key" else call.args.get(name)
            try:
                arguments.append(ua.Variant(codec.native(kind, _number(given)), kind))
            except ValueError as error:
                return self._answer(
                    Outcome.REFUSED,
                    Result.BAD_ARGUMENT,
                    "call.bad_argument",
                    name=name,
                    kind=kind.name,
                    detail=error,
                )
        request = ua.CallRequest()
        try:
            text = str(unit.address.get("node", ""))
            one = ua.CallMethodRequest(
                ObjectId=codec.node_id(text, self._session.namespaces),
                MethodId=codec.node_id(f"{text}.{method}", self._session.namespaces),
                InputArguments=arguments,
            )
        except ValueError as error:
            return self._answer(Outcome.REFUSED, Result.PROTOCOL_ERROR, "write.refused", detail=error)
        request.Parameters.MethodsToCall = [one]
        try:
            async with asyncio.timeout(self._timeout_s):
                outcome = (await self._session.ask(request, ua.CallResponse)).Results[0]
        except Exception as error:  # noqa: BLE001 - whatever happened after sending, the effect is unknown
            return self._unknown(error)
        return self._judge(outcome)

    def _judge(self, outcome: ua.CallMethodResult) -> Answer:
        if outcome.StatusCode.is_bad():
            return self._bad(outcome.StatusCode.value)
        value = outcome.OutputArguments[0].Value if outcome.OutputArguments else None
        if not isinstance(value, int) or isinstance(value, bool):
            return self._answer(Outcome.UNKNOWN, Result.PROTOCOL_ERROR, "call.no_result", detail=value)
        try:
            result = Result(value)
        except ValueError:
            return self._answer(Outcome.REFUSED, Result.PROTOCOL_ERROR, "call.result", answer=value)
        if result is not Result.OK:
            return self._answer(Outcome.REFUSED, result, "call.result", answer=result.name)
        return Answer(Outcome.ACCEPTED, Result.OK, "", self._clock.now_ns())

    async def _kind(self, node: ua.NodeId) -> ua.VariantType:
        """The type to write a node with: its data type if that is built in, else the type of its value (enumerations)."""
        if node in self._kinds:
            return self._kinds[node]
        declared = (await self._session.read([node], ua.AttributeIds.DataType))[0]
        if declared.StatusCode is not None:
            declared.StatusCode.check()
        data_type = declared.Value.Value if declared.Value is not None else None
        kind = ua.VariantType.Int32  # what OPC UA writes enumerations as
        if (
            isinstance(data_type, ua.NodeId)
            and data_type.NamespaceIndex == 0
            and data_type.Identifier in range(1, 26)
        ):
            kind = ua.VariantType(data_type.Identifier)
        else:
            value = (await self._session.read([node]))[0].Value
            if value is not None and value.VariantType != ua.VariantType.Null:
                kind = value.VariantType
        self._kinds[node] = kind
        return kind

    async def _read_back(self, node: ua.NodeId, kind: ua.VariantType, written: float) -> Answer:
        """Accepted only if the device shows the value; it may need a moment to take it over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + min(READ_BACK_S, self._timeout_s / 2)
        while True:
            shown = (await self._session.read([node]))[0]
            read = shown.Value.Value if shown.Value is not None else None
            if shown.StatusCode is not None and shown.StatusCode.is_bad():
                read = codec.name_of(shown.StatusCode.value)
            if codec.same(kind, written, read):
                return Answer(Outcome.ACCEPTED, Result.OK, "", self._clock.now_ns())
            if loop.time() >= until:
                return self._answer(
                    Outcome.REFUSED, Result.READ_BACK_DIFFERS, "write.read_back", written=written, read=read
                )
            await asyncio.sleep(_READ_BACK_STEP_S)

    def _bad(self, code: int) -> Answer:
        name = codec.name_of(code)
        if code in AMBIGUOUS:
            return self._answer(Outcome.UNKNOWN, Result.PROTOCOL_ERROR, "call.ambiguous", detail=name)
        return self._answer(Outcome.REFUSED, Result.PROTOCOL_ERROR, "write.refused", detail=name)

    def _unknown(self, error: Exception) -> Answer:
        if isinstance(error, ua.UaStatusCodeError):
            return self._bad(error.code)  # the service as a whole was answered with a fault
        if isinstance(error, TimeoutError):
            return self._answer(Outcome.UNKNOWN, Result.OK, "write.no_answer", seconds=self._timeout_s)
        detail = str(error) or type(error).__name__
        return self._answer(Outcome.UNKNOWN, Result.OK, "write.broken", detail=detail)

    def _answer(self, outcome: Outcome, result: Result, key: str, **values: Any) -> Answer:
        return Answer(outcome, result, self._words(key, **values), self._clock.now_ns())


def _write_value(node: ua.NodeId, variant: ua.Variant) -> ua.WriteValue:
    """Only the value: many servers refuse a write that brings its own status or time."""
    value = ua.DataValue(variant, StatusCode=None)
    return ua.WriteValue(NodeId=node, AttributeId=ua.AttributeIds.Value, Value=value)


def _number(given: object) -> float:
    if isinstance(given, bool | int | float):
        return given
    raise codec.NotRepresentable(f"{given!r} is no number")
