"""Parts that need neither an engine nor the command."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crypto_diag_fleet.filters import ranges
from crypto_diag_fleet.output import comma_separated, table
from crypto_diag_fleet.page import COLOURS, ROWS_MAX, page
from crypto_diag_fleet.progress import Bar
from crypto_diag_fleet.questions import Answer, all_questions, interval, order


def test_a_file_is_split_at_ends_of_lines(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    for lines in ([b"a"], [b"a" * 50, b"b"], [b"a", b"b" * 50], [b"line %d" % number for number in range(100)], []):
        text = b"\n".join(lines)
        file.write_bytes(text)
        for parts in (1, 2, 3, 7):
            found = ranges(file, parts)
            assert b"".join(text[start:end] for start, end in found) == text
            assert all(start == 0 or text[start - 1 : start] == b"\n" for start, _ in found)


def test_releases_are_ordered_by_their_numbers() -> None:
    names = ["41.9.0", "41.10.0-rc.0", "41.10.0-rc.11", "41.10.0", "43.0.0"]
    assert sorted(reversed(names), key=order) == names


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    # As scipy.stats.binomtest(hits, of).proportion_ci(method="wilson") gives them.
    [(0, 10, 0.0, 0.27754), (5, 10, 0.23659, 0.76341), (1, 1000, 0.00018, 0.00565), (0, 0, 0.0, 1.0)],
)
def test_an_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert interval(hits, of) == pytest.approx((low, high), abs=5e-5)


def test_an_answer_is_a_table_or_csv() -> None:
    answer = Answer(("name", "n"), [("a,b", 1), (None, 20)], 0)
    assert table(answer) == "name   n\na,b    1\n      20\n"
    assert comma_separated(answer) == 'name,n\n"a,b",1\n,20\n'


def test_every_question_says_what_it_asks_and_keeps_to_the_common_words() -> None:
    questions = all_questions()
    assert len(questions) >= 9
    for question in questions.values():
        assert question.about.endswith("."), question.name
        words = question.sql.upper()
        # Engines differ in each of these, in memory or in what they say.
        for word in ("COUNT(DISTINCT", "FLOOR(", "APPROX", "NOW(", "RECURSIVE", "AVG(", "::"):
            assert word not in words, f"{question.name} has {word}"
        assert "LIMIT" not in words or "ORDER BY" in words, question.name


RISING = Answer(
    (
        "finding", "since_failing", "since_devices", "others_failing", "others_devices", "before_failing", "before_devices",
        "since_low", "since_high", "says",
    ),
    [
        ("ke3-seen", 3, 300, 20, 2000, 0, 0, "0.0034", "0.0290", "no rise shown"),
        ("conflict-lost-key", 30, 300, 20, 2000, 4, 500, "0.0709", "0.1392", "rises"),
    ],
    0,
)  # fmt: skip
HOSTILE = "</style><script src=//x.example></script>\"'&"
PICTURED = {
    "rising": (RISING, {"circle": 5, "line": 20}),
    "bad-minutes": (
        Answer(("homeserver", "from_minute", "to_minute", "devices"), [(HOSTILE, 29890000, 29890002, 7), (None, 29890000, 29890000, 5)], 2),
        {"circle": 2},
    ),
    "sizes": (Answer(("reports", "incidents"), [(1, 1000), (2, 70), (3, 5), (4, 1), (60, 1)], 0), {"rect": 4}),
    "same-key": (Answer(("id", "devices", "reports"), [(HOSTILE, 2, 2)] * (ROWS_MAX + 7), 0), {"svg": 0, "tr": ROWS_MAX + 1}),
    "blind": (Answer(("browser",), [], 0), {"table": 0}),
}


class Elements(HTMLParser):
    """Counts elements, and collects everything that could fetch or run something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.active: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.active += [name for name, value in attrs if name in ("src", "href") or name.startswith("on") or "url(" in (value or "")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("name", PICTURED)
def test_a_page_draws_its_answer_and_can_neither_fetch_nor_run_anything(name: str) -> None:
    answer, drawn = PICTURED[name]
    html = page(all_questions()[name], answer, "41.7.0", "Of 10 reports.")
    read = Elements(html)
    assert {tag: read.counts.get(tag, 0) for tag in drawn} == drawn
    assert read.active == [] and "script" not in read.counts and "url(" not in html and "@import" not in html
    assert "default-src 'none'" in html and "Of 10 reports." in read.words
    for row in answer.rows[:ROWS_MAX]:
        assert str(row[0] or "") in read.words


def test_bars_and_dots_lie_where_their_numbers_say() -> None:
    html = page(all_questions()["rising"], RISING, "41.7.0", "")
    # 30 of 300 is 10 %, with an interval from 7.09 % to 13.92 % (Wilson), on a scale that ends at 20 %.
    assert html.index("conflict-lost-key") < html.index("ke3-seen"), "what rises comes first"
    first = re.search(r'class="range" x1="([0-9.]+)%" x2="([0-9.]+)%".*?cx="([0-9.]+)%"', html)
    assert first is not None
    assert [float(place) for place in first.groups()] == pytest.approx([7.09 * 5, 13.92 * 5, 50], abs=0.05)
    html = page(all_questions()["sizes"], PICTURED["sizes"][0], None, "")
    assert re.findall(r'width="([0-9.]+)%" ?>', html) == ["100.00", "7.00", "0.60", "0.20"]
    assert "3 to 4 reports" in html and "33 to 64 reports" in html


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_a_filter_is_and_a_file_does_not() -> None:
    for out, said in ((Terminal(), "\rjudging " + "█" * 15 + "░" * 15 + "  50%\r\x1b[K"), (io.StringIO(), "")):
        bar = Bar("judging", 200, out)
        bar.add(100)
        bar.end()
        assert out.getvalue() == said


def test_colours_are_those_of_the_other_pages() -> None:
    www = Path(__file__).resolve().parents[2] / "www"
    theirs = (www / "base.css").read_text() + (www / "triage" / "triage.css").read_text()
    assert [line for line in COLOURS.splitlines() if line.strip() not in theirs] == []
