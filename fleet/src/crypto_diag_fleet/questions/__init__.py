"""The questions: a file of SQL each, in words that every engine reads alike, and what belongs to them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ..engine import Engine, Row, Value
from ..filters import Unusable

GROUP_DEVICES_MIN = 5
"""Devices below which a group is not shown unless it is asked for: of few devices one knows whose they are."""

BASE = "The base is devices that reported, never users: who reports has chosen to."
"""The base of every share, in a sentence."""

VERDICTS = """
SELECT device, finding, verdict FROM judged
UNION ALL SELECT f.device, f.finding, f.verdict FROM findings f
WHERE f.report NOT IN (SELECT l.report FROM links l
  JOIN (SELECT incident FROM links GROUP BY incident HAVING COUNT(*) > 1) s ON s.incident = l.incident)
"""
"""Each report's verdicts once: with its incident where it has one, else by itself."""


@dataclass(frozen=True)
class Question:
    """A question."""

    name: str
    about: str
    """What it asks, in a sentence or two."""
    sql: str
    needs: str | None
    """A table that is made for the question: `releases`, `verdicts`, `links`. `latency` says that it asks only about servers' logs."""
    group: str | None
    """The column that counts the devices of a row's group."""


@dataclass(frozen=True)
class Answer:
    """The answer to a question."""

    columns: tuple[str, ...]
    rows: list[Row]
    hidden: int
    """Rows of groups too small to be shown."""


def all_questions() -> dict[str, Question]:
    """Give all questions by name."""
    files = sorted((file for file in resources.files(__name__).iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return {question.name: question for question in (_read(file.name, file.read_text(encoding="utf-8")) for file in files)}


def _read(file: str, text: str) -> Question:
    comments = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
    marks = dict(line.split(": ", 1) for line in comments if re.match(r"(needs|group): ", line))
    about = " ".join(line for line in comments if not re.match(r"(needs|group): ", line))
    return Question(Path(file).stem, about, text, marks.get("needs"), marks.get("group"))


def ask(engine: Engine, found: set[str], question: Question, since: str | None, show_small: bool) -> Answer:
    """Ask a question of the tables that an engine has opened."""
    if question.needs == "latency":
        if "latency" not in found:
            raise Unusable("the folder holds no rows of logs; make some: crypto-diag rows --log, crypto-diag-fleet load --rows")
        return Answer(*engine.answer(question.sql), 0)
    if "reports" not in found:
        raise Unusable("the folder holds no reports; fill it: crypto-diag-fleet load --key FILE --into DIR REPORTS")
    for table in ("entries", "ids", "findings"):
        if table not in found:
            raise Unusable(f"the folder has no {table}: its reports hold none, so that there is nothing to ask")
    if question.needs in ("verdicts", "links") and not {"links", "judged"} <= found:
        raise Unusable("the incidents have not been looked for; first: crypto-diag-fleet incidents --key FILE DIR")
    if question.needs == "verdicts":
        engine.put("verdicts", VERDICTS)
    if question.needs == "releases":
        releases = [str(row[0]) for row in engine.rows("SELECT DISTINCT release FROM reports WHERE release IS NOT NULL")]
        if since is None:
            raise Unusable(f"{question.name} needs --since RELEASE; reported have {', '.join(sorted(releases, key=order))}")
        if all(order(release) < order(since) for release in releases):
            raise Unusable(f"no report is of {since} or later; reported have {', '.join(sorted(releases, key=order))}")
        marked: list[Row] = [(release, int(order(release) >= order(since))) for release in releases]
        engine.values("releases", {"release": "STRING", "since": "BIGINT"}, marked)
    columns, rows = engine.answer(question.sql)
    hidden = 0
    if question.group is not None and not show_small:
        place = columns.index(question.group)
        kept = [row for row in rows if _number(row[place]) >= GROUP_DEVICES_MIN]
        hidden, rows = len(rows) - len(kept), kept
    finish = FINISHED.get(question.name)
    if finish is not None:
        columns, rows = finish(columns, rows)
    return Answer(columns, rows, hidden)


def order(release: str) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    """Give the place of a release among others: 41.10.0 is behind 41.9.0, and 41.6.0-rc.0 in front of 41.6.0."""
    numbers, _, stage = release.partition("-")
    digits = tuple(int(part) for part in re.findall(r"\d+", numbers))
    return digits, 0 if stage else 1, tuple(int(part) for part in re.findall(r"\d+", stage))


def interval(hits: int, of: int) -> tuple[float, float]:
    """Give the 95 % interval of a share by Wilson's formula, which holds for few hits and few devices as well."""
    if of == 0:
        return 0.0, 1.0
    z = 1.959963984540054
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _number(value: Value) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _rising(columns: tuple[str, ...], rows: list[Row]) -> tuple[tuple[str, ...], list[Row]]:
    """Say of each conclusion whether it rises, and whether the other releases of the same days rise as well."""
    told: list[Row] = []
    for row in rows:
        since, others, before = ((_number(row[at]), _number(row[at + 1])) for at in (1, 3, 5))
        low, high = interval(*since)
        word = "no rise shown"
        if others[1] == 0:
            word = "nothing to compare with on these days"
        elif low > interval(*others)[1]:
            word = "rises"
        elif before[1] > 0 and low > interval(*before)[1] and interval(*others)[0] > interval(*before)[1]:
            word = "the other releases rise as well"
        told.append((*row, f"{low:.4f}", f"{high:.4f}", word))
    return (*columns, "since_low", "since_high", "says"), told


FINISHED: dict[str, Callable[[tuple[str, ...], list[Row]], tuple[tuple[str, ...], list[Row]]]] = {"rising": _rising}
"""What is computed of whole numbers after the engine has counted them, so that no two engines round differently."""
