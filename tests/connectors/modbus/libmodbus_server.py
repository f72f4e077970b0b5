"""A server by libmodbus, run as a process of its own: ``libmodbus_server.py PORT`` prints ``ready`` and answers for ever.

Holding registers hold their own number times 257, input registers times 3; every third coil and every fifth discrete
input is on.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys

LIBRARY = ctypes.util.find_library("modbus")
SIZE = 200


class Mapping(ctypes.Structure):
    """``modbus_mapping_t`` of libmodbus 3.1."""

    _fields_ = (
        *((f"n{i}", ctypes.c_int) for i in range(8)),
        ("coils", ctypes.POINTER(ctypes.c_uint8)),
        ("discrete", ctypes.POINTER(ctypes.c_uint8)),
        ("input", ctypes.POINTER(ctypes.c_uint16)),
        ("holding", ctypes.POINTER(ctypes.c_uint16)),
    )


def fill(memory: Mapping) -> None:
    for i in range(SIZE):
        memory.coils[i], memory.discrete[i] = i % 3 == 0, i % 5 == 0
        memory.input[i], memory.holding[i] = 3 * i, 257 * i % 65536


def serve(port: int) -> None:
    library = ctypes.CDLL(LIBRARY)
    library.modbus_new_tcp.restype = ctypes.c_void_p
    library.modbus_mapping_new.restype = ctypes.POINTER(Mapping)
    context = ctypes.c_void_p(library.modbus_new_tcp(b"127.0.0.1", port))
    memory = library.modbus_mapping_new(SIZE, SIZE, SIZE, SIZE)
    fill(memory.contents)
    listening = ctypes.c_int(library.modbus_tcp_listen(context, 1))
    print("ready", flush=True)
    request = (ctypes.c_uint8 * 260)()
    while library.modbus_tcp_accept(context, ctypes.byref(listening)) >= 0:
        while (size := library.modbus_receive(context, request)) >= 0:
            if size:
                library.modbus_reply(context, request, size, memory)
        library.modbus_close(context)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
