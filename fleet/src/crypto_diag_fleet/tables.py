"""The tables' columns, in the types that every engine has: text, whole numbers, and booleans.

`crates/rows/src/table.rs` says what each means. A test holds the names against what `crypto-diag rows` prints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from .filters import Unusable

Type = Literal["STRING", "BIGINT", "BOOLEAN"]


def _columns(**columns: str) -> dict[str, Type]:
    words: dict[str, Type] = {"s": "STRING", "i": "BIGINT", "b": "BOOLEAN"}
    return {name: words[word] for name, word in columns.items()}


TABLES: Final[dict[str, dict[str, Type]]] = {
    "reports": _columns(
        rules="s", report="s", day="s", source="s", homeserver="s", account="s", device="s", made_ms="i", from_ms="i",
        release="s", sdk="s", crypto="s", browser="s", os="s", state="s", hooks_ok="b", persisted="b", sync="s",
        ke1="i", olm="i", ke2="i", ke3="i", ke4="i", delivered="i", seen="i", evicted="i", pages="i", unreadable="i",
    ),
    "entries": _columns(
        rules="s", report="s", day="s", homeserver="s", page="i", entry="i", ms="i", minute="i",
        ke="s", meaning="s", signature="s", what="s", realm="s",
    ),
    "ids": _columns(
        rules="s", report="s", day="s", homeserver="s", ms="i", role="s", kind="s", id="s", page="i", entry="i"
    ),
    "findings": _columns(
        rules="s", report="s", day="s", homeserver="s", device="s", finding="s", question="s", family="s",
        verdict="s", things="i", open="i",
    ),
    "bodies": _columns(rules="s", report="s", day="s", body="s"),
    "refused": _columns(rules="s", report="s", why="s"),
    "latency": _columns(
        rules="s", log="s", piece="i", day="s", homeserver="s", minute="i", route="s", upto_ms="i", requests="i"
    ),
}  # fmt: skip

JUDGED: Final[dict[str, Type]] = _columns(
    rules="s", incident="s", day="s", homeserver="s", device="s", finding="s", question="s", family="s",
    verdict="s", things="i", open="i", reports="i", left_out="i", evidence="s",
)  # fmt: skip

LINKS: Final[dict[str, Type]] = _columns(report="s", incident="s")

PARTITIONED: Final = ("reports", "entries", "ids", "findings", "bodies", "latency")
"""Tables that lie in a folder for each day."""


def source(table: str) -> tuple[str, str]:
    """Give the column with the id of a row's source, and the table in which to look whether that source has been loaded."""
    return ("log", "latency") if table == "latency" else ("report", "reports")


def refuse_others(file: Path, found: set[str]) -> None:
    """Refuse rows whose table is not known here, since no question would read them."""
    if others := found - TABLES.keys():
        raise Unusable(f"{file}: not all of its lines are rows as `crypto-diag rows` prints them: table {', '.join(sorted(others))}")


def sql_text(path: Path) -> str:
    """Give a path as a text of SQL, for the statements that take no bound parameter for it."""
    return "'" + str(path).replace("'", "''") + "'"
