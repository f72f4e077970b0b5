"""Data directory, ports and access: found, private, locked, and clear about what is wrong."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from zhongshu.kernel.config import (
    BusAccess,
    ConfigError,
    DataDir,
    Ports,
    load_access,
    save_access,
    write_private,
)
from zhongshu.kernel.listeners import owner_of, require_free

ACCESS = BusAccess("nats://127.0.0.1:1", "zhongshu", "hush-hush", "127.0.0.1", 2)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_is_made_private(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "deep" / "plant")
    assert {mode(path) for path in (data.path, data.secrets, data.history, data.bus, data.logs)} == {0o700}
    assert data.log("sense") == data.path / "logs" / "sense.log"
    assert data.clock_file == data.path / "clock.json"
    assert data.store_url == f"sqlite:///{data.path}/store.db"
    data.secrets.chmod(0o755)
    assert mode(DataDir(data.path).secrets) == 0o700


def test_which_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ZHONGSHU_DATA", raising=False)
    assert DataDir().path == tmp_path / ".zhongshu"
    monkeypatch.setenv("ZHONGSHU_DATA", str(tmp_path / "env"))
    assert DataDir().path == tmp_path / "env"
    assert DataDir(tmp_path / "option").path == tmp_path / "option"
    monkeypatch.setenv("ZHONGSHU_STORE", "postgresql://db/zs")
    assert DataDir().store_url == "postgresql://db/zs"


def test_the_store_may_be_named_by_a_file_among_the_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZHONGSHU_STORE", raising=False)
    data = DataDir(tmp_path)
    data.store_file.write_text("postgresql://zs:sesame@db/zs\n")
    assert data.store_url == "postgresql://zs:sesame@db/zs"
    monkeypatch.setenv("ZHONGSHU_STORE", "postgresql://other/zs")
    assert data.store_url == "postgresql://other/zs"


def test_an_impossible_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="--data or ZHONGSHU_DATA"):
        DataDir(tmp_path / "file" / "plant")


def test_access_is_private_and_says_no_password(tmp_path: Path) -> None:
    save_access(tmp_path, ACCESS)
    assert mode(tmp_path / "bus.json") == 0o600
    assert load_access(tmp_path) == ACCESS
    assert "hush" not in repr(ACCESS)
    assert "hush" not in str(ACCESS)
    assert os.listdir(tmp_path) == ["bus.json"]  # noqa: PTH208


def test_missing_and_broken_access(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="zhongshu run"):
        load_access(tmp_path)
    for text in ("", "[]", '{"url": "x"}'):
        (tmp_path / "bus.json").write_text(text)
        with pytest.raises(ConfigError, match="delete the file"):
            load_access(tmp_path)


def test_errors_in_both_languages(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as missing:
        load_access(tmp_path)
    assert "总线尚未启动过" in missing.value.text("zh")
    assert str(tmp_path / "bus.json") in missing.value.text("en")


def test_private_files_replace_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)


def test_ports_from_settings_and_environment() -> None:
    assert Ports.of({}, {}) == Ports()
    assert Ports.of({"bus": 5000, "web": "5001"}, {"ZHONGSHU_PORT_BUS": "6000"}) == Ports(bus=6000, web=5001)
    with pytest.raises(ConfigError, match="ZHONGSHU_PORT_MQTT: abc is no port"):
        Ports.of({}, {"ZHONGSHU_PORT_MQTT": "abc"})
    with pytest.raises(ConfigError, match=r"settings\.ports\.bus: 70000"):
        Ports.of({"bus": 70000}, {})


def test_a_busy_port_is_named_with_its_owner_and_remedy() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"({os.getpid()})" in owner_of(port)
        with pytest.raises(ConfigError) as busy:
            require_free("bus", port)
    said = str(busy.value)
    for part in (f"port {port} (bus)", f"({os.getpid()})", "settings.ports.bus", "ZHONGSHU_PORT_BUS"):
        assert part in said
    require_free("bus", port)
    assert owner_of(port) == ""


def test_two_brains_do_not_share(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    with data.lock():
        with pytest.raises(ConfigError, match=rf"in use by process {os.getpid()}; .*--data"):
            with DataDir(tmp_path).lock():
                pass
    with data.lock():
        pass


HOLDER = "import sys, time; from zhongshu.kernel.config import DataDir\nwith DataDir(sys.argv[1]).lock(): print('held', flush=True); time.sleep(60)"


@pytest.mark.faults
def test_the_lock_of_a_killed_brain_is_taken_over(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(ConfigError, match=f"process {holder.pid}"), DataDir(tmp_path).lock():
        pass
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    began = time.monotonic()
    with DataDir(tmp_path).lock():
        assert time.monotonic() - began < 1
