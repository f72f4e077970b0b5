"""A bound on the objective without search: each task as early as its predecessors and lags allow on its shortest mode."""

from __future__ import annotations

from zhongshu.decide.scheduling.problem import AT_HAND, Problem


def lower_bound(problem: Problem) -> float:
    """No schedule is cheaper (set-ups, energy, stability and all shared resources are taken as free)."""
    ends, weights = earliest_ends(problem), problem.weights
    total = weights.makespan * max([0, *ends, *_loads(problem)])
    for job, tasks in zip(problem.jobs, problem.tasks_of, strict=True):
        if tasks:
            end = max(ends[t] for t in tasks)
            total += weights.tardiness * job.weight * max(0, end - job.due) + weights.flow * (
                end - job.release
            )
    return float(total)


def earliest_ends(problem: Problem) -> list[int]:
    """Per task, ignoring what it shares with others."""
    shortest = [min((m.duration for m in t.modes), default=0) for t in problem.tasks]
    starts = [max(0, problem.jobs[t.job].release) for t in problem.tasks]
    ends, waiting = [0] * len(starts), [0] * len(starts)
    for arc in problem.arcs:
        if arc.before != AT_HAND:
            waiting[arc.after] += 1
        else:
            starts[arc.after] = max(starts[arc.after], arc.ready + arc.lag_min)
    ready = [t for t, count in enumerate(waiting) if not count]
    while ready:
        task = ready.pop()
        pin = problem.pin_of.get(task)
        ends[task] = starts[task] + shortest[task]
        if pin is not None and pin.started and pin.end is not None:
            starts[task], ends[task] = pin.start or 0, pin.end
        for index in problem.arcs_out[task]:
            arc = problem.arcs[index]
            begin = (starts[task] if arc.overlap is not None else ends[task]) + arc.lag_min
            starts[arc.after] = max(starts[arc.after], begin)
            waiting[arc.after] -= 1
            if not waiting[arc.after]:
                ready.append(arc.after)
    return ends


def _loads(problem: Problem) -> list[int]:
    """What must run on one unit takes at least that long there (not ovens)."""
    loads = [0] * len(problem.units)
    for task in problem.tasks:
        units = {m.unit for m in task.modes}
        if len(units) == 1:
            loads[units.pop()] += min(m.duration for m in task.modes)
    started = {p.unit for p in problem.pins if p.started and p.unit is not None}
    return [
        0 if unit.capacity or k in started else load
        for k, (unit, load) in enumerate(zip(problem.units, loads, strict=True))
    ]
