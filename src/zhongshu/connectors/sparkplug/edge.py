"""What the host knows of one edge node: births, aliases and sequence turn its payloads into readings and gaps for the sink."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhongshu.connectors.sparkplug.codec import (
    MS,
    SEQ_RANGE,
    Malformed,
    bd_seq_of,
    is_text,
    quality_of,
    value_of,
)
from zhongshu.connectors.sparkplug.slots import Device, Slot
from zhongshu.kernel.ports import Reads, Sink
from zhongshu.model.batch import BAD
from zhongshu.model.plant import Unit


@dataclass(slots=True)
class EdgeCounters:
    """What an edge node sent; for diagnostics."""

    births: int = 0
    deaths: int = 0
    stale_deaths: int = 0
    messages: int = 0
    sequence_gaps: int = 0
    before_birth: int = 0
    unknown_aliases: int = 0
    foreign_metrics: int = 0
    foreign_devices: int = 0
    null_values: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """One metric as it just came: for whoever waits for an answer. ``transient``: an answer, not a sample."""

    slot: Slot
    value: float
    t_ns: int
    transient: bool


class Edge:
    """The host's picture of one edge node. ``take`` is given every message; it speaks to the sink in the right order.

    ``ask_rebirth`` is called whenever only new births can mend what was seen; ``on_seen`` gets the metrics of ours.
    """

    def __init__(
        self,
        units: Sequence[Unit],
        ask_rebirth: Callable[[str], None],
        on_seen: Callable[[Device, list[Seen]], None] = lambda device, seen: None,
    ) -> None:
        self._devices = {device.device: device for device in map(Device, units)}
        self._of_unit = {device.unit: device for device in self._devices.values()}
        self._ask_rebirth = ask_rebirth
        self._on_seen = on_seen
        self._aliases: dict[int, Slot | None] = {}
        self._bd_seq: int | None = None
        self._is_born = False
        self._next_seq: int | None = None
        self._newest_ns = 0
        self.counters = EdgeCounters()

    @property
    def is_born(self) -> bool:
        """The edge node announced itself and has not died."""
        return self._is_born

    def device_of(self, unit: str) -> Device | None:
        """The device that carries a unit."""
        return self._of_unit.get(unit)

    def born_units(self) -> list[str]:
        """Units whose device stands in its birth now."""
        return [device.unit for device in self._devices.values() if device.is_born]

    def absent_metrics(self) -> dict[str, tuple[str, ...]]:
        """Metrics of the plant file that a birth did not announce, by unit."""
        return {device.unit: device.absent for device in self._devices.values() if device.absent}

    def forget(self) -> None:
        """Our own session ended: whatever is announced from now on may differ, so nothing but a birth is believed."""
        self._is_born = False
        self._next_seq = None
        self._aliases.clear()
        for device in self._devices.values():
            device.is_born = False

    def take(self, kind: str, device_id: str, payload: Any, received_ns: int, sink: Sink) -> None:
        """One message of the edge node. Raises Malformed."""
        self.counters.messages += 1
        t_ns = _ns(payload.timestamp)
        if kind == "NBIRTH":
            self._node_birth(payload, received_ns, sink)
        elif kind == "NDEATH":
            self._node_death(payload, sink)
            return
        elif not self._is_born:
            self._drop(device_id, t_ns, len(payload.metrics))
        else:
            self._follow(payload, t_ns, sink)
            if kind == "DBIRTH":
                self._device_birth(device_id, payload, received_ns, sink)
            elif kind == "DDEATH":
                self._device_death(device_id, sink)
            elif kind in ("NDATA", "DDATA"):
                self._values(device_id, payload, received_ns, sink)
        self._newest_ns = max(self._newest_ns, t_ns)

    def _follow(self, payload: Any, t_ns: int, sink: Sink) -> None:
        """Compare the sequence number; a jump means that messages of some device of this edge node are missing."""
        if not payload.HasField("seq"):
            raise Malformed("a message without a sequence number")
        expected, self._next_seq = self._next_seq, (payload.seq + 1) % SEQ_RANGE
        if expected is not None and payload.seq != expected:
            self.counters.sequence_gaps += 1
            start_ns = min(self._newest_ns, t_ns)
            sink.missed("sequence_gap", start_ns=start_ns, end_ns=max(t_ns, start_ns), missing=-1)
            self._ask_rebirth(f"sequence {payload.seq} came instead of {expected}")

    def _node_birth(self, payload: Any, received_ns: int, sink: Sink) -> None:
        bd_seq = bd_seq_of(payload)
        if bd_seq is None:
            raise Malformed("an NBIRTH without bdSeq")
        self.forget()
        self.counters.births += 1
        self._is_born, self._bd_seq = True, bd_seq
        self._next_seq = (payload.seq + 1) % SEQ_RANGE
        self._device_birth("", payload, received_ns, sink)

    def _device_birth(self, device_id: str, payload: Any, received_ns: int, sink: Sink) -> None:
        """Learn the aliases, and take what is newer than anything already read as readings."""
        device = self._devices.get(device_id)
        slots = device.slots if device is not None else {}
        for metric in payload.metrics:
            slot = slots.get(metric.name)
            if metric.HasField("alias"):
                self._aliases[metric.alias] = slot
            if slot is not None and metric.datatype:
                slot.datatype = metric.datatype
        if device is None:
            self.counters.foreign_devices += device_id != ""
            return
        self._tell_dropped(device, sink)
        device.note_absent(payload.metrics)
        device.is_born = device.was_born = True
        sink.unit_up(device.unit)
        self._read(device, payload, received_ns, sink, is_birth=True)

    def _node_death(self, payload: Any, sink: Sink) -> None:
        """The will of the session that the last birth belongs to; the will of an older session says nothing."""
        if bd_seq_of(payload) != self._bd_seq or not self._is_born:
            self.counters.stale_deaths += 1
            return
        self.counters.deaths += 1
        born = self.born_units()
        self.forget()
        for unit in born:
            sink.unit_lost(unit, "edge_death")

    def _device_death(self, device_id: str, sink: Sink) -> None:
        device = self._devices.get(device_id)
        if device is not None and device.is_born:
            self.counters.deaths += 1
            device.is_born = False
            sink.unit_lost(device.unit, "device_death")

    def _values(self, device_id: str, payload: Any, received_ns: int, sink: Sink) -> None:
        device = self._devices.get(device_id)
        if device is None:
            self.counters.foreign_metrics += len(payload.metrics)
        elif not device.is_born:
            self._drop(device_id, _ns(payload.timestamp), len(payload.metrics))
        elif not self._read(device, payload, received_ns, sink, is_birth=False):
            sink.alive([device.unit])

    def _drop(self, device_id: str, t_ns: int, metrics: int) -> None:
        """Values that nobody can name: remember from when to when, and ask for the birth that names them."""
        self.counters.before_birth += metrics
        device = self._devices.get(device_id)
        if device is not None and device.was_born:
            first, last = device.dropped or (t_ns, t_ns)
            device.dropped = (min(first, t_ns), max(last, t_ns))
        self._ask_rebirth("values came before a birth")

    def _tell_dropped(self, device: Device, sink: Sink) -> None:
        if device.dropped is not None:
            first, last = device.dropped
            device.dropped = None
            sink.missed("before_birth", units=(device.unit,), start_ns=first, end_ns=last, missing=-1)

    def _read(self, device: Device, payload: Any, received_ns: int, sink: Sink, *, is_birth: bool) -> int:
        """Metrics → one vector for the sink, in the order of time; returns how many readings there were."""
        seen: list[Seen] = []
        point: list[int] = []
        t: list[int] = []
        value: list[float] = []
        quality: list[int] = []
        names, aliases, payload_ms = device.slots, self._aliases, payload.timestamp
        unknown = 0
        for metric in payload.metrics:
            slot = names.get(metric.name) if metric.name else aliases.get(metric.alias, _UNKNOWN)
            if slot is _UNKNOWN:
                unknown += 1
                continue
            if slot is None:
                self.counters.foreign_metrics += 1
                continue
            t_ns = _ns(metric.timestamp or payload_ms)
            number = value_of(metric, slot.datatype)
            if isinstance(number, str):
                self._text(slot, t_ns, number, sink)
                continue
            if number is None:
                if is_birth and not metric.HasField("timestamp"):
                    continue  # the metric exists but never had a value
                self.counters.null_values += 1
                number = float("nan")
            seen.append(Seen(slot, number, t_ns, metric.is_transient))
            if metric.is_transient or (is_birth and slot.t_ns and t_ns <= slot.t_ns):
                continue
            slot.value, slot.t_ns = number, max(t_ns, slot.t_ns)
            point.append(slot.point.id)
            t.append(t_ns)
            value.append(number)
            quality.append(quality_of(metric) if number == number else BAD)
        if point:
            sink.reads(_in_order(point, t, value, quality, received_ns))
        if unknown:
            self._unknown_alias(device, unknown, _ns(payload_ms), sink)
        if seen:
            self._on_seen(device, seen)
        return len(point)

    def _unknown_alias(self, device: Device, metrics: int, t_ns: int, sink: Sink) -> None:
        self.counters.unknown_aliases += metrics
        sink.missed("unknown_alias", units=(device.unit,), start_ns=t_ns, end_ns=t_ns, missing=-1)
        self._ask_rebirth("an alias that no birth announced")

    def _text(self, slot: Slot, t_ns: int, text: str, sink: Sink) -> None:
        """A text is told when it is newer than the last one: births repeat it."""
        if is_text(slot.datatype) and t_ns > slot.t_ns:
            slot.t_ns = t_ns
            sink.text(slot.point.id, t_ns, text)


#: Stands for an alias that no birth announced; an alias of a metric that is not in the plant file maps to None.
_UNKNOWN: Any = object()
#: Milliseconds beyond which a time is nonsense (year 2255) and would not fit into int64 nanoseconds.
_MAX_MS = 9_000_000_000_000


def _ns(t_ms: int) -> int:
    """Plant time in ns; 0, which means none, for nonsense."""
    return t_ms * MS if t_ms < _MAX_MS else 0


def _in_order(
    point: list[int], t: list[int], value: list[float], quality: list[int], received_ns: int
) -> Reads:
    """One Reads by time; births carry each metric's own time, and samples must come in the order they were made."""
    t_ns = np.array(t, np.int64)
    order = slice(None) if t[0] == t[-1] and len(set(t)) == 1 else np.argsort(t_ns, kind="stable")
    return Reads(
        point=np.array(point, np.int32)[order],
        t_ns=t_ns[order],
        value=np.array(value, np.float64)[order],
        quality=np.array(quality, np.uint8)[order],
        received_ns=received_ns,
    )
