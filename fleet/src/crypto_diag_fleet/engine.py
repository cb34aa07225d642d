"""What an engine has to give: the same SQL on each, and the two filters where the data is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from .filters import Filters
from .tables import Type

Value = str | int | float | bool | None
"""A cell of an answer."""

Row = tuple[Value, ...]
"""A row of an answer."""


class Engine(Protocol):
    """An engine that runs SQL over the tables of a folder."""

    def load(self, files: Sequence[Path], folder: Path, filters: Filters | None) -> None:
        """Make rows of files with a report a line, and add the rows of reports that the folder does not have yet.

        Without filters the files hold rows.
        """

    def open(self, folder: Path) -> set[str]:
        """Give the tables of a folder their names in SQL; returns the names of those that are there."""

    def put(self, table: str, sql: str) -> None:
        """Keep the answer to a query under a name, in the place of what was there."""

    def values(self, table: str, columns: dict[str, Type], rows: Sequence[Row]) -> None:
        """Keep given rows under a name."""

    def answer(self, sql: str) -> tuple[tuple[str, ...], list[Row]]:
        """Answer a query: the columns' names, and the rows."""

    def rows(self, sql: str) -> list[Row]:
        """Answer a query whose columns are known."""

    def save(self, table: str, folder: Path) -> None:
        """Write a table to a folder, in the place of what was there."""

    def judge(self, filters: Filters, folder: Path) -> None:
        """Judge all incidents of several reports, from the tables `links` and `bodies`, into the table `judged` of the folder."""

    def close(self) -> None:
        """End what the engine has started, and remove the files that it kept beside its tables."""


GROUPED = """
SELECT l.incident, b.report, b.body FROM links l
JOIN (SELECT incident FROM links GROUP BY incident HAVING COUNT(*) > 1) s ON s.incident = l.incident
JOIN bodies b ON b.report = l.report
"""
"""What the judge reads, in no order."""
