"""A plant small enough to follow by hand: two presses, a wash, an assembly station, a packer, two vehicles, three products."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zhongshu.kernel.clock import NS
from zhongshu.kernel.plantfile import load_plant
from zhongshu.model.commands import Answer, Call, Result, Verb
from zhongshu.model.plant import Plant
from zhongshu.twin.floor import Floor
from zhongshu.twin.settings import TwinTruth

START_NS = 1_767_225_600 * NS
STAMP, WASH, BUILD, PACK = 10, 20, 30, 40
#: Codes: a part, a product built of it, another product of another family.
PART, BOX, TRAY = 1, 2, 3

_TEXT = """
plant: small
timezone: UTC
operations: {{stamp: {{number: 10}}, wash: {{number: 20}}, build: {{number: 30}}, pack: {{number: 40}}}}
types:
  press:
    include: [packml, job, energy, counters]
    points:
      force: {{uom: kN, low: 0, high: 2000, rate_hz: 10}}
      force_set: {{uom: kN, role: setpoint, writable: true, low: 100, high: 1500}}
    capabilities: {{stamp: {{cycle_s: 10, setup_s: 60}}}}
    setups: {{flat: {{deep: 100}}}}
  washer: {{include: [packml, job], capabilities: {{wash: {{cycle_s: 5}}}}}}
  station: {{include: [packml, job], capabilities: {{build: {{cycle_s: 8}}}}}}
  packer:
    include: [packml, job, scan, request]
    scan_hz: 2
    points: {{temperature: {{uom: °C, low: 0, high: 200, scale: 0.1, address: {{dtype: int16}}}}}}
    capabilities: {{pack: {{cycle_s: 4}}}}
  agv: {{vehicle: true, include: [vehicle]}}
connections:
  - {{id: machines, protocol: opcua, settings: {{endpoint: "opc.tcp://127.0.0.1:{opcua}"}}}}
  - {{id: packing, protocol: modbus, settings: {{port: {modbus}}}}}
  {fleet}
areas:
  - id: shop
    lines:
      - id: main
        units:
          - {{id: "press-{{n}}", type: press, count: 2, connection: machines, station: "lane-{{n:02}}"}}
          - {{id: wash, type: washer, connection: machines, station: lane-03}}
          - {{id: build, type: station, connection: machines, station: lane-04}}
          - {{id: pack, type: packer, connection: packing, station: lane-05}}
          {agv}
products:
  part: {{code: 1, family: flat, lot_size: 4, routing: [stamp, wash]}}
  box: {{code: 2, family: flat, lot_size: 4, sellable: true, routing: [build, pack], components: [{{product: part}}]}}
  tray: {{code: 3, family: deep, lot_size: 4, sellable: true, routing: [stamp, pack]}}
roads:
  lanes: [{{id: lane, start: [0, 20], end: [50, 20], stations: 6}}]
  chargers: [lane-06]
"""
_FLEET = "- {id: fleet, protocol: vda5050, settings: {manufacturer: test}}"
_AGV = """- {id: agv-1, type: agv, connection: fleet, station: lane-06}
          - {id: agv-2, type: agv, connection: fleet, station: lane-05}"""
#: No chance at all: every duration is the nominal one.
EXACT = TwinTruth.model_validate(
    {
        "machines": {
            "cycle_factor": 1.0,
            "cycle_spread": 0.0,
            "setup_factor": 1.0,
            "setup_spread": 0.0,
            "scrap": 0.0,
            "mtbf_h": 0.0,
            "micro_stop_min": 0.0,
            "wear_life_h": 1e6,
        },
        "vehicles": {"handling_spread": 0.0, "handling_s": 10.0, "speed_m_s": 1.0},
    }
)
#: Everything happens often.
WILD = TwinTruth.model_validate(
    {
        "machines": {
            "scrap": 0.15,
            "mtbf_h": 0.05,
            "repair_min": 2,
            "micro_stop_min": 0.5,
            "micro_stop_s": 4,
            "wear_life_h": 0.2,
            "maintenance_min": 1,
        },
    }
)


def plant_text(opcua: int = 48401, modbus: int = 15021, *, vehicles: bool = True) -> str:
    """The plant file."""
    return _TEXT.format(
        opcua=opcua, modbus=modbus, fleet=_FLEET if vehicles else "", agv=_AGV if vehicles else ""
    )


@cache
def small_plant(opcua: int = 48401, modbus: int = 15021, *, vehicles: bool = True) -> Plant:
    """The plant, expanded."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plant.yaml"
        path.write_text(plant_text(opcua, modbus, vehicles=vehicles), encoding="utf-8")
        return load_plant(path)


class Bench:
    """A floor with a stopwatch: asks with fresh keys, lets seconds pass, keeps the events."""

    def __init__(
        self,
        truth: TwinTruth = EXACT,
        seed: int = 1,
        keys: Iterator[int] | None = None,
        plant: Plant | None = None,
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self.floor = Floor(plant or small_plant(), truth, seed, START_NS, self._book)
        self.keys = keys if keys is not None else itertools.count(1)

    def _book(self, kind: str, t_ns: int, fields: Mapping[str, Any]) -> None:
        self.events.append({"kind": kind, "t_s": (t_ns - START_NS) / NS, **fields})

    def ask(self, unit: str, verb: Verb, key: int = 0, **args: Any) -> Answer:
        """One request, with the next key unless one is given."""
        return self.floor.called(Call(unit, verb, key or next(self.keys), args))

    def start(self, unit: str, lot: int, product: int, operation: int, quantity: int = 4) -> Result:
        """START_JOB."""
        args = {"lot": lot, "product": product, "operation": operation, "quantity": quantity}
        return self.ask(unit, Verb.START_JOB, **args).result

    def carry(self, vehicle: str, lot: int, pick: str, drop: str, route: list[str]) -> Answer:
        """TRANSPORT along ``route``; pick and drop are where those units stand."""
        units = self.floor.plant.unit_of
        args = {
            "lot": lot,
            "route": route,
            "pick_at": route.index(units[pick].station),
            "drop_at": len(route) - 1,
            "pick_unit": pick,
            "drop_unit": drop,
        }
        return self.ask(vehicle, Verb.TRANSPORT, **args)

    def wait(self, seconds: float) -> None:
        """Let plant time pass."""
        self.floor.advance(self.floor.now_ns + round(seconds * NS))

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Events of a kind."""
        return [e for e in self.events if e["kind"] == kind]
