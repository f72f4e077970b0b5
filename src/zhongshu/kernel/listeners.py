"""Who listens on a port: asked before a server starts, so that a busy port is an error with a name and a remedy."""

from __future__ import annotations

import socket
from pathlib import Path

from zhongshu.kernel.config import PORT_VARIABLE, ConfigError
from zhongshu.kernel.strings import strings_of

LOOPBACK = "127.0.0.1"
_LISTEN = "0A"  # the state's number in /proc/net/tcp


def require_free(name: str, port: int) -> None:
    """Raise ConfigError (``config.port-busy``) where ``port``, called ``name`` in ``Ports``, cannot be listened on."""
    if is_free(port):
        return
    variable = PORT_VARIABLE.format(name.upper())
    owner = owner_of(port) or strings_of("zhongshu.kernel").text("config.port-owner-unknown", "en")
    raise ConfigError("config.port-busy", port=port, name=name, owner=owner, variable=variable)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as servers do: old connections don't count
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def owner_of(port: int) -> str:
    """``name (pid)`` of the process that listens on a TCP port, where the system tells; else empty."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    if not sockets:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} ({process.name})"
        except OSError:
            continue  # it ended meanwhile, or is another user's
    return ""


def _listening(port: int) -> list[str]:
    """Inodes of the sockets that listen on ``port``, from /proc; none where there is no /proc."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                found.append(columns[9])
    return found
