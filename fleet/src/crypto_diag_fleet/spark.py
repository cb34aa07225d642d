"""Apache Spark on a cluster. It runs the same SQL, and the filters by `TRANSFORM` on the workers that have the data."""

from __future__ import annotations

import shlex
import shutil
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from .engine import GROUPED, Row
from .filters import Filters, Unusable
from .tables import JUDGED, PARTITIONED, TABLES, Type, refuse_others, source

SETTINGS = {
    # A day is text on every engine. Without this, Spark would make a date of it.
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    # As DuckDB writes its tables.
    "spark.sql.parquet.compression.codec": "zstd",
    # Spark would draw a bar, which is noise in a file.
    "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
}
"""Settings on which the answers or their readers depend. All others belong to the cluster, in its `spark-defaults.conf`."""

DELIMITED = "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'"
"""How the lines of a filter become columns. A line of JSON holds no tab, so each printed line is one column."""

TABLE = "get_json_object(line, '$.table') AS `table`"
"""Gives the table to which a printed line belongs."""


class Spark:
    """A session on a cluster. The folder, the program and the key must have the same paths on all its machines."""

    def __init__(self, master: str, settings: dict[str, str] | None = None) -> None:
        """Begin a session; `settings` are Spark's own."""
        builder = SparkSession.builder.master(master).appName("crypto-diag-fleet")
        for name, value in (SETTINGS | (settings or {})).items():
            builder = builder.config(name, value)
        self.session: Any = builder.getOrCreate()
        self.session.sparkContext.setLogLevel("ERROR")
        self.scratch: Path | None = None
        self.kept = 0

    def load(self, files: Sequence[Path], folder: Path, filters: Filters | None) -> None:
        """See `Engine.load`."""
        known = self.open(folder)
        # Without `lineSep`, a carriage return would also end a line, and Spark would read other lines than DuckDB.
        self.session.read.text([str(file) for file in files], lineSep="\n").createOrReplaceTempView("raw")
        if filters is None:
            self.session.sql(f"SELECT {TABLE}, line FROM (SELECT value AS line FROM raw)").createOrReplaceTempView("printed")
        else:
            self._filter("value", "raw", filters.rows())
        printed = {str(table) for (table,) in self.rows("SELECT DISTINCT `table` FROM printed")}
        refuse_others(files[0], printed)
        for table, columns in TABLES.items():
            if table not in printed:
                continue
            read = self._printed(table, columns).distinct()
            column, there = source(table)
            if there in known:
                read = read.join(self.session.table(there).select(column).distinct(), column, "left_anti")
            writer = read.write.mode("append")
            if table in PARTITIONED:
                writer = writer.partitionBy("day")
            writer.parquet(str(folder / table))

    def open(self, folder: Path) -> set[str]:
        """See `Engine.open`."""
        if self.scratch is None:
            self.scratch = folder / f".spark-{uuid.uuid4().hex}"
        found = set()
        for table in [*TABLES, "judged", "links"]:
            if any((folder / table).glob("**/*.parquet")):
                self.session.read.parquet(str(folder / table)).createOrReplaceTempView(table)
                found.add(table)
        return found

    def put(self, table: str, sql: str) -> None:
        """See `Engine.put`."""
        self._keep(table, self.session.sql(sql))

    def values(self, table: str, columns: dict[str, Type], rows: Sequence[Row]) -> None:
        """See `Engine.values`."""
        self.session.createDataFrame(list(rows), _schema(columns)).createOrReplaceTempView(table)

    def answer(self, sql: str) -> tuple[tuple[str, ...], list[Row]]:
        """See `Engine.answer`."""
        told = self.session.sql(sql)
        return tuple(told.columns), [tuple(row) for row in told.collect()]

    def rows(self, sql: str) -> list[Row]:
        """See `Engine.rows`."""
        return self.answer(sql)[1]

    def save(self, table: str, folder: Path) -> None:
        """See `Engine.save`."""
        self.session.table(table).write.mode("overwrite").parquet(str(folder / table))

    def judge(self, filters: Filters, folder: Path) -> None:
        """See `Engine.judge`."""
        self._filter("incident, report, body", f"({GROUPED} DISTRIBUTE BY incident SORT BY incident, report) grouped", filters.judge())
        self._printed("judged", JUDGED).write.mode("overwrite").parquet(str(folder / "judged"))

    def close(self) -> None:
        """See `Engine.close`."""
        self.session.stop()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _filter(self, columns: str, of: str, words: Sequence[str]) -> None:
        """Run a filter over columns and keep its lines as the table `printed`, each with the name of its table."""
        sql = f"SELECT TRANSFORM({columns}) {DELIMITED} USING {_quoted(words)} AS (line STRING) {DELIMITED} FROM {of}"
        with _explained(words):
            self._keep("printed", self.session.sql(f"SELECT {TABLE}, line FROM ({sql})"))

    def _printed(self, table: str, columns: dict[str, Type]) -> Any:
        return self.session.sql(
            f"SELECT r.* FROM (SELECT from_json(line, '{_schema(columns)}') AS r FROM printed WHERE `table` = '{table}')"
        )

    def _keep(self, table: str, frame: Any) -> None:
        """Write rows and read them again. So nothing is computed twice, and if an executor dies only its own part is lost."""
        assert self.scratch is not None, "no folder is open"
        self.kept += 1
        path = str(self.scratch / str(self.kept))
        frame.write.parquet(path)
        self.session.read.schema(frame.schema).parquet(path).createOrReplaceTempView(table)


@contextmanager
def _explained(words: Sequence[str]) -> Iterator[None]:
    try:
        yield
    except (Py4JJavaError, PySparkException) as error:
        java = error.java_exception if isinstance(error, Py4JJavaError) else error
        why = next((line for line in str(java).splitlines() if "Exception" in line), type(error).__name__)
        raise Unusable(
            f"Spark could not run {shlex.join(words)}: {why}; the program, the key and the folder must have these paths on all machines"
            " of the cluster, and what the program said stands in its executor's stderr"
        ) from error


def _quoted(words: Sequence[str]) -> str:
    """Quote a command for SQL, from which Spark hands it to a shell."""
    escaped = shlex.join(words).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _schema(columns: dict[str, Type]) -> str:
    return ", ".join(f"`{name}` {type_}" for name, type_ in columns.items())
