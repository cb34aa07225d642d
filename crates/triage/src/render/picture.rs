//! The timeline as a picture (SVG), in the page and as a file of its own: one row for each lane, the single events in words below.
//! It has no script and refers to nothing outside of itself. Foreign text enters through [`Markup`].

use crypto_diag_core::Clean;

use super::markup::Markup;
use super::plain;
use crate::stamp;
use crate::timeline::{COLUMNS, Lane, Mark, Timeline};
use crate::triage::Triage;

/// How it looks. Plain classes and no variables: what shows pictures and is no browser knows little of CSS.
pub(super) const STYLE: &str = "\
.timeline{font:11px system-ui,sans-serif}.timeline text{fill:currentColor}\
.timeline .bar{fill:#3367d6}.timeline .trouble .bar{fill:#c62828}.timeline .trouble .name{font-weight:700}\
.timeline .mark{stroke:currentColor;stroke-width:1.5}.timeline .grid{stroke:currentColor;stroke-opacity:.2}\
@media screen and (prefers-color-scheme:dark){.timeline .bar{fill:#8ab4f8}.timeline .trouble .bar{fill:#ff8a80}}";

/// What a file of its own needs besides: a ground, and the colour of its words. On paper it is black on white.
const SHEET_STYLE: &str = "\
.sheet{color:#1b1b1f;background:#fff}.sheet .ground{fill:#fff}.sheet .title{font-size:16px;font-weight:700}\
@media screen and (prefers-color-scheme:dark){.sheet{color:#e3e2e6;background:#1b1b1f}.sheet .ground{fill:#1b1b1f}}\
@media print{.sheet{width:100%;height:auto}}";

/// How to read it.
const LEGEND: &str = "Times are the server’s, in UTC. The darker a column, the more events lie in it; a lane’s number is their count. \
A bold name and red are of trouble, a pale stretch is one of time, a line is a single event.";

/// Width of the picture and of its column of names, in SVG units, of which a character has six to seven.
const WIDTH: f64 = 1000.0;
const NAMES: f64 = 300.0;
/// Height of the scale of time, of a lane, of the bars in it, and of a line of words.
const SCALE: f64 = 24.0;
const LANE: f64 = 32.0;
const BAR: f64 = 22.0;
const LINE: f64 = 15.0;
/// Left free around a file of its own.
const MARGIN: f64 = 20.0;

/// Characters of a line in the column of names, of an event's lane and words, and of a line as wide as the picture.
const NAME_CHARS: usize = 38;
const MARK_CHARS: usize = 140;
const WIDE_CHARS: usize = 170;

/// Lines of one lane's name at most.
const NAME_LINES: usize = 2;

/// Single events that stand in words below the lanes at most. All of them show their words under a pointer.
const MARKS_MAX: usize = 60;

/// Parts of the scale of time.
const PARTS: i128 = 3;

/// The section of a page; nothing, where nothing has a time.
pub(super) fn section(page: &mut Markup, timeline: &Timeline) {
    if timeline.lanes.is_empty() {
        return;
    }
    let picture = Picture::of(timeline);
    page.markup("<section><h2>Timeline</h2><div class=\"wide\" role=\"group\" aria-label=\"Timeline\" tabindex=\"0\"><svg class=\"timeline\" role=\"img\" aria-label=\"Timeline of the capture, one lane per family and server fact\" viewBox=\"0 0 ")
        .number(WIDTH)
        .markup(" ")
        .number(picture.height())
        .markup("\">\n");
    picture.draw(page);
    page.within("</svg></div>\n<p>", LEGEND, "</p><ul>");
    for note in &timeline.notes {
        page.within("<li>", note, "</li>");
    }
    page.markup("</ul></section>\n");
}

/// The timeline alone, as an SVG file that any browser opens by itself.
pub fn svg(triage: &Triage) -> Clean {
    let timeline = &triage.timeline;
    let picture = Picture::of(timeline);
    let is_empty = timeline.lanes.is_empty();
    let first = if is_empty { "Nothing that was given says when something happened." } else { LEGEND };
    let paragraphs = std::iter::once(first).chain(timeline.notes.iter().map(String::as_str));
    let words: Vec<String> = paragraphs.flat_map(|paragraph| wrapped(paragraph, WIDE_CHARS)).collect();
    let top = MARGIN + LINE;
    let below = top + if is_empty { 0.0 } else { picture.height() + LINE };
    let height = below + LINE * words.len() as f64 + 2.0 * MARGIN;
    let mut page = Markup::default();
    let width = WIDTH + 2.0 * MARGIN;
    page.markup("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"timeline sheet\" width=\"").number(width);
    page.markup("\" height=\"").number(height).markup("\" viewBox=\"0 0 ").number(width).markup(" ").number(height);
    page.markup("\">\n<title>Timeline</title>\n<style>").markup(STYLE).markup(SHEET_STYLE);
    page.markup("</style>\n<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n<g transform=\"translate(");
    page.number(MARGIN).markup(" ").number(MARGIN).markup(")\">\n<text class=\"title\" y=\"14\">Timeline</text>\n");
    if !is_empty {
        page.markup("<g transform=\"translate(0 ").number(top).markup(")\">\n");
        picture.draw(&mut page);
        page.markup("</g>\n");
    }
    for (index, line) in words.iter().enumerate() {
        page.markup("<text y=\"").number(below + LINE * (index as f64 + 1.0)).within("\">", line, "</text>\n");
    }
    page.markup("</g>\n</svg>\n");
    Clean::told(page.as_str())
}

/// What is drawn.
struct Picture<'t> {
    timeline: &'t Timeline,
    /// The single events by their time, each with its lane.
    marks: Vec<(&'t Lane, &'t Mark)>,
    /// How many more there are.
    more: usize,
}

impl<'t> Picture<'t> {
    fn of(timeline: &'t Timeline) -> Self {
        let of_lane = |lane: &'t Lane| lane.marks.iter().map(move |mark| (lane, mark));
        let mut marks: Vec<_> = timeline.lanes.iter().flat_map(of_lane).collect();
        marks.sort_by_key(|(_, mark)| mark.at);
        let more = marks.len().saturating_sub(MARKS_MAX);
        marks.truncate(MARKS_MAX);
        Picture { timeline, marks, more }
    }

    fn height(&self) -> f64 {
        let lines = self.marks.len() + usize::from(!self.marks.is_empty()) + usize::from(self.more > 0);
        self.bottom() + LINE * lines as f64 + 5.0
    }

    /// Where the lanes end.
    fn bottom(&self) -> f64 {
        SCALE + LANE * self.timeline.lanes.len() as f64 + 4.0
    }

    /// Where a time lies.
    fn x(&self, at: i64) -> f64 {
        let (from, to) = (self.timeline.from as f64, self.timeline.to as f64);
        tenths(NAMES + (at as f64 - from) / (to - from).max(1.0) * (WIDTH - NAMES))
    }

    fn draw(&self, page: &mut Markup) {
        self.scale(page);
        for (index, lane) in self.timeline.lanes.iter().enumerate() {
            self.lane(page, lane, SCALE + LANE * index as f64);
        }
        self.words(page);
    }

    /// Both ends with their date, and the time of day between.
    fn scale(&self, page: &mut Markup) {
        let (from, to) = (i128::from(self.timeline.from), i128::from(self.timeline.to));
        for part in 0..=PARTS {
            let at = i64::try_from(from + (to - from) * part / PARTS).unwrap_or(i64::MAX);
            let printed = stamp::print(at);
            let (anchor, shown) = match (part, printed.strip_suffix(" UTC")) {
                (0, time) => ("start", time),
                (PARTS, time) => ("end", time),
                (_, time) => ("middle", time.and_then(|time| time.get(11..))),
            };
            let shown = shown.unwrap_or(&printed);
            let x = self.x(at);
            page.markup("<line class=\"grid\" x1=\"").number(x).markup("\" x2=\"").number(x).markup("\" y1=\"");
            page.number(SCALE - 6.0).markup("\" y2=\"").number(self.bottom()).markup("\"/><text text-anchor=\"");
            page.markup(anchor).markup("\" x=\"").number(x).within("\" y=\"12\">", shown, "</text>\n");
        }
    }

    fn lane(&self, page: &mut Markup, lane: &Lane, top: f64) {
        page.markup(if lane.trouble { "<g class=\"trouble\">" } else { "<g>" });
        let mut name = wrapped(&lane.name, NAME_CHARS);
        if name.len() > NAME_LINES {
            name.truncate(NAME_LINES);
            name.iter_mut().skip(NAME_LINES - 1).for_each(|line| line.push('…'));
        }
        let first = top + if name.len() > 1 { 13.0 } else { 20.0 };
        for (index, line) in name.iter().enumerate() {
            page.markup("<text class=\"name\" y=\"").number(first + 13.0 * index as f64).within("\">", line, "<title>");
            page.text(&lane.name).markup("</title></text>");
        }
        page.markup("<text text-anchor=\"end\" x=\"").number(NAMES - 8.0).markup("\" y=\"").number(top + 20.0);
        page.markup("\">").number(lane.total).markup("</text>");
        for span in &lane.spans {
            bar(page, self.x(span.from), top, self.x(span.to) - self.x(span.from), 0.15);
            page.within("<title>", &span.text, "</title></rect>");
        }
        let most = lane.density.iter().copied().max().unwrap_or(0).max(1);
        let width = (WIDTH - NAMES) / COLUMNS as f64;
        for (column, count) in lane.density.iter().enumerate().filter(|(_, count)| **count > 0) {
            // Above a floor, so that a single event beside a storm is seen.
            let opacity = 0.35 + 0.65 * f64::from(*count) / f64::from(most);
            bar(page, NAMES + column as f64 * width, top, width, opacity);
            page.markup("<title>").number(*count).markup("</title></rect>");
        }
        for mark in &lane.marks {
            let x = self.x(mark.at);
            page.markup("<line class=\"mark\" x1=\"").number(x).markup("\" x2=\"").number(x).markup("\" y1=\"");
            page.number(top + 2.0).markup("\" y2=\"").number(top + LANE - 2.0);
            page.within("\"><title>", &format!("{} {}", stamp::print(mark.at), mark.text), "</title></line>");
        }
        page.markup("</g>\n");
    }

    /// The single events in words: paper has no pointer.
    fn words(&self, page: &mut Markup) {
        let mut y = self.bottom() + LINE;
        for (lane, mark) in &self.marks {
            y += LINE;
            let printed = stamp::print(mark.at);
            page.markup("<text y=\"").number(y).within(
                "\">",
                printed.strip_suffix(" UTC").unwrap_or(&printed),
                "</text>",
            );
            let words = wrapped(&format!("{}: {}", lane.name, mark.text), MARK_CHARS);
            let more = if words.len() > 1 { " …</text>\n" } else { "</text>\n" };
            let first = words.first().map_or("", String::as_str);
            page.markup("<text x=\"165\" y=\"").number(y).within("\">", first, more);
        }
        if self.more > 0 {
            page.markup("<text y=\"").number(y + LINE).markup("\">… and ").number(self.more as u32);
            page.markup(" more, whose words show under a pointer</text>\n");
        }
    }
}

/// A rectangle of a lane, left open for its title.
fn bar(page: &mut Markup, x: f64, top: f64, width: f64, opacity: f64) {
    page.markup("<rect class=\"bar\" x=\"").number(tenths(x)).markup("\" y=\"").number(top + 5.0).markup("\" width=\"");
    page.number(tenths(width.max(1.0))).markup("\" height=\"").number(BAR).markup("\" fill-opacity=\"");
    page.number((opacity * 100.0).round() / 100.0).markup("\">");
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// A text in lines of so many characters at most, broken between words where it can be.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let (mut lines, mut line, mut length) = (Vec::new(), String::new(), 0);
    for word in plain(text, false).split(' ').filter(|word| !word.is_empty()) {
        let word: Vec<char> = word.chars().collect();
        for (index, piece) in word.chunks(most).enumerate() {
            let is_next = index == 0 && length > 0;
            if length + usize::from(is_next) + piece.len() > most {
                lines.push(std::mem::take(&mut line));
                length = 0;
            } else if is_next {
                line.push(' ');
                length += 1;
            }
            line.extend(piece);
            length += piece.len();
        }
    }
    if length > 0 {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_inside_of_those_that_are_longer() {
        assert_eq!(wrapped("", 5), [""; 0]);
        assert_eq!(wrapped("ab cd ef", 5), ["ab cd", "ef"]);
        assert_eq!(wrapped("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrapped("a bcdefgh", 4), ["a", "bcde", "fgh"]);
        assert_eq!(wrapped("ab\ncd\u{202e}", 20), ["ab cd[U+202E]"]);
        assert_eq!(wrapped("äöü äöü", 3), ["äöü", "äöü"]);
    }

    #[test]
    fn times_at_the_edge_of_what_numbers_hold_lie_inside_of_the_picture() {
        let lane = Lane { total: 1, density: vec![1; COLUMNS], ..Lane::default() };
        let timeline = Timeline { from: i64::MIN, to: i64::MAX, lanes: vec![lane], notes: Vec::new() };
        let picture = Picture::of(&timeline);
        assert_eq!((picture.x(i64::MIN), picture.x(0), picture.x(i64::MAX)), (NAMES, 650.0, WIDTH));
        picture.draw(&mut Markup::default());
    }
}
