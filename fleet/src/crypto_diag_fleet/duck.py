"""DuckDB in this process: the default."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from .engine import GROUPED, Row
from .filters import Filters, Unusable, run_on_lines, run_on_ranges
from .tables import JUDGED, LINKS, PARTITIONED, TABLES, Type, refuse_others, source, sql_text

LINES_AT_ONCE = 1_000
"""Rows that are fetched at once for the judge: each holds a report."""


class Duck:
    """DuckDB over Parquet files."""

    def __init__(self, memory_mb: int = 2_000, threads: int | None = None) -> None:
        """Open a database in memory that may spill to the disk."""
        self.threads = threads or os.cpu_count() or 1
        self.spill = tempfile.TemporaryDirectory(prefix="crypto-diag-fleet-")
        self.connection = duckdb.connect(
            config={
                "threads": self.threads,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": self.spill.name,
                "preserve_insertion_order": False,
            }
        )

    def load(self, files: Sequence[Path], folder: Path, filters: Filters | None) -> None:
        """See `Engine.load`."""
        folder.mkdir(parents=True, exist_ok=True)
        known = self.open(folder)
        columns: dict[str, Type] = {"table": "STRING"}
        for table in TABLES.values():
            columns |= table
        for file in files:
            with tempfile.TemporaryDirectory(dir=folder, prefix=".loading-") as loading:
                made = [file] if filters is None else run_on_ranges(filters.rows(), file, Path(loading), self.threads)
                try:
                    self.connection.execute(
                        f"CREATE OR REPLACE TEMP TABLE staged AS SELECT * FROM read_json([{', '.join(sql_text(part) for part in made)}],"
                        f" format = 'newline_delimited', maximum_object_size = 67108864, columns = {_types(columns)})"
                    )
                except duckdb.InvalidInputException as error:
                    raise Unusable(f"{file}: these are no rows: {error}") from error
                refuse_others(file, {str(table) for (table,) in self.rows('SELECT DISTINCT "table" FROM staged')})
                for name in known & {"reports", "latency"}:
                    column, there = source(name)
                    self.connection.execute(f"DELETE FROM staged WHERE {column} IN (SELECT {column} FROM {there})")
                for name, table in TABLES.items():
                    self._append(name, list(table), folder)
                self.connection.execute("DROP TABLE staged")
            known = self.open(folder)

    def _append(self, table: str, columns: list[str], folder: Path) -> None:
        chosen = f"SELECT DISTINCT {_list(columns)} FROM staged WHERE \"table\" = '{table}'"
        if self.rows(f"SELECT COUNT(*) FROM ({chosen})")[0][0] == 0:
            return
        target = folder / table
        if table in PARTITIONED:
            options = "PARTITION_BY (day), APPEND, FILENAME_PATTERN 'load_{uuid}'"
        else:
            target.mkdir(exist_ok=True)
            options, target = "OVERWRITE_OR_IGNORE", target / f"load_{uuid.uuid4().hex}.parquet"
        self.connection.execute(f"COPY ({chosen}) TO {sql_text(target)} (FORMAT parquet, COMPRESSION zstd, {options})")

    def open(self, folder: Path) -> set[str]:
        """See `Engine.open`."""
        found = set()
        for table in [*TABLES, "judged", "links"]:
            if any((folder / table).glob("**/*.parquet")):
                # A table that was made in this session would stand in front of what has been saved.
                self.connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
                self.connection.execute(
                    f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM read_parquet({sql_text(folder / table / '**' / '*.parquet')},"
                    " hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
                )
                found.add(table)
        return found

    def put(self, table: str, sql: str) -> None:
        """See `Engine.put`."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}")

    def values(self, table: str, columns: dict[str, Type], rows: Sequence[Row]) -> None:
        """See `Engine.values`."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({_declared(columns)})")
        if rows:
            self.connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)

    def answer(self, sql: str) -> tuple[tuple[str, ...], list[Row]]:
        """See `Engine.answer`."""
        told = self.connection.execute(sql)
        return tuple(column[0] for column in told.description or ()), [tuple(row) for row in told.fetchall()]

    def rows(self, sql: str) -> list[Row]:
        """See `Engine.rows`."""
        return self.answer(sql)[1]

    def save(self, table: str, folder: Path) -> None:
        """See `Engine.save`."""
        target = folder / table
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        self.connection.execute(
            f"COPY (SELECT {_list(list(LINKS))} FROM {table}) TO {sql_text(target / 'all.parquet')} (FORMAT parquet, COMPRESSION zstd)"
        )

    def judge(self, filters: Filters, folder: Path) -> None:
        """See `Engine.judge`."""
        target = folder / "judged"
        with tempfile.TemporaryDirectory(dir=folder, prefix=".judging-") as judging:
            made = Path(judging) / "judged.ndjson"
            count = int(str(self.rows(f"SELECT COUNT(*) FROM ({GROUPED}) grouped")[0][0]))
            run_on_lines(filters.judge(), self._incidents(), count, made)
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            columns = {"table": "STRING"} | JUDGED
            self.connection.execute(
                f"COPY (SELECT {_list(list(JUDGED))} FROM read_json({sql_text(made)}, format = 'newline_delimited',"
                f" columns = {_types(columns)}) WHERE \"table\" = 'judged')"
                f" TO {sql_text(target / 'all.parquet')} (FORMAT parquet, COMPRESSION zstd)"
            )

    def close(self) -> None:
        """See `Engine.close`."""
        self.connection.close()
        self.spill.cleanup()

    def _incidents(self) -> Iterator[str]:
        answer = self.connection.execute(f"{GROUPED} ORDER BY incident, b.report")
        while rows := answer.fetchmany(LINES_AT_ONCE):
            for row in rows:
                yield "\t".join(row)


def _list(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _types(columns: dict[str, Type] | dict[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': '{'VARCHAR' if type_ == 'STRING' else type_}'" for name, type_ in columns.items()) + "}"


def _declared(columns: dict[str, Type]) -> str:
    return ", ".join(f"{name} {'VARCHAR' if type_ == 'STRING' else type_}" for name, type_ in columns.items())
