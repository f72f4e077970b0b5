"""Runs one plant: its physical world keeps pace with the clock, its devices answer on the wire, its truth is written down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zhongshu.connectors import registry
from zhongshu.kernel.clock import NS, Clock, monotonic_s
from zhongshu.model.plant import Plant
from zhongshu.twin.control import Control
from zhongshu.twin.customer import Customer, Wishes
from zhongshu.twin.faults import PHYSICAL, FaultError, Faults, kinds
from zhongshu.twin.floor import Floor
from zhongshu.twin.journal import Journal
from zhongshu.twin.lane import Lane
from zhongshu.twin.persist import Keep
from zhongshu.twin.resume import again, resume
from zhongshu.twin.scan import MS_NS, Made, Scan
from zhongshu.twin.settings import TwinTruth
from zhongshu.twin.side import Side
from zhongshu.twin.timing import TICK_NS
from zhongshu.twin.words import LANGUAGE, say

log = logging.getLogger(__name__)

SNAPSHOT_S = 5.0
#: A tick that is later than this is not made any more: the machine slept, or the process was stopped.
PAUSE_NS = 30 * NS
#: Say so when ticks are this late; at most once in LATE_SAY_S of wall time.
LATE_NS = NS
LATE_SAY_S = 30.0

Progress = Callable[[int, int], None]


class Twin:
    """The other side of the wire. ``run`` it with peers, or ``fast`` without them; ``floor`` is its physical plant.

    ``state`` names the snapshot file, ``truth_dir`` the journal's folder, ``data_dir`` where the control port is announced;
    each may be left out. ``api_url`` is the base of the brain's order API; without it nobody orders.
    """

    def __init__(
        self,
        plant: Plant,
        truth: TwinTruth,
        clock: Clock,
        seed: int | None = None,
        *,
        secrets: Path | None = None,
        state: Path | None = None,
        truth_dir: Path | None = None,
        data_dir: Path | None = None,
        api_url: str = "",
        token: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.plant, self.clock = plant, clock
        seed = truth.seed if seed is None else seed
        self._secrets = secrets if secrets is not None else Path()
        self._progress = progress
        self.journal = Journal(truth_dir, plant) if truth_dir is not None else None
        self._keep = Keep(state) if state is not None else None
        before = None if self._keep is None else resume(self._keep, plant, truth, seed, clock.now_ns())
        book = self.journal.event if self.journal is not None else None
        self.floor = Floor(plant, truth, seed, clock.now_ns(), book)
        self._samples = {c.id: samples_of(c.protocol) for c in plant.connections}
        self.scan = Scan(self.floor, self._samples)
        self.lanes: dict[str, Lane] = {}
        self.faults = Faults(self.floor, self.scan, self.lanes)
        self.side = Side(self.floor, self._keep, self._catch_up)
        self.customer = self._make_customer(api_url, token, seed)
        self._control = Control(data_dir, self.answer) if data_dir is not None else None
        self._connection_of = self._connections()
        self._next_tick_ns = 2**63 - 1
        self.ticks = self.ticks_late = self.late_ns_max = 0
        self.busy_s = 0.0
        self._said_late_s = -LATE_SAY_S
        if before is not None:
            self._go_on(before)

    # --- running

    async def run(self) -> None:
        """Until cancelled: peers up, then tick by tick; leaves in good order, with a snapshot."""
        tasks: list[asyncio.Task[None]] = []
        try:
            self._save_now()
            if self._keep is not None:
                self._keep.rewrite_keys((unit, *told) for unit in self._units() for told in self._told(unit))
            await self._start_peers()
            tasks = [asyncio.create_task(lane.run()) for lane in self.lanes.values()]
            tasks.append(asyncio.create_task(self._snapshots()))
            if self.customer is not None:
                tasks.append(asyncio.create_task(self.customer.run()))
            if self._control is not None:
                await self._control.start()
            self._note("started", seed=self.floor.seed)
            await self._tick_for_ever()
        finally:
            await self._leave(tasks)

    def fast(self, until_ns: int) -> None:
        """As fast as it can, without points and peers: only machines, vehicles and material, up to a plant time."""
        self.floor.advance(until_ns)

    def tick(self, tick: int, *, everything: bool = False) -> Made:
        """Make one tick (numbered by wall time, see timing.py): the floor moves on, due points are sampled and journalled."""
        t_ns = self.clock.to_plant_ns(tick * TICK_NS)
        t_ns -= t_ns % MS_NS
        self._next_tick_ns = self.clock.to_plant_ns((tick + 1) * TICK_NS)
        self.floor.advance(t_ns)
        made = self.scan.tick(tick, t_ns, everything=everything)
        if self._keep is not None:
            self._keep.record(self.floor.now_ns, "mark")
        if self.journal is not None:
            self.journal.samples(made)
        return made

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """A request of the control port, see ``control.ask``."""
        match request.get("op"):
            case "status":
                return {"ok": True, **self.status()}
            case "kinds":
                words = {k["kind"]: k["text"][LANGUAGE] for k in kinds()}
                return {"ok": True, "kinds": words, "details": kinds()}
            case "faults":
                active = [{"kind": k, "target": t, "value": v} for (k, t), v in self.faults.active.items()]
                return {"ok": True, "faults": active}
            case "fault":
                return self._fault(request)
        what = str(request.get("op"))
        return {"ok": False, "key": "control.unknown", "message": say("control.unknown", what=what)}

    def status(self) -> dict[str, Any]:
        """Figures about the twin itself; times in s."""
        lanes = self.lanes.values()
        return {
            "t_ns": self.floor.now_ns,
            "ticks": self.ticks,
            "ticks_late": self.ticks_late,
            "late_max_s": self.late_ns_max / NS,
            "tick_mean_s": self.busy_s / max(1, self.ticks),
            "samples": int(self.scan.counts.sum()),
            "waiting": {lane.connection: lane.waiting for lane in lanes if lane.waiting},
            "overflowed": {lane.connection: lane.overflowed for lane in lanes if lane.overflowed},
            "failed": {lane.connection: lane.failed for lane in lanes if lane.failed},
            "unwritten": 0 if self._keep is None else self._keep.unwritten,
            "requests": self.side.requests,
            "orders_sent": 0 if self.customer is None else self.customer.taken,
            "lots": len(self.floor.shop.stock.lots),
            "unaccounted": sum(abs(n) for n in self.floor.unaccounted().values()),
        }

    # --- ticks

    async def _tick_for_ever(self) -> None:
        tick = self.clock.wall_ns() // TICK_NS + 1
        everything = True  # after a start every value is told once
        while True:
            ahead = tick * TICK_NS - self.clock.wall_ns()
            if ahead > 0:
                await self.clock.sleep_wall(ahead / NS)
            late_ns = self.clock.wall_ns() - tick * TICK_NS
            if late_ns > PAUSE_NS:
                self._paused(late_ns)
                tick = self.clock.wall_ns() // TICK_NS + 1
                continue
            begun_s = monotonic_s()
            self._share(self.tick(tick, everything=everything))
            self._measure(late_ns, monotonic_s() - begun_s)
            everything = False
            tick += 1
            await asyncio.sleep(0)  # a late twin catches up, but its devices still answer

    def _share(self, made: Made) -> None:
        """Give every connection its samples."""
        owner = self._connection_of[made.index]
        order = np.argsort(owner, kind="stable")
        cuts = np.flatnonzero(np.diff(owner[order])) + 1
        lanes = list(self.lanes.values())
        for rows in np.split(order, cuts):
            if len(rows):
                lanes[int(owner[rows[0]])].put(made, rows)

    def _measure(self, late_ns: int, busy_s: float) -> None:
        self.ticks += 1
        self.busy_s += busy_s
        if late_ns < TICK_NS:
            return
        self.ticks_late += 1
        self.late_ns_max = max(self.late_ns_max, late_ns)
        if late_ns >= LATE_NS and monotonic_s() - self._said_late_s >= LATE_SAY_S:
            self._said_late_s = monotonic_s()
            log.warning("%s", say("run.late", late_s=round(late_ns / NS, 1)))

    def _paused(self, late_ns: int) -> None:
        """Time passed without us; the plant went on, but its devices made no samples. Said aloud, never skipped silently."""
        gap_s = round(late_ns / NS, 1)
        log.warning("%s", say("run.paused", gap_s=gap_s))
        self._note("paused", gap_s=gap_s)

    def _catch_up(self) -> None:
        """Bring the floor to the present for a request, but never beyond the next tick's time."""
        self.floor.advance(min(self.clock.now_ns(), self._next_tick_ns - 1))

    # --- starting and leaving

    async def _start_peers(self) -> None:
        """All at once; one that does not come up is told and tried no more, the others run."""
        ready = 0
        for connection in self.plant.connections:
            units = [u for u in self.plant.units if u.connection == connection.id]
            peer = registry.peer(self.plant, connection, units, self.clock, self.side, self._secrets)
            own = {u.id for u in units}
            rows = np.array([i for i, p in enumerate(self.scan.points) if p.unit in own], dtype=np.int64)
            self.lanes[connection.id] = Lane(connection.id, peer, rows, len(self.scan.points))

        async def start(lane: Lane) -> None:
            nonlocal ready
            try:
                await lane.peer.start()
            except Exception as error:  # noqa: BLE001  a busy port or a missing broker must not stop the other devices
                log.error("%s", say("run.peer_failed", connection=lane.connection, reason=repr(error)))
            ready += 1
            if self._progress is not None:
                self._progress(ready, len(self.lanes))

        await asyncio.gather(*(start(lane) for lane in self.lanes.values()))
        log.info("%s", say("run.peers", ready=ready, total=len(self.lanes)))

    async def _leave(self, tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._control is not None:
            await self._control.stop()
        await asyncio.gather(*(lane.peer.stop() for lane in self.lanes.values()), return_exceptions=True)
        self._note("stopped")
        self._save_now()
        if self._keep is not None:
            self._keep.close()
        if self.journal is not None:
            self.journal.close()

    def _note(self, kind: str, **fields: Any) -> None:
        self.floor.shop.note(kind, **fields)

    def _connections(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Number of the connection of each point."""
        number = {c.id: i for i, c in enumerate(self.plant.connections)}
        owners = [number[u.connection] for u in self.plant.units for _ in u.points]
        return np.array(owners, dtype=np.int64)

    def _make_customer(self, url: str, token: Path | None, seed: int) -> Customer | None:
        if not url:
            return None
        wishes = Wishes(self.plant, self.floor.truth.customer, seed)
        return Customer(wishes, url, self.clock, self.floor.stored, token)

    # --- faults and state

    def _fault(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        kind, target, value = str(request.get("kind")), str(request.get("target") or ""), request.get("value")
        self._catch_up()
        try:
            number = None if value is None else float(value)
            if self._keep is not None and kind in PHYSICAL | {"clear", "drift", "frozen"}:
                self._keep.record(self.floor.now_ns, "fault", kind=kind, target=target, value=number)
            self.faults.make(kind, target, number)
        except FaultError as error:
            return {"ok": False, "key": error.key, "values": dict(error.values), "message": str(error)}
        except (TypeError, ValueError):
            return {"ok": False, "key": "control.unknown", "message": say("control.unknown", what=str(value))}
        return {"ok": True}

    def _state(self) -> dict[str, Any]:
        return {
            "t_ns": self.floor.now_ns,
            "floor": self.floor.dump(answers=False),
            "scan": self.scan.dump(),
            "faults": [[kind, target, value] for (kind, target), value in self.faults.active.items()],
            "customer": None if self.customer is None else self.customer.dump(),
        }

    def _save_now(self) -> None:
        if self._keep is not None:
            generation = self._keep.begin()
            self._keep.save(self._state(), generation)

    async def _snapshots(self) -> None:
        keep = self._keep
        while keep is not None:
            await self.clock.sleep_wall(SNAPSHOT_S)
            with contextlib.suppress(
                OSError
            ):  # a full disk: the old snapshot and the log since still hold everything
                generation = keep.begin()
                await asyncio.to_thread(keep.save, self._state(), generation)

    def _go_on(self, before: Mapping[str, Any]) -> None:
        self.floor.restore(before["floor"])
        self.scan.restore(before["scan"], counts=before["clean"])
        again(self.faults, before["faults"])
        if self.customer is not None and before["customer"] is not None:
            self.customer.restore(before["customer"])
        log.info("%s", say("run.resumed", lots=len(self.floor.shop.stock.lots)))

    def _units(self) -> list[str]:
        return [u.id for u in self.plant.units]

    def _told(self, unit: str) -> list[tuple[int, int, str]]:
        keys = self.floor.keys(unit)
        return [] if keys is None else list(keys.answers())


def samples_of(protocol: str) -> str:
    """``image`` or ``change``: how devices of that protocol make samples available, by the connector's manifest."""
    return registry.manifest(protocol).samples
