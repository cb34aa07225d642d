"""`npm run bench:fleet`: measures `crypto-diag rows`, a plain parser of JSON, DuckDB and the judge on generated reports.

Prints a page of Markdown. Seconds of the processor hold on a machine that others use as well; seconds of the clock do not.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from generate import WORSE, Generator

from crypto_diag_fleet.questions import all_questions

COMMAND = [sys.executable, "-c", "import sys; from crypto_diag_fleet.cli import main; sys.exit(main())"]


@dataclass
class Cost:
    """What a command took."""

    seconds: float
    """Seconds of the clock."""
    cpu: float
    """Seconds of the processor, of the command and all that it ran."""
    megabytes: float
    """The most memory that its process took, without the processes that it ran."""


def cost(words: list[str], given: Path | None = None) -> Cost:
    """Run a command and measure it. Its output is thrown away."""
    began = time.monotonic()
    with (given or Path(os.devnull)).open("rb") as source:
        process = subprocess.Popen(words, stdin=source, stdout=subprocess.DEVNULL)
        # What `wait4` says of memory includes this process, which the command was forked from.
        most = 0
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        while ended == 0:
            told = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
            most = max(most, int(told[1]) if told else 0)
            time.sleep(0.02)
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return Cost(time.monotonic() - began, used.ru_utime + used.ru_stime, most / 1024)


def total(costs: list[Cost]) -> Cost:
    """Add up commands that ran one after the other."""
    return Cost(sum(one.seconds for one in costs), sum(one.cpu for one in costs), max(one.megabytes for one in costs))


@dataclass
class Measured:
    """What was measured with one number of reports."""

    reports: int
    input_bytes: int
    table_bytes: int
    """The size of all tables but `bodies`."""
    parse: Cost
    rows: Cost
    load: Cost
    incidents: Cost
    questions: Cost


def measure(reports: int, program: str, parser: str, folder: Path) -> Measured:
    """Measure one number of reports."""
    file, key, tables = folder / "reports.ndjson", folder / "fleet.key", folder / "tables"
    key.write_text("k" * 64)
    Generator(1).write(reports, file)
    keyed = ["--key", str(key)]
    # The parser runs before and after, so that a changing load of the machine falls on both.
    before = cost([parser], file)
    rows = cost([program, "rows", *keyed], file)
    after = cost([parser], file)
    parse = Cost((before.seconds + after.seconds) / 2, (before.cpu + after.cpu) / 2, before.megabytes)
    load = cost([*COMMAND, "load", *keyed, "--into", str(tables), str(file)])
    incidents = cost([*COMMAND, "incidents", *keyed, str(tables)])
    asked = [
        cost([*COMMAND, "ask", name, "--since", WORSE, str(tables)])
        for name, question in all_questions().items()
        if question.needs != "latency"
    ]
    table_bytes = sum(part.stat().st_size for part in tables.rglob("*.parquet") if "bodies" not in part.relative_to(tables).parts)
    return Measured(reports, file.stat().st_size, table_bytes, parse, rows, load, incidents, total(asked))


def exponents(all_measured: list[Measured]) -> list[str]:
    """Say how the processor's time of `rows` grows from each size to the next: 1 is linear."""
    pairs = itertools.pairwise(all_measured)
    return [
        f"{one.reports:,} to {other.reports:,}: {math.log(other.rows.cpu / one.rows.cpu) / math.log(other.reports / one.reports):.3f}"
        for one, other in pairs
    ]


def markdown(all_measured: list[Measured], load: float) -> str:
    """Give the page."""
    today = datetime.datetime.now(datetime.UTC).date()
    busy = f"{load:.0f} processes shared {os.cpu_count()} cores"
    lines = [
        "<!-- Written by `npm run bench:fleet`. -->",
        "",
        "# Many reports",
        "",
        f"Made by `npm run bench:fleet` on {today}; {busy}. If there are more processes than cores, seconds of the clock are",
        "far higher than on an idle machine, and seconds of the processor are somewhat higher. Ratios within the run hold.",
        "Reports are generated (`fleet/tests/generate.py`), and the program is a release build.",
        "",
        "## `crypto-diag rows`",
        "",
        "It runs as one process. The plain parser reads the same file into JSON values with the same library, and does nothing with them.",
        "Reports a second are per second of the processor.",
        "",
        "| reports | MB | reports a second | MB of memory | plain parser: reports a second | `rows` takes as long |",
        "| --: | --: | --: | --: | --: | --: |",
    ]
    for one in all_measured:
        each = f"{one.reports / one.rows.cpu:,.0f} | {one.rows.megabytes:.0f} | {one.reports / one.parse.cpu:,.0f}"
        lines.append(f"| {one.reports:,} | {one.input_bytes / 1e6:,.0f} | {each} | {one.rows.cpu / one.parse.cpu:.1f} times |")
    lines += ["", f"The processor's time grows with the number of reports to the power of: {'; '.join(exponents(all_measured))}."] * (
        len(all_measured) > 1
    )
    lines += [
        "",
        "## DuckDB",
        "",
        "A cell has seconds of the clock / seconds of the processor / MB of the process. Each question is a command of its own, which",
        "starts Python. `incidents` joins the reports to incidents and judges each incident.",
        "",
        "| reports | load | incidents | all questions | bytes of tables a report, without bodies |",
        "| --: | --: | --: | --: | --: |",
    ]
    for one in all_measured:
        costs = (f"{cost.seconds:,.0f} / {cost.cpu:,.0f} / {cost.megabytes:,.0f}" for cost in (one.load, one.incidents, one.questions))
        lines.append(f"| {one.reports:,} | {' | '.join(costs)} | {one.table_bytes / one.reports:.0f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of reports, with commas between")
    parser.add_argument("program", help="crypto-diag")
    parser.add_argument("parser", help="the plain parser")
    asked = parser.parse_args()
    done = []
    loads = []
    for size in (int(size) for size in asked.sizes.split(",")):
        with tempfile.TemporaryDirectory(prefix="crypto-diag-bench-") as made:
            done.append(measure(size, asked.program, asked.parser, Path(made)))
        loads.append(os.getloadavg()[0])
        print(done[-1], file=sys.stderr)
    print(markdown(done, sum(loads) / len(loads)), end="")
