"""GET /metrics: the brain's figures as Prometheus text, for whoever watches the plant's computers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from zhongshu.web.room import Room

TEXT = "text/plain; version=0.0.4; charset=utf-8"
Line = tuple[str, str, str, Mapping[str, str], Any]


def router(room: Room) -> APIRouter:
    """The routes on this plant."""
    routes = APIRouter(tags=["status"])

    @routes.get("/metrics", summary="Figures for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(written(room.plant.id, lines(room)), media_type=TEXT)

    return routes


def lines(room: Room) -> Iterator[Line]:
    """Name, kind, help, labels and value of every figure; those nobody said are left out by ``written``."""
    figures = room.watch.summary()
    for state in ("total", "connected"):
        yield "devices", "gauge", "Devices of the plant", {"state": state}, figures["devices"][state]
    for state in ("total", "good"):
        yield "points", "gauge", "Points of the plant", {"state": state}, figures["points"][state]
    yield "values_per_second", "gauge", "Samples made queryable in a second", {}, figures["values_per_s"]
    for quantile, name in (("0.5", "p50"), ("0.99", "p99")):
        value = figures["latency_ms"][name]
        seconds = None if value is None else value / 1000
        yield (
            "latency_seconds",
            "gauge",
            "Source time to queryable, wall time",
            {"quantile": quantile},
            seconds,
        )
    yield "gaps_total", "counter", "Gaps in the ledger", {}, figures["gaps"]
    yield (
        "values_lost_total",
        "counter",
        "Samples made available, not queryable, in no gap",
        {},
        figures["values_lost"],
    )
    yield "values_doubled_total", "counter", "Samples stored twice", {}, figures["values_doubled"]
    for status, count in figures["commands"].items():
        yield "commands", "gauge", "Commands by how they ended", {"status": status}, count
    for name, count in (figures["orders"] or {}).items():
        yield "orders", "gauge", "Orders and lots in the plant", {"kind": name}, count
    yield from _reaction(figures["reaction"] or {})
    alive = room.watch.alive()
    for process in room.watch.health:
        yield "process_up", "gauge", "1 while the process speaks", {"process": process}, int(process in alive)
    for connection, traffic in room.watch.traffic.items():
        yield (
            "samples_total",
            "counter",
            "Samples of a connection since this process began",
            {"connection": connection},
            traffic.samples,
        )


def _reaction(reaction: Mapping[str, Any]) -> Iterator[Line]:
    """From a breakdown's state word to each hop of the answer; hops that nobody took are left out."""
    for hop, spread in reaction.get("since_measured_ms", {}).items():
        for quantile, name in (("0.5", "p50"), ("0.95", "p95")):
            seconds = None if spread[name] is None else spread[name] / 1000
            labels = {"hop": hop, "quantile": quantile}
            yield (
                "reaction_seconds",
                "gauge",
                "Breakdown to each hop of its answer, wall time",
                labels,
                seconds,
            )


def written(plant: str, figures: Iterator[Line]) -> str:
    """The text format: help and kind once a name, label values escaped."""
    out: list[str] = []
    before = ""
    for name, kind, about, labels, value in figures:
        if value is None:
            continue
        if name != before:
            out += [f"# HELP zhongshu_{name} {about}.", f"# TYPE zhongshu_{name} {kind}"]
            before = name
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in {"plant": plant, **labels}.items())
        out.append(f"zhongshu_{name}{{{told}}} {value}")
    return "\n".join(out) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
