"""Between requests and bytes: what is asked is built by pymodbus, what is answered is believed only if it fits exactly.

pymodbus' own client is not used: it lets one silent device hold up all others (one lock a connection), waits for more
data for ever on a wrong protocol id, and takes an answer that is shorter than what was asked for.
"""

from __future__ import annotations

import struct

import numpy as np
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from zhongshu.connectors.modbus.codec import WORD, Words

#: Transaction id, protocol id (always 0), length of what follows, unit id.
HEADER = struct.Struct(">HHHB")
#: The standard's longest PDU is 253 bytes; with the unit id 254 follow the length field.
LENGTH_MAX = 254
READS: dict[str, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}
_FRAMER = FramerSocket(DecodePDU(False))


class Fault(Exception):
    """What came over the wire is not Modbus, or answers nothing that was asked: nothing more of it can be believed."""


class Refused(Exception):
    """The device answered with a Modbus exception ``code`` (1 function, 2 address, 3 value, 4 failure, 6 busy, …)."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def read(table: str, start: int, count: int) -> ModbusPDU:
    """FC 1, 2, 3 or 4: ``count`` registers or bits of ``table`` from ``start``."""
    return READS[table](address=start, count=count)


def write_words(start: int, words: list[int]) -> ModbusPDU:
    """FC 6 for one holding register, FC 16 for more: they change all together."""
    if len(words) == 1:
        return WriteSingleRegisterRequest(address=start, registers=words)
    return WriteMultipleRegistersRequest(address=start, registers=words)


def write_coil(start: int, on: bool) -> ModbusPDU:
    """FC 5."""
    return WriteSingleCoilRequest(address=start, bits=[on])


def frame(unit_id: int, tid: int, request: ModbusPDU) -> bytes:
    """The request as it goes over TCP."""
    request.dev_id, request.transaction_id = unit_id, tid
    return bytes(_FRAMER.buildFrame(request))


def next_frame(buffer: bytearray) -> tuple[int, int, bytes] | None:
    """Take the first whole frame off the buffer: transaction id, unit id, PDU; None while it is not whole. Raises Fault."""
    if len(buffer) < HEADER.size:
        return None
    tid, protocol, length, unit_id = HEADER.unpack_from(buffer)
    if protocol != 0 or not 2 <= length <= LENGTH_MAX:
        raise Fault(f"protocol id {protocol}, length {length}")
    end = HEADER.size - 1 + length
    if len(buffer) < end:
        return None
    body = bytes(buffer[HEADER.size : end])
    del buffer[:end]
    return tid, unit_id, body


def answered(request: ModbusPDU, body: bytes) -> bytes:
    """The body of the answer to ``request`` without its function code. Raises Refused for an exception, else Fault."""
    function = request.function_code
    if body[0] == function | 0x80 and len(body) == 2:
        raise Refused(body[1])
    if body[0] != function:
        raise Fault(f"function {body[0]} answers function {function}")
    return body[1:]


def words_read(request: ModbusPDU, body: bytes) -> Words:
    """The registers that a read brought; bits come as words of 0 and 1. Raises Refused or Fault."""
    content = answered(request, body)
    bits = request.function_code <= 2
    size = (request.count + 7) // 8 if bits else 2 * request.count
    if len(content) != size + 1 or content[0] != size:
        raise Fault(f"{len(content) - 1} bytes where {size} were asked for")
    if bits:
        packed = np.frombuffer(content, dtype=np.uint8, offset=1)
        return np.unpackbits(packed, count=request.count, bitorder="little").astype(WORD)
    return np.frombuffer(content, dtype=WORD, offset=1)


def confirm_write(request: ModbusPDU, body: bytes) -> None:
    """A write is answered with an echo of address and value (or count). Raises Refused or Fault."""
    if answered(request, body) != request.encode()[:4]:
        raise Fault("the echo of a write differs from the write")
