"""Answers as people and programs read them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from .engine import Value
from .questions import Answer
from .tables import sql_text


def text(value: Value) -> str:
    """Give a cell as text, alike for every engine."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def table(answer: Answer) -> str:
    """Give an answer as a table for a terminal: numbers to the right."""
    cells = [[text(value) for value in row] for row in answer.rows]
    widths = [max(map(len, column)) for column in zip(answer.columns, *cells, strict=True)]
    is_number = [all(isinstance(row[at], (int, float)) for row in answer.rows) for at in range(len(widths))]

    def line(row: list[str]) -> str:
        placed = (cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, is_number, strict=True))
        return "  ".join(placed).rstrip()

    return "\n".join([line(list(answer.columns)), *(line(row) for row in cells)]) + "\n"


def comma_separated(answer: Answer) -> str:
    """Give an answer as CSV with a head."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows([text(value) for value in row] for row in answer.rows)
    return out.getvalue()


def write_parquet(answer: Answer, file: Path) -> None:
    """Write an answer as Parquet."""
    import duckdb

    def type_of(column: int) -> str:
        values = [row[column] for row in answer.rows if row[column] is not None]
        return "BIGINT" if values and all(type(value) is int for value in values) else "VARCHAR"

    connection = duckdb.connect()
    declared = ", ".join(f'"{name}" {type_of(place)}' for place, name in enumerate(answer.columns))
    connection.execute(f"CREATE TABLE answer ({declared})")
    if answer.rows:
        connection.executemany(f"INSERT INTO answer VALUES ({', '.join('?' * len(answer.columns))})", answer.rows)
    connection.execute(f"COPY answer TO {sql_text(file)} (FORMAT parquet)")
