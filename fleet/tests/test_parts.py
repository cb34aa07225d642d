"""Parts that need neither an engine nor the command."""

from pathlib import Path

import pytest

from crypto_diag_fleet.filters import ranges
from crypto_diag_fleet.output import comma_separated, table
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
