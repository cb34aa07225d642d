"""Both engines say what is true of generated reports."""

from __future__ import annotations

import csv
import json
import math
import os
import signal
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import QUICK, cluster, executors
from generate import WORSE, Generator, write_logs

from crypto_diag_fleet import cli, incidents
from crypto_diag_fleet.duck import Duck
from crypto_diag_fleet.filters import Filters, Unusable
from crypto_diag_fleet.output import comma_separated
from crypto_diag_fleet.questions import all_questions, ask
from crypto_diag_fleet.spark import Spark
from crypto_diag_fleet.tables import JUDGED, TABLES

REPORTS = int(os.environ.get("FLEET_REPORTS", "20000"))

SPARK = {
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.ui.enabled": "false",
    "spark.executor.memory": "700m", "spark.driver.memory": "700m",
    "spark.executor.extraJavaOptions": QUICK, "spark.driver.extraJavaOptions": QUICK,
    "spark.sql.shuffle.partitions": "4", "spark.sql.files.maxPartitionBytes": "16m",
}  # fmt: skip
"""Spark's settings for a small cluster on this machine."""

WHOLE = {
    "backlog-drains", "backlog-stuck", "fallback-key-used", "healthy-key-exchange", "malformed-event", "malformed-event-redacted",
    "second-empty-store", "store-rollback",
}  # fmt: skip
"""Cases whose reports all name one message, event, key or session."""


@dataclass
class Fleet:
    """A generated fleet, loaded and judged by DuckDB."""

    reports: Path
    folder: Path
    filters: Filters
    engine: Duck
    found: set[str]
    truth: dict[str, tuple[str, str]]
    """The true incident and its case of each report, by the report's id."""
    latency: list[Path]
    """The rows of two workers' logs."""
    durations: dict[tuple[int, str], list[int]]
    """The true durations of the requests, by minute and route."""


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    made = tmp_path_factory.mktemp("fleet") / 'it\'s "here"'
    made.mkdir()
    reports, key, folder = made / "reports.ndjson", made / "fleet.key", made / "tables"
    key.write_text("k" * 64)
    Generator(1).write(REPORTS, reports)
    filters = Filters.find(key)
    engine = Duck(threads=2)
    engine.load([reports], folder, filters)
    logs = [made / f"worker{number}.log" for number in (1, 2)]
    durations = write_logs(1, logs)
    latency = [log.with_suffix(".ndjson") for log in logs]
    for log, rows in zip(logs, latency, strict=True):
        words = [str(filters.program), "rows", "--key", str(key), "--log", "hs.example", "--zone", "UTC"]
        with log.open("rb") as lines, rows.open("wb") as out:
            subprocess.run(words, stdin=lines, stdout=out, check=True)
    engine.load(latency, folder, None)
    engine.open(folder)
    incidents.find(engine, folder)
    engine.judge(filters, folder)
    found = engine.open(folder)
    with Path(f"{reports}.truth.csv").open() as file:
        cases = [(row["incident"], row["case"]) for row in csv.DictReader(file)]
    # One process reads all lines in their order, so that its rows tell which line has which id.
    with reports.open("rb") as lines:
        printed = subprocess.run(filters.rows(), stdin=lines, stdout=subprocess.PIPE, check=True).stdout
    ids = [json.loads(line)["report"] for line in printed.splitlines() if line.startswith(b'{"table":"reports"')]
    return Fleet(reports, folder, filters, engine, found, dict(zip(ids, cases, strict=True)), latency, durations)


def test_rows_have_the_columns_that_are_declared(fleet: Fleet) -> None:
    with fleet.reports.open("rb") as lines:
        some = b"".join(next(lines) for _ in range(200)) + b"nonsense\n"
    printed = subprocess.run(fleet.filters.rows(), input=some, stdout=subprocess.PIPE, check=True).stdout
    seen: dict[str, list[str]] = {}
    for line in [*printed.splitlines(), fleet.latency[0].read_bytes().splitlines()[0]]:
        row = json.loads(line)
        table = row.pop("table")
        seen[table] = list(row)
    assert seen == {table: list(columns) for table, columns in TABLES.items()}


def test_no_two_incidents_are_glued_and_those_that_share_an_id_are_whole(fleet: Fleet) -> None:
    told = dict(fleet.engine.rows("SELECT report, incident FROM links"))
    assert len(told) == REPORTS
    true_of = defaultdict(set)
    told_of = defaultdict(set)
    cases = {}
    for report, incident in told.items():
        true, case = fleet.truth[str(report)]
        true_of[incident].add(true)
        told_of[true].add(incident)
        cases[true] = case
    assert [incident for incident, trues in true_of.items() if len(trues) > 1] == []
    torn = defaultdict(int)
    for true, parts in told_of.items():
        torn[cases[true]] += len(parts) > 1
    assert {case: count for case, count in torn.items() if case in WHOLE and count} == {}


def test_a_chain_is_proven_of_rolled_back_stores_and_of_no_other_case(fleet: Fleet) -> None:
    proven = fleet.engine.rows("SELECT DISTINCT incident FROM judged WHERE finding = 'conflict-lost-key' AND verdict = 'proven'")
    cases = defaultdict(int)
    for (incident,) in proven:
        cases[fleet.truth[str(incident)][1]] += 1
    true = {incident for incident, case in fleet.truth.values() if case == "store-rollback"}
    assert dict(cases) == {"store-rollback": len(true)}


def test_the_release_that_was_made_worse_rises_and_what_was_left_alone_does_not(fleet: Fleet) -> None:
    answer = ask(fleet.engine, fleet.found, all_questions()["rising"], WORSE, False)
    says = {row[0]: row[-1] for row in answer.rows}
    assert says["conflict-lost-key"] == "rises"
    assert says["ke3-seen"] != "rises"


def test_small_groups_are_hidden_and_counted(fleet: Fleet) -> None:
    shown = ask(fleet.engine, fleet.found, all_questions()["heard"], None, False)
    everything = ask(fleet.engine, fleet.found, all_questions()["heard"], None, True)
    place = shown.columns.index("devices")
    assert shown.hidden > 0 and shown.hidden + len(shown.rows) == len(everything.rows)
    assert all(int(str(row[place])) >= 5 for row in shown.rows)


def test_the_99th_percentile_over_two_workers_is_never_below_and_at_most_0_8_per_cent_above(fleet: Fleet) -> None:
    answer = ask(fleet.engine, fleet.found, all_questions()["slow-minutes"], None, False)
    assert len(answer.rows) == len(fleet.durations)
    for _, minute, route, requests, p99 in answer.rows:
        durations = sorted(fleet.durations[int(str(minute)), str(route)])
        exact = durations[math.ceil(len(durations) * 0.99) - 1]
        assert requests == len(durations)
        assert exact <= int(str(p99)) <= exact * 1.008, (minute, route)


def test_load_refuses_lines_that_are_no_rows(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "rows.ndjson"
    for text in ('{"table":"latency"}\n{"table":"diary"}\n', "nonsense\n"):
        file.write_text(text)
        assert cli.main(["load", "--rows", "--into", str(tmp_path / "tables"), str(file)]) == 3


def test_the_same_reports_again_change_nothing(fleet: Fleet) -> None:
    before = [fleet.engine.rows(f"SELECT COUNT(*) FROM {table}") for table in TABLES if table in fleet.found]
    fleet.engine.load([fleet.reports], fleet.folder, fleet.filters)
    fleet.engine.load(fleet.latency, fleet.folder, None)
    fleet.engine.open(fleet.folder)
    assert [fleet.engine.rows(f"SELECT COUNT(*) FROM {table}") for table in TABLES if table in fleet.found] == before


def test_the_command_tells_what_is_missing_and_what_it_found(fleet: Fleet, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["ask", "blind", str(tmp_path)]) == 3
    assert "crypto-diag-fleet load" in capsys.readouterr().err
    assert cli.main(["ask", "rising", str(fleet.folder)]) == 3
    assert "--since" in capsys.readouterr().err
    assert cli.main(["ask", "rising", "--since", WORSE, str(fleet.folder)]) == 0
    said = capsys.readouterr()
    assert "conflict-lost-key" in said.out and "never users" in said.err
    file = tmp_path / "rising.parquet"
    assert cli.main(["ask", "rising", "--since", WORSE, "--output", str(file), str(fleet.folder)]) == 0
    assert Duck().rows(f"SELECT COUNT(*) FROM '{file}'")[0][0] == len(said.out.splitlines()) - 1


@dataclass
class Distributed:
    """The same reports, loaded and judged by Spark, of which one executor was killed while it judged."""

    engine: Spark
    master: str
    folder: Path
    found: set[str]
    lost_tasks: int
    """How many tasks ended because their executor was killed."""


@pytest.fixture(scope="session")
def distributed(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distributed]:
    made = tmp_path_factory.mktemp("spark")
    folder = made / "tables"
    with cluster(made) as master:
        spark = Spark(master, SPARK)
        try:
            spark.load([fleet.reports], folder, fleet.filters)
            spark.load(fleet.latency, folder, None)
            spark.open(folder)
            incidents.find(spark, folder)
            with killing(executors(made)):
                spark.judge(fleet.filters, folder)
            tracker = spark.session.sparkContext.statusTracker()
            stages = {stage for job in tracker.getJobIdsForGroup() for stage in tracker.getJobInfo(job).stageIds}
            lost = sum(info.numFailedTasks for stage in stages if (info := tracker.getStageInfo(stage)))
            yield Distributed(spark, master, folder, spark.open(folder), lost)
        finally:
            spark.close()


@contextmanager
def killing(processes: list[int]) -> Iterator[None]:
    """Kill the first executor that runs a program while the body of the `with` runs. That program is the judge."""
    assert len(processes) == 2
    killed: list[int] = []
    done = threading.Event()

    def watch() -> None:
        while not killed and not done.wait(0.01):
            for process in processes:
                # Linux lists a process as a child of the thread that started it.
                if any(children.read_text().strip() for children in Path(f"/proc/{process}/task").glob("*/children")):
                    os.kill(process, signal.SIGKILL)
                    killed.append(process)
                    break

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    assert killed, "no executor was seen to judge"


def test_spark_joins_the_same_reports_to_the_same_incidents(fleet: Fleet, distributed: Distributed) -> None:
    links = "SELECT report, incident FROM links ORDER BY report"
    assert distributed.engine.rows(links) == fleet.engine.rows(links)


def test_spark_gives_the_same_verdicts_though_an_executor_was_killed(fleet: Fleet, distributed: Distributed) -> None:
    assert distributed.lost_tasks > 0
    verdicts = f"SELECT {', '.join(JUDGED)} FROM judged"
    told = sorted(distributed.engine.rows(verdicts), key=repr)
    assert told == sorted(fleet.engine.rows(verdicts), key=repr)


@pytest.mark.parametrize("name", all_questions())
def test_spark_answers_the_same_to_the_byte(name: str, fleet: Fleet, distributed: Distributed) -> None:
    question = all_questions()[name]
    told = comma_separated(ask(distributed.engine, distributed.found, question, WORSE, True))
    assert told == comma_separated(ask(fleet.engine, fleet.found, question, WORSE, True))
    # The details of every recorded line can be read.
    assert told.count("\n") > 1 or name == "new-words"


def test_spark_reads_no_report_twice_and_leaves_nothing_beside_its_tables(fleet: Fleet, distributed: Distributed) -> None:
    counts = [f"SELECT COUNT(*) FROM {table}" for table in ("ids", "latency")]
    before = [distributed.engine.rows(count) for count in counts]
    distributed.engine.load([fleet.reports], distributed.folder, fleet.filters)
    distributed.engine.load(fleet.latency, distributed.folder, None)
    distributed.engine.open(distributed.folder)
    assert [distributed.engine.rows(count) for count in counts] == before
    distributed.engine.close()
    assert {entry.name for entry in distributed.folder.iterdir()} == distributed.found


def test_spark_says_which_program_failed_and_what_its_machines_must_have(distributed: Distributed, fleet: Fleet, tmp_path: Path) -> None:
    key = tmp_path / "short.key"
    key.write_text("k")
    engine = Spark(distributed.master, SPARK)
    try:
        with pytest.raises(Unusable, match=r"Spark could not run .* rows .*short.key.*on all machines of the cluster"):
            engine.load([fleet.reports], tmp_path / "tables", Filters(fleet.filters.program, key))
    finally:
        engine.close()
