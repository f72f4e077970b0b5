"""The way of a mission is the one that was last sent: orders are extended under way."""

from __future__ import annotations

from zhongshu.act.fleet.drives import Drive
from zhongshu.act.fleet.records import Records, Rest
from zhongshu.kernel.store import Store
from zhongshu.kernel.store.tables import Command
from zhongshu.model.orders import TransportOrder
from zhongshu.web.missions import _mission


def test_a_mission_shows_the_way_as_it_was_extended() -> None:
    store = Store("sqlite://")
    store.migrate()
    records = Records("p", store)
    first = TransportOrder(7, "agv-1", 0, ("a", "b"), 0, 0, "", "")
    command = Command(
        key=7, plant="p", unit="agv-1", args=first.to_args(), status="proven", reason="", decision=""
    )

    def shown() -> list[str]:
        with store.read() as session:
            found = _mission(session, command)
        assert found is not None
        route: list[str] = found["route"]
        return route

    assert shown() == ["a", "b"]
    records.keep(Drive(TransportOrder(7, "agv-1", 0, ("a", "b", "d", "e"), 0, 0, "", "", 3, 1, 1), 0))
    assert shown() == ["a", "b", "d", "e"]
    records.keep(Drive(TransportOrder(8, "agv-1", 0, ("e", "f"), 0, 0, "", ""), 0))
    assert shown() == ["a", "b"]
    records.over("agv-1", Rest("f", "e"), None)
    assert shown() == ["a", "b"]
