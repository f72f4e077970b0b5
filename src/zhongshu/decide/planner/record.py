"""A plan that comes into force → why it did: trigger, options with what they cost, what moved, what is expected of which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zhongshu.decide.planner.trigger import Trigger
from zhongshu.kernel.clock import NS

#: What an option is compared by; as in ``kpis`` of the plan document.
PARTS = ("objective", "weighted_tardiness_s", "late", "setups", "setup_s", "energy_cost", "moved", "tasks")
#: Jobs and orders named one by one; the rest is only counted.
JOBS, ORDERS = 60, 30
#: An order whose expected end differs by less stays as it was; and so far ahead a unit's trouble concerns an order.
SAME_S, CONCERNED_S = 300, 14_400
#: What begins later than this may be planned anew at no price (``scheduling.repair.NEAR``), and nobody has to be told of it.
NEAR_S = 7200
#: Answers that are no decision where nothing and nobody moved.
QUIET = ("time", "released", "early", "late", "back")


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, ready for the store."""

    id: str
    rule: str
    subject: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def option(name: str, kpis: Mapping[str, Any], *, chosen: bool = False) -> dict[str, Any]:
    """A plan as an option: the parts of its objective as the planner computed them."""
    return {"name": name, "chosen": chosen, **{part: kpis.get(part) for part in PARTS}}


def answered(
    trigger: Trigger,
    before: Mapping[str, Any] | None,
    made: Mapping[str, Any],
    marks: Mapping[str, int],
    renamed: Mapping[int, int],
) -> Decided | None:
    """The answer to a trigger; ``before``: the plan that was in force, ``renamed``: lots that it knew by another number. None:
    nothing was decided."""
    moved = rerouted(before, made, renamed)
    kpis = made["kpis"]
    told = trigger.fact.get("what") or trigger.kind
    if told in QUIET and before is not None and not moved and not kpis["moved"] and not made["gave_way"]:
        return None
    facts = {
        **_head(trigger, made),
        "options": list(_options(made, moved)),
        **_effect(before, made, moved, _concerned(trigger, before)),
        "hops": {**trigger.marks, **marks},
    }
    return Decided(f"plan-{made['version']}", trigger.kind, trigger.subject, facts)


def improved(
    trigger: Trigger, before: Mapping[str, Any], made: Mapping[str, Any], marks: Mapping[str, int]
) -> Decided:
    """A better plan took the place of the one that answered the trigger a moment ago."""
    moved = rerouted(before, made, {})
    facts = {
        **_head(trigger, made),
        "of": f"plan-{before['version']}",
        "options": [option("repaired", before["kpis"]), option("improved", made["kpis"], chosen=True)],
        **_effect(before, made, moved, frozenset()),
        "hops": dict(marks),
    }
    return Decided(f"plan-{made['version']}", "improved", trigger.subject, facts)


def by_person(
    rule: str,
    by: str,
    version: int,
    before: Mapping[str, Any],
    made: Mapping[str, Any],
    now_ns: int,
    wall_ns: int,
) -> Decided:
    """A person put a version in force (``release``), or took that back (``undo``)."""
    trigger = Trigger(rule, by, {"by": by, "t_ns": now_ns}, {"heard": wall_ns})
    after = {**made, "version": version}
    facts = {
        **_head(trigger, after),
        "by": by,
        "options": [option("in_force", before["kpis"]), option("released", made["kpis"], chosen=True)],
        **_effect(before, after, rerouted(before, after, {}), frozenset()),
        "hops": {"heard": wall_ns},
    }
    return Decided(f"{rule}-{version}-{now_ns}", rule, by, facts)


def rerouted(
    before: Mapping[str, Any] | None, made: Mapping[str, Any], renamed: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Planned tasks of both plans that begin soon and go to another unit now, the soonest first; times in plant ns."""
    if before is None:
        return []
    old = {_name(name, renamed): k for k, name in enumerate(before["tasks"]["id"])}
    found = []
    for k, name in enumerate(made["tasks"]["id"]):
        j = old.get(name)
        if j is None or made["tasks"]["status"][k] != "planned":
            continue
        units = _unit(before, j), _unit(made, k)
        soon = min(_at(before, "start", j) - int(made["origin_ns"]), made["tasks"]["start"][k] * NS)
        if units[0] != units[1] and soon < NEAR_S * NS:
            order = made["orders"][made["tasks"]["order"][k]]["id"]
            row = {"task": name, "order": order, "from": units[0], "to": units[1]}
            found.append(row | {"was_ns": _at(before, "start", j), "start_ns": _at(made, "start", k)})
    return sorted(found, key=lambda row: row["start_ns"])


def _head(trigger: Trigger, made: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured, and how hopes and wishes fared."""
    wall_ns = trigger.marks.get("heard", 0)
    return {
        "version": made["version"],
        "trigger": {
            "kind": trigger.kind,
            "subject": trigger.subject,
            "seen_wall_ns": wall_ns,
            **trigger.fact,
        },
        "gave_way": list(made.get("gave_way", ())),
        "open": True,
    }


def _options(made: Mapping[str, Any], moved: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    kpis = made["kpis"]
    if not made.get("course"):
        yield option("rules", kpis, chosen=True)
    elif not moved and not kpis["moved"]:
        yield option("carried_on", kpis, chosen=True)
    else:
        if kpis.get("without_replan"):
            yield option("carried_on", kpis["without_replan"])
        yield option("repaired", kpis, chosen=True)


def _effect(
    before: Mapping[str, Any] | None,
    made: Mapping[str, Any],
    moved: list[dict[str, Any]],
    concerned: frozenset[str],
) -> dict[str, Any]:
    """Which jobs go elsewhere, and what is expected of the orders that this concerns."""
    orders = _orders(before, made, concerned | {row["order"] for row in moved})
    return {
        "moved": {
            "jobs": len(moved),
            "in_time": made["kpis"]["moved"],
            "from": dict(Counter(row["from"] for row in moved)),
            "to": dict(Counter(row["to"] for row in moved)),
            "list": moved[:JOBS],
        },
        "orders": orders[:ORDERS],
        "orders_concerned": len(orders),
        "expected": {part: made["kpis"].get(part) for part in ("late", "weighted_tardiness_s", "orders")},
        "actual": None,
    }


def _orders(
    before: Mapping[str, Any] | None, made: Mapping[str, Any], wanted: frozenset[str] | set[str]
) -> list[dict[str, Any]]:
    """Those wanted and those whose expected end is another one: late ones first, then whatever changed most."""
    was = {order["id"]: _end_ns(before, order) for order in before["orders"]} if before is not None else {}
    rows = []
    for order in made["orders"]:
        end_ns, was_ns = _end_ns(made, order), was.get(order["id"])
        change_s = 0 if was_ns is None else (end_ns - was_ns) // NS
        if order["id"] in wanted or (before is not None and was_ns is None) or abs(change_s) >= SAME_S:
            due_ns = int(made["origin_ns"]) + order["due"] * NS
            row = {"id": order["id"], "due_ns": due_ns, "was_ns": was_ns, "expected_ns": end_ns}
            rows.append((end_ns <= due_ns, order["id"] not in wanted, -abs(change_s), order["id"], row))
    return [
        row | {"actual_ns": None, "status": "open"} for *_, row in sorted(rows, key=lambda entry: entry[:4])
    ]


def _concerned(trigger: Trigger, before: Mapping[str, Any] | None) -> frozenset[str]:
    """Orders with work on the unit in trouble in the hours to come; the order itself where one came or changed."""
    if trigger.kind == "orders":
        return frozenset({trigger.subject})
    unit = trigger.fact.get("unit")
    if before is None or not unit:
        return frozenset()
    tasks = before["tasks"]
    seen_ns = int(trigger.fact.get("t_ns", 0))
    return frozenset(
        before["orders"][order]["id"]
        for k, order in enumerate(tasks["order"])
        if _unit(before, k) == unit
        and _at(before, "end", k) > seen_ns
        and _at(before, "start", k) < seen_ns + CONCERNED_S * NS
    )


def _name(task: str, renamed: Mapping[int, int]) -> str:
    """A task of an order that has been released since has another lot's number now."""
    lot, _, step = task.partition(":")
    return f"{renamed[int(lot)]}:{step}" if int(lot) in renamed else task


def _unit(plan: Mapping[str, Any], row: int) -> str:
    return str(plan["units"][plan["tasks"]["unit"][row]]["id"])


def _at(plan: Mapping[str, Any], column: str, row: int) -> int:
    return int(plan["origin_ns"]) + int(plan["tasks"][column][row]) * NS


def _end_ns(plan: Mapping[str, Any], order: Mapping[str, Any]) -> int:
    return int(plan["origin_ns"]) + int(order["end"]) * NS
