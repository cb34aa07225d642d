"""An answer as a page: one file, offline, without a script, with a picture where the question has one.

Pictures are SVG with places in per cent, so that bars follow the width of a window and words keep their size. The page is a tree of
elements: text of reports can only become text.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement, tostring

from .engine import Row
from .output import text
from .questions import Answer, Question, interval

ROWS_MAX = 500
"""How many rows of the table a page has at most. `--output` writes all."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

COLOURS = """\
  --page: light-dark(#f3f3f6, #141519);
  --surface: light-dark(#ffffff, #1e1f25);
  --border: light-dark(#e1e2e9, #373a44);
  --text: light-dark(#1b1d23, #e8e9ee);
  --text-quiet: light-dark(#565b68, #a9aebb);
  --accent: light-dark(#4453b8, #aab6ff);
  --proven: light-dark(#9f1d22, #ffb4b0);
"""
"""The colours of the project's other pages. A test compares them."""

STYLE = (
    ":root {\n  color-scheme: light dark;\n"
    + COLOURS
    + """}
* { box-sizing: border-box; margin: 0; }
body { background: var(--page); color: var(--text); font: 400 0.9375rem/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto;
  padding: 2rem clamp(0.75rem, 3vw, 2rem) 3rem; display: flex; flex-direction: column; gap: 1rem; overflow-wrap: anywhere; }
h1 { font-size: clamp(1.375rem, 1.1rem + 1.4vw, 1.875rem); font-weight: 600; line-height: 1.25; }
h2 { font-size: 1rem; font-weight: 600; display: flex; flex-wrap: wrap; gap: 0 0.75rem; }
p { max-width: 66ch; }
.quiet, .row span, figcaption, .ends { color: var(--text-quiet); }
section, figure { background: var(--surface); border: 1px solid var(--border); border-radius: 12px; padding: 1rem;
  display: flex; flex-direction: column; gap: 0.25rem; break-inside: avoid; }
.trouble h2 { color: var(--proven); }
.row { display: grid; grid-template-columns: 11rem minmax(0, 1fr) 13rem; gap: 0 1rem; align-items: center; }
.row .value, td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; overflow: visible; color: var(--accent); }
.trouble .first svg { color: var(--proven); }
.mark { fill: currentColor; stroke: currentColor; }
.range { stroke: currentColor; stroke-width: 2; }
.grid { stroke: var(--border); }
.tick { fill: var(--text-quiet); font-size: 0.75rem; }
.ends { display: flex; justify-content: space-between; font-size: 0.8125rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; overflow-wrap: normal; }
th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--border); white-space: nowrap; }
th { font-weight: 600; }
@media (max-width: 40rem) {
  .row { grid-template-columns: minmax(0, 1fr) auto; margin-block: 0.25rem; }
  .row svg { grid-row: 2; grid-column: 1 / -1; }
}
@media print { body { max-width: none; padding: 0; } }
"""
)


def page(question: Question, answer: Answer, since: str | None, read: str) -> str:
    """Give the page of an answer. `since` is the release that was asked for; `read` is a sentence about the reports that were read."""
    root = Element("html", lang="en")
    head = SubElement(root, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": POLICY})
    SubElement(head, "meta", name="viewport", content="width=device-width")
    _say(head, "title", f"{question.name}: crypto-diag-fleet")
    _say(head, "style", STYLE)
    body = SubElement(SubElement(root, "body"), "main", style="display: contents")
    _say(body, "h1", f"{question.name} since {since}" if since and question.needs == "releases" else question.name)
    _say(body, "p", question.about)
    _say(body, "p", read, "quiet")
    if answer.hidden:
        _say(body, "p", f"{answer.hidden} rows of fewer than five devices are hidden.", "quiet")
    draw = PICTURES.get(question.name)
    if not answer.rows:
        _say(body, "p", "There is nothing to show.")
    else:
        if draw is not None:
            draw(body, answer, since)
        _table(body, answer)
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _say(parent: Element, tag: str, words: str, kind: str | None = None) -> Element:
    element = SubElement(parent, tag, {"class": kind} if kind else {})
    element.text = words
    return element


def _table(parent: Element, answer: Answer) -> None:
    scroll = SubElement(parent, "section", {"class": "scroll", "tabindex": "0", "aria-label": "All rows"})
    table = SubElement(scroll, "table")
    numeric = [all(isinstance(row[at], int) for row in answer.rows) for at in range(len(answer.columns))]
    for tag, row in [("th", answer.columns), *(("td", row) for row in answer.rows[:ROWS_MAX])]:
        line = SubElement(table, "tr")
        for name, value, is_number in zip(answer.columns, row, numeric, strict=True):
            is_minute = name.endswith("minute") and isinstance(value, int)
            _say(line, tag, _minute(value) if is_minute else text(value), "number" if is_number else None)
    if len(answer.rows) > ROWS_MAX:
        _say(scroll, "p", f"{len(answer.rows) - ROWS_MAX:,} more rows are in the answer: --output FILE.csv holds all.", "quiet")


def _rising(parent: Element, answer: Answer, since: str | None) -> None:
    """Draw for each conclusion the share of devices in three groups, each with its 95 % interval."""
    _say(parent, "p", "A dot is the share of devices with the conclusion, its line the 95 % interval of that share.", "quiet")
    compared = ((f"since {since}", 1), ("others, same days", 3), ("others, days before", 5))
    for row in sorted(answer.rows, key=lambda row: (row[-1] != "rises", str(row[0]))):
        rises = row[-1] == "rises"
        section = SubElement(parent, "section", {"class": "trouble"} if rises else {})
        title = _say(section, "h2", str(row[0]))
        _say(title, "span", str(row[-1]), None if rises else "quiet")
        groups = [(name, _whole(row, at), _whole(row, at + 1)) for name, at in compared]
        shares = [(name, hits, of, *interval(hits, of)) for name, hits, of in groups if of > 0]
        top = _round_up(max(high for *_, high in shares))
        for place, (name, hits, of, low, high) in enumerate(shares):
            line = SubElement(section, "div", {"class": "row" if place else "row first"})
            _say(line, "span", name)
            spoken = f"{_percent(hits / of)}, with 95 % confidence between {_percent(low)} and {_percent(high)}"
            svg = SubElement(line, "svg", {"height": "22", "role": "img", "aria-label": spoken})
            _grid(svg, 22)
            across = {"y1": "11", "y2": "11"}
            SubElement(svg, "line", {"class": "range", "x1": _at(low, top), "x2": _at(high, top)} | across)
            dot = SubElement(svg, "circle", {"class": "mark", "cx": _at(hits / of, top), "cy": "11", "r": "4.5"})
            _say(dot, "title", spoken)
            _say(line, "span", f"{_percent(hits / of)} · {hits:,} of {of:,}", "value")
        line = SubElement(section, "div", {"class": "row"})
        SubElement(line, "span")
        svg = SubElement(line, "svg", {"height": "14", "aria-hidden": "true"})
        for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
            tick = SubElement(svg, "text", {"class": "tick", "x": _at(part, 1), "y": "12", "text-anchor": anchor})
            tick.text = _percent(part * top)
        SubElement(line, "span", {"class": "value"})


def _bad_minutes(parent: Element, answer: Answer, _: str | None) -> None:
    """Draw each run of minutes as a dot, by its time and the number of devices that failed."""
    runs = [(_whole(row, 1), _whole(row, 2), _whole(row, 3), text(row[0]) or "no homeserver named") for row in answer.rows]
    first, last = min(run[0] for run in runs), max(run[1] for run in runs)
    top = _round_up(max(run[2] for run in runs))
    height = 240
    figure = SubElement(parent, "figure")
    _say(figure, "figcaption", "Devices that failed together, by the minute (UTC). A dot is a run of minutes on one homeserver.")
    spoken = f"{len(runs)} runs of minutes between {_minute(first)} and {_minute(last)}, of {max(run[2] for run in runs)} devices at most"
    svg = SubElement(figure, "svg", {"height": str(height + 10), "role": "img", "aria-label": spoken})
    for part in (0.0, 0.5, 1.0):
        y = str(height - (height - 20) * part)
        SubElement(svg, "line", {"class": "grid", "x1": "0%", "x2": "100%", "y1": y, "y2": y})
        tick = SubElement(svg, "text", {"class": "tick", "x": "0", "y": str(float(y) - 4)})
        tick.text = f"{top * part:,.0f} devices"
    for begin, end, devices, homeserver in runs:
        place = {"cx": _at(begin - first, max(last - first, 1)), "cy": f"{height - (height - 20) * devices / top:.1f}", "r": "4"}
        dot = SubElement(svg, "circle", {"class": "mark", "fill-opacity": "0.45"} | place)
        _say(dot, "title", f"{_minute(begin)} to {_minute(end)}: {devices} devices of {homeserver}")
    ends = SubElement(figure, "div", {"class": "ends"})
    for minute in (first, last):
        _say(ends, "span", _minute(minute))


def _sizes(parent: Element, answer: Answer, _: str | None) -> None:
    """Draw how many incidents there are of each size. Sizes are grouped by powers of two."""
    counts: dict[int, int] = {}
    for row in answer.rows:
        power = (_whole(row, 0) - 1).bit_length()
        counts[power] = counts.get(power, 0) + _whole(row, 1)
    figure = SubElement(parent, "figure")
    most = max(counts.values())
    for power, count in sorted(counts.items()):
        low, high = 2**power // 2 + 1, 2**power
        line = SubElement(figure, "div", {"class": "row"})
        _say(line, "span", "1 report" if power == 0 else f"{high} reports" if low == high else f"{low} to {high} reports")
        svg = SubElement(line, "svg", {"height": "22", "role": "img", "aria-label": f"{count} incidents"})
        SubElement(svg, "rect", {"class": "mark", "x": "0", "y": "4", "height": "14", "width": _at(max(count, most / 500), most)})
        _say(line, "span", f"{count:,} incidents" if count != 1 else "1 incident", "value")


PICTURES: dict[str, Callable[[Element, Answer, str | None], None]] = {"rising": _rising, "bad-minutes": _bad_minutes, "sizes": _sizes}
"""The questions that have a picture."""


def _grid(svg: Element, height: int) -> None:
    for part in (0.0, 0.5, 1.0):
        SubElement(svg, "line", {"class": "grid", "x1": _at(part, 1), "x2": _at(part, 1), "y1": "0", "y2": str(height)})


def _at(value: float, top: float) -> str:
    return f"{100 * value / top:.2f}%"


def _whole(row: Row, at: int) -> int:
    return int(str(row[at]))


def _round_up(value: float) -> float:
    """Give the end of a scale: the next number of 1, 2, 5, 10, 20, 50 …"""
    unit = 10.0 ** math.floor(math.log10(value))
    return next(unit * step for step in (1, 2, 5, 10) if value <= unit * step * (1 + 1e-9))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _minute(value: object) -> str:
    return datetime.datetime.fromtimestamp(int(str(value)) * 60, datetime.UTC).strftime("%Y-%m-%d %H:%M")
