"""The command `crypto-diag-fleet`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import incidents, output
from .duck import Duck
from .engine import Engine
from .filters import Filters, Unusable
from .page import page
from .questions import BASE, Question, all_questions, ask

ONE_MACHINE_REPORTS_MAX = 10_000_000
"""More reports than this do not fit into the memory of a small machine. Spark handles more, and is slower with fewer."""

KILOBYTES_PER_REPORT = 0.4
"""Memory that a question takes on DuckDB. It was measured with a million reports, before this package was written."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit code: 0 done, 3 something cannot be used."""
    arguments = _parser().parse_args(words)
    try:
        engine = _engine(arguments)
        try:
            arguments.run(engine, arguments)
        finally:
            engine.close()
    except Unusable as why:
        print(f"crypto-diag-fleet: {why}", file=sys.stderr)
        return 3
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="crypto-diag-fleet",
        description="What very many crypto-diag reports say together. The base of every rate is devices that reported, never users: "
        "who reports has chosen to.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, about: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=about, description=about)
        made.add_argument("--engine", choices=["duckdb", "spark"], default="duckdb", help="what runs the SQL and the filters")
        made.add_argument(
            "--master", default="local[*]", metavar="ADDRESS", help="for Spark: spark://HOST:7077, k8s://… or yarn; else this machine"
        )
        made.add_argument("--memory", type=int, default=2_000, metavar="MB", help="for DuckDB: memory that it may use before the disk")
        return made

    load = command("load", "Makes rows of files with a report a line, and adds them to a folder.")
    load.add_argument("--rows", action="store_true", help="the files hold rows, which `crypto-diag rows` has printed on any machine")
    load.add_argument("--key", type=Path, help="the deployment's key, which makes pseudonyms of ids")
    load.add_argument("--server-name", action="append", default=[], help="a homeserver whose name stays as it is")
    load.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder; it is made if it is not there")
    load.add_argument("reports", type=Path, nargs="+", metavar="FILE")
    load.set_defaults(run=_load)

    found = command("incidents", "Joins the reports of a folder to incidents, and judges those of each incident together.")
    found.add_argument("--key", type=Path, required=True, help="the key that the folder was filled with")
    found.add_argument("--server-name", action="append", default=[], help="the same as for load")
    found.add_argument("folder", type=Path, metavar="DIR")
    found.set_defaults(run=_incidents)

    question = command("ask", "Asks a question: " + ", ".join(all_questions()) + ".")
    question.add_argument("--since", metavar="RELEASE", help="for rising: the first of the releases that are compared with the others")
    question.add_argument("--small", action="store_true", help="shows groups of fewer than five devices as well")
    question.add_argument("--output", type=Path, metavar="FILE", help="writes .csv or .parquet instead of a table")
    question.add_argument("--html", type=Path, metavar="FILE", help="also writes a page with a picture, for a browser")
    question.add_argument("name", choices=sorted(all_questions()), metavar="NAME")
    question.add_argument("folder", type=Path, metavar="DIR")
    question.set_defaults(run=_ask)
    return parser


def _engine(arguments: argparse.Namespace) -> Engine:
    if arguments.engine == "duckdb":
        return Duck(arguments.memory)
    try:
        from .spark import Spark

        return Spark(arguments.master)
    except ImportError as error:
        raise Unusable(f"Spark is not installed ({error}); pip install 'pyspark>=4,<5'") from error


def _load(engine: Engine, arguments: argparse.Namespace) -> None:
    for file in arguments.reports:
        if not file.is_file():
            raise Unusable(f"{file}: there is no such file")
    began = time.monotonic()
    engine.load([file.resolve() for file in arguments.reports], arguments.into.resolve(), None if arguments.rows else _filters(arguments))
    _tell_size(engine, engine.open(arguments.into.resolve()))
    print(f"{time.monotonic() - began:.1f} s", file=sys.stderr)


def _incidents(engine: Engine, arguments: argparse.Namespace) -> None:
    filters = _filters(arguments)
    folder = arguments.folder.resolve()
    opened = engine.open(folder)
    if not {"reports", "ids", "bodies"} <= opened:
        raise Unusable(f"{arguments.folder}: it holds no reports with bodies; fill it: crypto-diag-fleet load")
    found = incidents.find(engine, folder)
    engine.judge(filters, folder)
    for kind, id_, reports in found.hubs:
        print(f"not joined, since {reports} reports hold it: {kind} {id_}", file=sys.stderr)
    print(output.table(ask(engine, engine.open(folder), all_questions()["sizes"], None, True)), end="")


def _ask(engine: Engine, arguments: argparse.Namespace) -> None:
    question = all_questions()[arguments.name]
    opened = engine.open(arguments.folder.resolve())
    answer = ask(engine, opened, question, arguments.since, arguments.small)
    _tell_size(engine, opened)
    if arguments.output is None:
        print(question.about if question.needs == "latency" else f"{question.about} {BASE}", file=sys.stderr)
        print(output.table(answer), end="")
    elif arguments.output.suffix == ".parquet":
        output.write_parquet(answer, arguments.output)
    elif arguments.output.suffix == ".csv":
        arguments.output.write_text(output.comma_separated(answer), encoding="utf-8")
    else:
        raise Unusable(f"{arguments.output}: its name must end in .csv or .parquet")
    if arguments.html is not None:
        arguments.html.write_text(page(question, answer, arguments.since, _read(engine, question)), encoding="utf-8")
    if answer.hidden:
        print(f"{answer.hidden} rows of fewer than five devices are hidden; --small shows them", file=sys.stderr)


def _read(engine: Engine, question: Question) -> str:
    if question.needs == "latency":
        logs, first, last = engine.rows("SELECT COUNT(*), MIN(day), MAX(day) FROM (SELECT DISTINCT log, day FROM latency) AS days")[0]
        return f"Of {logs} days of servers' logs, from {first} to {last}."
    reports, first, last = engine.rows("SELECT COUNT(*), MIN(day), MAX(day) FROM reports")[0]
    return f"Of {reports:,} reports, made from {first} to {last}. {BASE}"


def _tell_size(engine: Engine, opened: set[str]) -> None:
    if "refused" in opened:
        refused = engine.rows("SELECT why, COUNT(*) AS n FROM refused GROUP BY why ORDER BY why")
        print("not used: " + ", ".join(f"{count} {why}" for why, count in refused), file=sys.stderr)
    reports = int(str(engine.rows("SELECT COUNT(*) FROM reports")[0][0])) if "reports" in opened else 0
    print(f"{reports} reports, about {reports * KILOBYTES_PER_REPORT / 1000 + 100:.0f} MB of memory for a question", file=sys.stderr)
    if reports > ONE_MACHINE_REPORTS_MAX and isinstance(engine, Duck):
        print("that may be too much for one machine; use a cluster: --engine spark --master spark://HOST:7077", file=sys.stderr)


def _filters(arguments: argparse.Namespace) -> Filters:
    return Filters.find(arguments.key, arguments.server_name)
