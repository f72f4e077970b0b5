"""What an edge node of ours says: births, data, deaths and echoes as payloads, with its sequence and death numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from zhongshu.connectors.sparkplug.codec import (
    BD_SEQ,
    MS,
    REBIRTH,
    SEQ_RANGE,
    Topic,
    datatype_of,
    put_quality,
    put_value,
)
from zhongshu.connectors.sparkplug.config import PointAddress, UnitAddress
from zhongshu.connectors.sparkplug.schema import DataType, Payload
from zhongshu.model.batch import Bytes, Floats, Int64s
from zhongshu.model.plant import Point, Unit

#: A message ready for the wire.
Outgoing = tuple[str, bytes]


class EdgeNode:
    """Names, aliases and newest values of an edge node with its devices; an alias is the point's index plus one."""

    def __init__(self, group: str, edge: str, units: Sequence[Unit], bd_seq: int) -> None:
        self._group, self._edge = group, edge
        self.points: list[Point] = [point for unit in units for point in unit.points]
        self.devices = [UnitAddress.model_validate(dict(unit.address)).device for unit in units]
        self.units = list(units)
        self._metrics = [PointAddress.model_validate(dict(p.address)).metric for p in self.points]
        self._datatypes = [int(datatype_of(point.kind)) for point in self.points]
        ends = np.cumsum([len(unit.points) for unit in units])
        self._spans = [(int(end) - len(unit.points), int(end)) for unit, end in zip(units, ends, strict=True)]
        self._device_of = np.repeat(np.arange(len(units)), [len(unit.points) for unit in units])
        self._value = np.full(len(self.points), np.nan)
        self._t_ns = np.zeros(len(self.points), np.int64)
        self._quality = np.zeros(len(self.points), np.uint8)
        self._bd_seq = bd_seq
        self._seq = 0

    def next_death(self, t_ns: int) -> Outgoing:
        """The will of the next session: NDEATH with a new death number, which its NBIRTH will carry as well."""
        self._bd_seq = (self._bd_seq + 1) % SEQ_RANGE
        return self.death(t_ns)

    def death(self, t_ns: int) -> Outgoing:
        """NDEATH of this session; it has no sequence number."""
        payload = Payload(timestamp=t_ns // MS)
        payload.metrics.add(name=BD_SEQ, datatype=int(DataType.INT64), long_value=self._bd_seq)
        return str(Topic(self._group, "NDEATH", self._edge)), bytes(payload.SerializeToString())

    def keep(self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes) -> None:
        """Remember the newest value of each point, for births; later rows win."""
        self._value[index], self._t_ns[index], self._quality[index] = value, t_ns, quality

    def births(self, t_ns: int) -> list[Outgoing]:
        """NBIRTH, then DBIRTH of every device, with all metrics, their aliases and newest values."""
        self._seq = 0
        node = self._payload(t_ns)
        node.metrics.add(
            name=BD_SEQ, timestamp=t_ns // MS, datatype=int(DataType.INT64), long_value=self._bd_seq
        )
        node.metrics.add(
            name=REBIRTH, timestamp=t_ns // MS, datatype=int(DataType.BOOLEAN), boolean_value=False
        )
        sent = [(str(Topic(self._group, "NBIRTH", self._edge)), node)]
        for device, (start, end) in zip(self.devices, self._spans, strict=True):
            payload = self._payload(t_ns) if device else node
            for i in range(start, end):
                self._announce(payload, i)
            if device:
                sent.append((str(Topic(self._group, "DBIRTH", self._edge, device)), payload))
        return [(topic, bytes(payload.SerializeToString())) for topic, payload in sent]

    def data(
        self, index: Int64s, t_ns: Int64s, value: Floats, quality: Bytes, now_ns: int
    ) -> Iterator[Outgoing]:
        """One DDATA a device, its metrics in the order given; the payload's time is that of its newest metric."""
        for device in np.unique(self._device_of[index]):
            rows = np.flatnonzero(self._device_of[index] == device)
            payload = self._payload(int(t_ns[rows].max()) or now_ns)
            columns = zip(
                index[rows].tolist(),
                t_ns[rows].tolist(),
                value[rows].tolist(),
                quality[rows].tolist(),
                strict=True,
            )
            for i, t, number, level in columns:
                metric = payload.metrics.add(alias=i + 1, timestamp=t // MS)
                put_value(metric, self._datatypes[i], number)
                if level:
                    put_quality(metric, level)
            yield self._data_topic(int(device)), bytes(payload.SerializeToString())

    def echo(self, unit: str, values: Mapping[int, float], t_ns: int) -> Outgoing:
        """The answer to a command: metrics (by point index) marked transient, since an answer is no sample."""
        device = next(i for i, u in enumerate(self.units) if u.id == unit)
        payload = self._payload(t_ns)
        for i, number in values.items():
            metric = payload.metrics.add(alias=i + 1, timestamp=t_ns // MS, is_transient=True)
            put_value(metric, self._datatypes[i], number)
        return self._data_topic(device), bytes(payload.SerializeToString())

    def newest(self, index: int) -> float:
        """The newest value of a point; NaN before there was one."""
        return float(self._value[index])

    def index_of(self, device: str, name: str, alias: int) -> int | None:
        """The point that a command names by metric name or, without one, by alias."""
        for of_unit, (start, end) in zip(self.devices, self._spans, strict=True):
            if of_unit == device:
                if name:
                    return next((i for i in range(start, end) if self._metrics[i] == name), None)
                return alias - 1 if start <= alias - 1 < end else None
        return None

    def unit_of(self, device: str) -> Unit | None:
        """The unit that a device carries."""
        return next((u for u, d in zip(self.units, self.devices, strict=True) if d == device), None)

    def datatype(self, index: int) -> int:
        """How a point's values are written."""
        return self._datatypes[index]

    def _payload(self, t_ns: int) -> Payload:
        """An empty message with the next sequence number."""
        seq, self._seq = self._seq, (self._seq + 1) % SEQ_RANGE
        return Payload(timestamp=t_ns // MS, seq=seq)

    def _data_topic(self, device: int) -> str:
        name = self.devices[device]
        return str(Topic(self._group, "DDATA" if name else "NDATA", self._edge, name))

    def _announce(self, payload: Payload, index: int) -> None:
        """A metric with name, alias and type; a null without a time says that there was no value yet."""
        metric = payload.metrics.add(name=self._metrics[index], alias=index + 1)
        put_value(metric, self._datatypes[index], float(self._value[index]))
        if self._t_ns[index]:
            metric.timestamp = int(self._t_ns[index]) // MS
            put_quality(metric, int(self._quality[index]))
