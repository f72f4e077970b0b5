"""The devices behind one peer: a request PDU of a master becomes an answer PDU, and writes become calls to the machines."""

from __future__ import annotations

import logging
import struct
from collections.abc import Sequence

import numpy as np
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsResponse,
    ReadDiscreteInputsResponse,
    WriteMultipleCoilsResponse,
    WriteSingleCoilResponse,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterResponse,
)

from zhongshu.connectors.modbus.frames import Refused
from zhongshu.connectors.modbus.registers import NoSuchRegister, Registers
from zhongshu.connectors.modbus.requests import Requests
from zhongshu.kernel.ports import PlantSide
from zhongshu.model.commands import Outcome

_log = logging.getLogger(__name__)

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, NO_TARGET = 1, 2, 3, 4, 11
_TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
_MOST = {1: 2000, 2: 2000, 3: 125, 4: 125, 15: 1968, 16: 123}
_ON, _OFF = 0xFF00, 0x0000


class Devices:
    """Answers FC 1–6, 15 and 16 for every unit of one connection."""

    def __init__(self, registers: Registers, requests: Requests, plant_side: PlantSide) -> None:
        self._registers, self._requests, self._plant_side = registers, requests, plant_side

    async def answer(self, unit_id: int, body: bytes) -> bytes:
        """The answer PDU to a request PDU; never raises for what a master sends."""
        function = body[0]
        try:
            if not self._registers.has_unit(unit_id):
                raise Refused(NO_TARGET)
            made = self._read(unit_id, body) if function in _TABLES else await self._write(unit_id, body)
        except Refused as refused:
            made = ExceptionResponse(function & 0x7F, refused.code)
        except NoSuchRegister:
            made = ExceptionResponse(function & 0x7F, ILLEGAL_ADDRESS)
        except (struct.error, IndexError):
            made = ExceptionResponse(function & 0x7F, ILLEGAL_VALUE)
        return bytes([made.function_code]) + made.encode()

    def _read(self, unit_id: int, body: bytes) -> ModbusPDU:
        function, start, count = struct.unpack(">BHH", body)
        _at_most(function, count)
        words = self._registers.read(unit_id, _TABLES[function], start, count).tolist()
        if function == 1:
            return ReadCoilsResponse(bits=[bool(w) for w in words])
        if function == 2:
            return ReadDiscreteInputsResponse(bits=[bool(w) for w in words])
        if function == 3:
            return ReadHoldingRegistersResponse(registers=words)
        return ReadInputRegistersResponse(registers=words)

    async def _write(self, unit_id: int, body: bytes) -> ModbusPDU:
        function = body[0]
        if function in (5, 6):
            _, start, word = struct.unpack(">BHH", body)
            if function == 6:
                await self._store(unit_id, "holding", start, [word])
                return WriteSingleRegisterResponse(address=start, registers=[word])
            if word not in (_ON, _OFF):
                raise Refused(ILLEGAL_VALUE)
            await self._store(unit_id, "coil", start, [int(word == _ON)])
            return WriteSingleCoilResponse(address=start, bits=[word == _ON])
        if function not in (15, 16):
            raise Refused(ILLEGAL_FUNCTION)
        start, count, size = struct.unpack_from(">HHB", body, 1)
        _at_most(function, count)
        content = body[6:]
        if len(content) != size or size != ((count + 7) // 8 if function == 15 else 2 * count):
            raise Refused(ILLEGAL_VALUE)
        if function == 15:
            bits = np.unpackbits(np.frombuffer(content, np.uint8), count=count, bitorder="little")
            await self._store(unit_id, "coil", start, bits.tolist())
            return WriteMultipleCoilsResponse(address=start, count=count)
        await self._store(unit_id, "holding", start, list(struct.unpack(f">{count}H", content)))
        return WriteMultipleRegistersResponse(address=start, count=count)

    async def _store(self, unit_id: int, table: str, start: int, words: Sequence[int]) -> None:
        """Hand set-points to the machines, then keep what they took; a request goes its own way once its registers stand."""
        registers = self._registers
        found = registers.points_in(unit_id, table, start, len(words))
        own = [i for i in found if self._requests.owns(i)]
        if any(not registers.points[i].writable for i in found if i not in own):
            raise Refused(ILLEGAL_ADDRESS)
        values = {i: registers.decode(i, start, words) for i in found}
        if not self._requests.sensible({i: values[i] for i in own}):
            raise Refused(ILLEGAL_VALUE)
        for i in found:
            if i not in own:
                await self._set(i, values[i])
                registers.put(i, start, words)
        for i in own:
            registers.put(i, start, words)
        self._requests.take({i: values[i] for i in own})

    async def _set(self, index: int, value: float) -> None:
        point = self._registers.points[index]
        if not np.isfinite(value):
            raise Refused(ILLEGAL_VALUE)
        try:
            answer = await self._plant_side.written(point.unit, point.name, value)
        except Exception as error:
            _log.exception("written(%s, %s)", point.unit, point.name)
            raise Refused(DEVICE_FAILURE) from error
        if answer.outcome is not Outcome.ACCEPTED:
            raise Refused(ILLEGAL_VALUE if answer.outcome is Outcome.REFUSED else DEVICE_FAILURE)


def _at_most(function: int, count: int) -> None:
    if not 1 <= count <= _MOST[function]:
        raise Refused(ILLEGAL_VALUE)
