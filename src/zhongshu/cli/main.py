"""`zhongshu …`: reads the words typed and hands them to one small function each; heavy imports wait until they are needed."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="zhongshu 中枢: the factory brain.",
)
twin = typer.Typer(no_args_is_help=True, help="The simulated plant beside the brain.")
app.add_typer(twin, name="twin")

DataOption = Annotated[Path, typer.Option("--data", envvar="ZHONGSHU_DATA", help="Data directory.")]
PortOption = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port of the control room on 127.0.0.1; 18420 if left out."),
]
PlantArgument = Annotated[Path, typer.Argument(help="The plant file.")]
HERE = Path(".zhongshu")
KITCHEN = Path("plants/kitchen/plant.yaml")


def main() -> None:
    """Entry point: errors meant for people become one line and exit code 1."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("ZHONGSHU_TRACE"):
            raise
        if _for_people(error):
            print(f"zhongshu: {error}", file=sys.stderr)
        elif sys.argv[1:2] == ["process"]:
            raise  # its reader is the log
        else:
            told = f"zhongshu: unexpected {type(error).__name__}: {error}; ZHONGSHU_TRACE=1 shows where, please report it"
            print(told, file=sys.stderr)
        sys.exit(1)


def _for_people(error: Exception) -> bool:
    from zhongshu.cli.problems import PROBLEMS

    return isinstance(error, PROBLEMS)


@app.command()
def run(
    plant: PlantArgument,
    data: DataOption = HERE,
    port: PortOption = None,
) -> None:
    """Run the whole brain of a plant until Ctrl-C."""
    from zhongshu.cli.run import run_plant

    asyncio.run(run_plant(plant, data, port))


@app.command()
def demo(
    data: DataOption = HERE,
    port: PortOption = None,
    speed: Annotated[float, typer.Option(min=0.1, max=60, help="Plant seconds in a wall second.")] = 10.0,
    seed: Annotated[int, typer.Option(help="The plant's day.")] = 1,
    plant: Annotated[Path, typer.Option(help="The plant file; twin.yaml lies beside it.")] = KITCHEN,
    truth: Annotated[Path | None, typer.Option(help="Write the twin's own journal here.")] = None,
    story: Annotated[
        bool, typer.Option(help="Let a busy machine break down where none has for four minutes.")
    ] = True,
) -> None:
    """Run the twin of the kitchen plant and the brain that runs it, until Ctrl-C."""
    from zhongshu.cli.run import run_demo

    asyncio.run(run_demo(plant, data, port, speed=speed, seed=seed, truth=truth, story=story))


@app.command()
def status(
    data: DataOption = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """How the plant and its brain are."""
    from zhongshu.cli.status import show_status

    sys.exit(asyncio.run(show_status(data, as_json)))


@app.command()
def check(plant: PlantArgument, data: DataOption = HERE) -> None:
    """Check a plant file and try its connections."""
    from zhongshu.cli.check import check_plant

    sys.exit(asyncio.run(check_plant(plant, data)))


@app.command()
def query(
    points: Annotated[list[str] | None, typer.Argument(help="Point paths; * stands for anything.")] = None,
    last: Annotated[str, typer.Option(help="How far back in plant time: 30s, 10min, 2h, 1d.")] = "10min",
    start: Annotated[
        str, typer.Option(help="From, ISO 8601 (instead of --last); the plant's zone if it names none.")
    ] = "",
    end: Annotated[str, typer.Option(help="To, ISO 8601; the plant's now if left out.")] = "",
    events: Annotated[
        str, typer.Option(help="Events of this kind instead of points, e.g. StateChanged.")
    ] = "",
    unit: Annotated[str, typer.Option(help="With --events: only of this unit.")] = "",
    form: Annotated[str, typer.Option("--format", help="table, csv or parquet.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; needed for parquet.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 100_000,
    data: DataOption = HERE,
) -> None:
    """Read history: values of points, or events."""
    from zhongshu.cli.query import Query, run_query

    asked = Query(tuple(points or ()), last, start, end, events, unit, form, output, limit)
    sys.exit(asyncio.run(run_query(data, asked)))


@app.command()
def command(
    unit: Annotated[str, typer.Argument(help="The unit's id.")],
    verb: Annotated[str, typer.Argument(help="stop, reset, hold, unhold, abort_job or set_parameter.")],
    by: Annotated[str, typer.Option(help="Who asks: a person's name, kept with the command.")],
    point: Annotated[str, typer.Option(help="With set_parameter: the point's name.")] = "",
    value: Annotated[float | None, typer.Option(help="With set_parameter: the value.")] = None,
    data: DataOption = HERE,
) -> None:
    """Ask a unit for something by hand and wait for the proof."""
    from zhongshu.cli.command import give_command

    sys.exit(asyncio.run(give_command(data, unit, verb, by, point, value)))


@app.command()
def autonomy(
    action: Annotated[
        str,
        typer.Argument(
            help="show, level AREA LEVEL, take-over or hand-back UNIT|AREA, stop or resume [AREA], "
            "approve, reject, proven or failed COMMAND…"
        ),
    ] = "show",
    what: Annotated[list[str] | None, typer.Argument(help="Area, unit or commands.")] = None,
    by: Annotated[str, typer.Option(help="Who says so: a person's name, kept with it.")] = "",
    note: Annotated[str, typer.Option(help="Why.")] = "",
    then: Annotated[
        str, typer.Option(help="With stop, for machines at work: finish, hold or stop.")
    ] = "finish",
    data: DataOption = HERE,
) -> None:
    """Show or change how far the brain may go by itself."""
    from zhongshu.cli.autonomy import Typed
    from zhongshu.cli.autonomy import autonomy as said

    sys.exit(said(data, Typed(action, tuple(what or ()), by, note, then)))


@app.command()
def solve(
    file: Annotated[Path, typer.Argument(help="The problem: .jsp, .fjs, or problem JSON.")],
    seconds: Annotated[
        float, typer.Option(min=0.001, max=1e6, help="From the start to the answer, compilation not counted.")
    ] = 10.0,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes or threads that search.")] = 2,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the search.")] = 0,
    work_limit: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of the search at most: the same answer for the same seed."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    solution: Annotated[Path | None, typer.Option(help="Write the schedule here, as JSON.")] = None,
) -> None:
    """Solve a scheduling problem from a file: 0 feasible, 1 infeasible, 2 wrong file or arguments, 3 no answer."""
    from zhongshu.cli.solve import Asked, solve_file

    sys.exit(solve_file(Asked(file, seconds, workers, seed, work_limit, as_json, solution)))


@app.command()
def rehearse(
    plant: Annotated[Path, typer.Argument(help="The plant file; twin.yaml lies beside it.")] = KITCHEN,
    hours: Annotated[float, typer.Option(min=0.1, max=240, help="Plant hours.")] = 8.0,
    seed: Annotated[int | None, typer.Option(help="Of the day: orders, breakdowns, scrap.")] = None,
    policy: Annotated[
        str, typer.Option(help="first-come, earliest-due, best-rule, daily-plan or brain.")
    ] = "brain",
    without: Annotated[
        list[str] | None, typer.Option(help="A coordination policy to switch off; may be given again.")
    ] = None,
    policies: Annotated[
        list[Path] | None, typer.Option(help="A Python file with coordination policies of your own.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Run a plant's day in virtual time, the same brain against the twin, and say what it was worth."""
    from zhongshu.cli.rehearse import Asked
    from zhongshu.cli.rehearse import rehearse as rehearse_plant

    asked = Asked(
        plant, hours, seed, policy, as_json, without=tuple(without or ()), files=tuple(policies or ())
    )
    sys.exit(rehearse_plant(asked))


@twin.command("fault", context_settings={"ignore_unknown_options": True})  # a negative number is no option
def fault(
    kind: Annotated[str, typer.Argument(help="The kind of fault; `list` names them.")],
    words: Annotated[
        list[str] | None, typer.Argument(help="What it strikes, and how: unit, connection, seconds …")
    ] = None,
    data: DataOption = HERE,
) -> None:
    """Let something go wrong in the running twin."""
    from zhongshu.cli.faults import strike

    sys.exit(strike(data, kind, words or []))


@app.command(hidden=True)
def process(
    name: str,
    plant: Annotated[Path, typer.Option()],
    data: Annotated[Path, typer.Option()],
    port: Annotated[int | None, typer.Option()] = None,
    seed: Annotated[int, typer.Option()] = 1,
    truth: Annotated[Path | None, typer.Option()] = None,
) -> None:
    """One process of the brain or the twin, as the supervisor starts it; each can also be started alone."""
    from zhongshu.cli.process import run_process

    asyncio.run(run_process(name, plant, data, port=port, seed=seed, truth=truth))


if __name__ == "__main__":
    main()
