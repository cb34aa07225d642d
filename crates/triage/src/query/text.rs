//! What database clients print: psql's aligned, unicode, expanded, unaligned and CSV forms in any language, pgcli's and
//! sqlite3's, and what editors export. Several results may follow one another, with prompts and messages between.

use serde_json::Value;

use super::asked::begins_description;
use super::{Row, Table};
use crate::problem::{Place, Problems};

/// Columns whose names alone show that a line is a table's head.
const KNOWN: [&str; 16] = [
    "asked",
    "nothing",
    "user_id",
    "device_id",
    "algorithm",
    "key_id",
    "ts_added_ms",
    "key_json",
    "public_key",
    "stream_id",
    "message_json",
    "pending",
    "event_id",
    "delay_id",
    "ed25519",
    "hidden",
];

/// The tables of a text.
pub(super) fn tables(text: &str, problems: &mut Problems) -> Vec<Table> {
    let lines: Vec<Line<'_>> = text.lines().map(Line::of).collect();
    let mut tables = Vec::new();
    let mut at = 0;
    let mut refused = false;
    while at < lines.len() {
        let found = if lines[at].is_record() {
            Some(expanded(&lines, at))
        } else if let Some(layout) = layout(&lines, at) {
            Some(aligned(&lines, &layout, problems))
        } else {
            named_per_line(&lines, at).or_else(|| separated(text, &lines, at, problems))
        };
        if let Some((table, end)) = found {
            tables.push(table);
            at = end.max(at + 1);
            continue;
        }
        if lines[at].is_said() {
            let quoted = crate::quote::quote(lines[at].raw);
            problems.add(Place::Line(at as u64 + 1), format!("instead of an answer the database says: {quoted}"));
            refused = true;
        }
        at += 1;
    }
    if tables.is_empty()
        && !refused
        && let Some(at) = lines.iter().position(Line::is_row_alone)
    {
        problems.add(
            Place::Line(at as u64 + 1),
            "these are rows without a head, so nothing says what they are: copy the result again with its first lines, for \
             which `\\pset pager off` keeps psql from a pager, and COPY has the option HEADER",
        );
    }
    tables
}

/// Whether a text that begins so holds a table, or rows that have lost their head.
pub(super) fn begins_so(head: &str) -> bool {
    let lines: Vec<Line<'_>> = head.lines().map(Line::of).collect();
    (0..lines.len()).any(|at| {
        lines[at].is_record()
            || layout(&lines, at).is_some()
            || delimiter(&lines[at]).is_some()
            || lines[at].is_row_alone()
            || named_per_line(&lines, at).is_some()
    })
}

/// A line, with box-drawing characters as psql's ASCII has them.
struct Line<'l> {
    raw: &'l str,
    text: String,
}

impl<'l> Line<'l> {
    fn of(raw: &'l str) -> Self {
        let ascii = |character| match character {
            '│' | '║' | '┃' | '╎' => '|',
            '─' | '━' | '═' => '-',
            '┼' | '├' | '┤' | '┬' | '┴' | '┌' | '┐' | '└' | '┘' | '╞' | '╡' | '╪' | '╤' | '╧' | '╔' | '╗' | '╚'
            | '╝' | '╟' | '╢' | '╠' | '╣' | '╦' | '╩' | '╬' | '╭' | '╮' | '╰' | '╯' => '+',
            other => other,
        };
        Line { raw, text: raw.chars().map(ascii).collect() }
    }

    /// A rule under a head or around a table: `----+---`, `+---+`, `|---+---|`, `---- ---`.
    fn is_rule(&self) -> bool {
        let text = self.text.trim();
        text.contains("--") && text.chars().all(|character| matches!(character, '-' | '+' | '|' | ' ' | ':'))
    }

    /// `-[ RECORD 1 ]----`, in any language.
    fn is_record(&self) -> bool {
        let text = self.text.trim_start_matches(['+', '-', '*', ' ']);
        let Some((inside, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else { return false };
        let numbered = inside.trim().rsplit(' ').next().is_some_and(|number| number.parse::<u64>().is_ok());
        let begins = self.text.starts_with(['+', '-', '*']);
        begins
            && numbered
            && inside.trim().contains(' ')
            && rest.chars().all(|c| matches!(c, '-' | '+' | '*' | '.' | ' '))
    }

    /// `(2 rows)`, `(1 Zeile)`, `(1개 행)`, `SELECT 2`, `(END)`, `Time: …`.
    fn is_footer(&self) -> bool {
        let text = self.text.trim();
        // In some languages the number stands behind the word, or nothing stands between them.
        let counted = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).is_some_and(|text| {
            let is_digit = |character: char| character.is_ascii_digit();
            text.chars().filter(|character| *character == ' ').count() < 3
                && (text.starts_with(is_digit) || text.ends_with(is_digit))
                && text.contains(|character: char| !is_digit(character))
                && text.chars().all(|character| character.is_alphanumeric() || character == ' ')
        });
        counted || text == "(END)" || text.starts_with("SELECT ") || text.starts_with("Time: ")
    }

    /// A message in place of an answer. In every language a server's begins with a word for its severity, a colon, and two spaces
    /// (French has one of them in front); clients say `psql: error: …` and `Parse error …` of their own.
    fn is_said(&self) -> bool {
        let is_space = |character| matches!(character, ' ' | '\u{a0}');
        let by_server = self.raw.split_once(':').is_some_and(|(word, message)| {
            let parted = message.starts_with("  ") || (word.ends_with(is_space) && message.starts_with(' '));
            let word = word.trim_end_matches(is_space);
            parted && (2..24).contains(&word.chars().count()) && word.chars().all(char::is_alphabetic)
        });
        by_server
            || ["psql:", "psql :", "Error: ", "Parse error", "Runtime error"]
                .iter()
                .any(|word| self.raw.starts_with(word))
    }

    /// A row that has cells of ours, and no head that says what they are.
    fn is_row_alone(&self) -> bool {
        let is_asked = begins_description(self.text.trim_start_matches([' ', '"', '|']));
        let is = |delimiter: &str, ours: &[&str]| {
            let is_ours = |cell: &str| {
                let cell = cell.trim_matches([' ', '"']);
                cell == "signed_curve25519" || ours.iter().any(|word| cell.starts_with(word))
            };
            self.text.split(delimiter).count() > 2 && (is_asked || self.text.split(delimiter).any(is_ours))
        };
        // Prose has commas and names, too.
        [" | ", "\t"].into_iter().any(|delimiter| is(delimiter, &["@", "$"]))
            || ["|", ",", ";"].into_iter().any(|delimiter| is(delimiter, &[]))
    }
}

/// Where a table's head and rows are, and how they are cut into cells.
struct Layout {
    names: Vec<String>,
    /// The first row.
    rows: usize,
    /// Whether bars stand at both ends of a row.
    boxed: bool,
    /// Where bars stand, in characters; or, without bars, where each column is.
    bars: Vec<usize>,
    columns: Option<Vec<(usize, usize)>>,
}

/// The layout of a table whose head is this line: a rule follows it.
fn layout(lines: &[Line<'_>], head: usize) -> Option<Layout> {
    let (line, rule) = (lines.get(head)?, lines.get(head + 1)?);
    if !rule.is_rule() || line.is_rule() || line.is_record() || line.text.trim().is_empty() {
        return None;
    }
    let ruled: Vec<char> = rule.text.chars().collect();
    let bars: Vec<usize> = (0..ruled.len()).filter(|at| matches!(ruled[*at], '+' | '|')).collect();
    let boxed = line.text.trim_start().starts_with('|');
    let columns = bars.is_empty().then(|| {
        let mut columns = Vec::new();
        let mut at = 0;
        while at < ruled.len() {
            let from = at;
            while at < ruled.len() && ruled[at] == '-' {
                at += 1;
            }
            if at > from {
                columns.push((from, at));
            }
            at += 1;
        }
        columns
    });
    let mut layout = Layout { names: Vec::new(), rows: head + 2, boxed, bars, columns };
    let count = match &layout.columns {
        Some(columns) => columns.len(),
        None => line.text.matches('|').count() + 1 - if boxed { 2 } else { 0 },
    };
    let cells = layout.cells(&line.text, count)?;
    layout.names = cells.iter().map(|name| name.trim().to_owned()).collect();
    // A heading that is underlined is no table.
    let is_table =
        layout.names.len() > 1 || layout.names.iter().any(|name| KNOWN.contains(&&**name) || name == "count");
    (is_table && layout.names.iter().all(|name| is_column(name))).then_some(layout)
}

impl Layout {
    /// A row's cells. A cell that is wider than its column moves the bars; one that holds a bar has too many of them.
    fn cells(&self, text: &str, count: usize) -> Option<Vec<String>> {
        if let Some(columns) = &self.columns {
            let characters: Vec<char> = text.chars().collect();
            let last = columns.len().checked_sub(1)?;
            let cell = |(index, (from, to)): (usize, &(usize, usize))| {
                let to = if index == last { characters.len() } else { (*to).min(characters.len()) };
                characters.get((*from).min(to)..to).unwrap_or_default().iter().collect()
            };
            return Some(columns.iter().enumerate().map(cell).collect());
        }
        let inner = if self.boxed { text.trim().strip_prefix('|')?.trim_end().strip_suffix('|')? } else { text };
        let by_bars: Vec<String> = inner.split('|').map(str::to_owned).collect();
        if by_bars.len() == count {
            return Some(by_bars);
        }
        let characters: Vec<char> = text.chars().collect();
        let inside = if self.boxed { self.bars.get(1..self.bars.len().saturating_sub(1))? } else { &self.bars[..] };
        if inside.len() + 1 == count && inside.iter().all(|at| characters.get(*at) == Some(&'|')) {
            let first = if self.boxed { self.bars[0] + 1 } else { 0 };
            let end = if self.boxed { characters.len().checked_sub(1)? } else { characters.len() };
            let edges: Vec<usize> = inside.iter().copied().chain([end]).collect();
            let mut from = first;
            let mut cells = Vec::new();
            for to in edges {
                cells.push(characters.get(from..to)?.iter().collect());
                from = to + 1;
            }
            return Some(cells);
        }
        // In our own queries only the last column is JSON, which may hold a bar.
        let cells: Vec<String> = inner.splitn(count, '|').map(str::to_owned).collect();
        (cells.len() == count).then_some(cells)
    }
}

fn aligned(lines: &[Line<'_>], layout: &Layout, problems: &mut Problems) -> (Table, usize) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut at = layout.rows;
    while at < lines.len() {
        let line = &lines[at];
        if line.text.trim().is_empty() || line.is_footer() || line.is_rule() {
            at += 1;
            break;
        }
        // The next query's head, where the client prints nothing between two results.
        if at > layout.rows && self::layout(lines, at).is_some() {
            break;
        }
        match (layout.cells(&line.text, layout.names.len()), rows.last_mut()) {
            (Some(cells), Some(row)) if row.iter().zip(&cells).any(|(cell, more)| is_wrapped(cell, more)) => {
                row.iter_mut().zip(&cells).for_each(|(cell, more)| go_on(cell, more));
            }
            (Some(cells), _) => rows.push(cells),
            (None, _) => problems.add(Place::Line(at as u64 + 1), "this row has too few columns; left out"),
        }
        at += 1;
    }
    let mut table = Table::default();
    for row in &rows {
        push(&mut table, &layout.names, row.iter().map(|cell| cell.trim()));
    }
    (table, at)
}

/// What psql puts at a cell's edges where its text goes on in the next line: in `wrapped` form, in ASCII and Unicode.
const WRAPS: [char; 2] = ['.', '…'];

/// Whether a cell goes on in the line below.
fn is_wrapped(cell: &str, more: &str) -> bool {
    WRAPS.iter().any(|mark| cell.ends_with(*mark) && more.starts_with(*mark))
}

/// Adds what a cell's next line holds.
fn go_on(cell: &mut String, more: &str) {
    if !is_wrapped(cell, more) {
        return;
    }
    cell.pop();
    let more = more.strip_prefix(WRAPS).unwrap_or(more);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number's digits stand at the right of its column.
    let numbers = is_number(cell.trim()) && is_number(more.trim());
    cell.push_str(if numbers { more.trim() } else { more });
}

/// A record's fields, one a line, each record under a line of its own.
fn expanded(lines: &[Line<'_>], start: usize) -> (Table, usize) {
    let mut table = Table::default();
    let (mut names, mut cells) = (Vec::new(), Vec::new());
    let mut at = start;
    while at < lines.len() {
        let line = &lines[at];
        let inner = line.text.trim_start().strip_prefix("| ").and_then(|text| text.trim_end().strip_suffix('|'));
        let field = inner.unwrap_or(&line.text).split_once('|');
        if line.is_record() {
            push(&mut table, &names, cells.iter().map(String::as_str));
            names.clear();
            cells.clear();
        } else if let Some((name, cell)) = field.filter(|(name, _)| is_column(name.trim())) {
            names.push(name.trim().to_owned());
            cells.push(cell.trim().to_owned());
        } else if let (Some((_, more)), Some(cell)) =
            (field.filter(|(name, _)| name.trim().is_empty()), cells.last_mut())
        {
            go_on(cell, more.trim_end());
        } else {
            break;
        }
        at += 1;
    }
    push(&mut table, &names, cells.iter().map(String::as_str));
    (table, at.max(start + 1))
}

/// psql's expanded unaligned form (`name|value`) and sqlite3's `.mode line` (`name = value`): records are parted by an empty
/// line. Only a known column's name shows that it is one.
fn named_per_line(lines: &[Line<'_>], start: usize) -> Option<(Table, usize)> {
    let field = |line: &Line<'_>| -> Option<(String, String)> {
        let text = &line.text;
        let (name, cell) = text.split_once(" = ").or_else(|| text.split_once('|'))?;
        (is_column(name.trim()) && !cell.contains('|') || name.trim() == "key_json" || name.trim() == "message_json")
            .then(|| (name.trim().to_owned(), cell.trim().to_owned()))
    };
    let known = |line: &Line<'_>| field(line).is_some_and(|(name, _)| KNOWN.contains(&&*name));
    let both = known(lines.get(start)?) && lines.get(start + 1).is_some_and(known);
    // A head of two columns reads as a field whose value is a column's name.
    let is_head = field(&lines[start]).is_some_and(|(_, value)| KNOWN.contains(&&*value));
    if !both || is_head {
        return None;
    }
    let mut table = Table::default();
    let (mut names, mut cells) = (Vec::new(), Vec::new());
    let mut at = start;
    while at < lines.len() {
        match field(&lines[at]) {
            Some((name, cell)) => {
                // Results of several queries follow one another without an empty line.
                if names.contains(&name) {
                    push(&mut table, &names, cells.iter().map(String::as_str));
                    names.clear();
                    cells.clear();
                }
                names.push(name);
                cells.push(cell);
            }
            None if lines[at].text.trim().is_empty() && lines.get(at + 1).is_some_and(|line| field(line).is_some()) => {
                push(&mut table, &names, cells.iter().map(String::as_str));
                names.clear();
                cells.clear();
            }
            None => break,
        }
        at += 1;
    }
    push(&mut table, &names, cells.iter().map(String::as_str));
    Some((table, at))
}

/// What parts the cells of a head, if a line is one.
fn delimiter(line: &Line<'_>) -> Option<u8> {
    [b',', b';', b'\t', b'|'].into_iter().find(|delimiter| is_head(line.raw.split(char::from(*delimiter))))
}

/// Whether cells are a head: at least one of the names is known, and all may be names.
fn is_head<'n>(cells: impl Iterator<Item = &'n str>) -> bool {
    let names: Vec<&str> = cells.map(|name| name.trim_matches([' ', '"'])).collect();
    names.len() > 1 && names.iter().all(|name| is_column(name)) && names.iter().any(|name| KNOWN.contains(name))
}

/// Cells with a character between them, from their head on: psql's `--csv` and unaligned form, COPY with HEADER, editors' exports.
fn separated(text: &str, lines: &[Line<'_>], head: usize, problems: &mut Problems) -> Option<(Table, usize)> {
    match delimiter(&lines[head])? {
        delimiter @ (b',' | b';') => csv(text, lines, head, delimiter, problems),
        delimiter => Some(unquoted(lines, head, char::from(delimiter), problems)),
    }
}

/// Without quotes a line is a row. In our own queries only the last column is JSON, which may hold the character.
fn unquoted(lines: &[Line<'_>], head: usize, delimiter: char, problems: &mut Problems) -> (Table, usize) {
    let names: Vec<String> = lines[head].raw.split(delimiter).map(|name| name.trim().to_owned()).collect();
    let mut table = Table::default();
    let mut at = head + 1;
    while at < lines.len() {
        let cells: Vec<&str> = lines[at].raw.splitn(names.len(), delimiter).collect();
        if cells.len() == 1 || lines[at].is_footer() || self::delimiter(&lines[at]).is_some() {
            break;
        }
        if cells.len() == names.len() {
            // COPY's text doubles backslashes.
            let unescaped = cells.iter().map(|cell| match (delimiter, *cell) {
                ('\t', cell) if cell != "\\N" => cell.replace("\\\\", "\\"),
                (_, cell) => cell.to_owned(),
            });
            let cells: Vec<String> = unescaped.collect();
            push(&mut table, &names, cells.iter().map(String::as_str));
        } else {
            problems.add(Place::Line(at as u64 + 1), FEWER_COLUMNS);
        }
        at += 1;
    }
    (table, at)
}

const FEWER_COLUMNS: &str = "this row has another number of columns than the head; left out";

fn csv(text: &str, lines: &[Line<'_>], head: usize, delimiter: u8, problems: &mut Problems) -> Option<(Table, usize)> {
    let start = text.split_inclusive('\n').take(head).map(str::len).sum::<usize>();
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(text.get(start..)?.as_bytes());
    let names: Vec<String> = reader.headers().ok()?.iter().map(|name| name.trim().to_owned()).collect();
    let mut table = Table::default();
    let mut end = lines.len();
    for record in reader.records() {
        let line = |position: Option<&csv::Position>| position.map_or(1, csv::Position::line) + head as u64;
        // The head of the next query's result: nothing stands between two.
        if let Ok(record) = &record
            && is_head(record.iter())
        {
            end = (line(record.position()) as usize).saturating_sub(1);
            break;
        }
        match record {
            Ok(record) if record.len() == names.len() => push(&mut table, &names, record.iter()),
            Ok(record) => {
                let at = line(record.position());
                let row = lines.get(at as usize - 1);
                // A footer, a prompt or a message ends the table; what follows may be another one.
                if record.len() == 1 || row.is_some_and(Line::is_footer) {
                    end = at as usize;
                    break;
                }
                problems.add(Place::Line(at), FEWER_COLUMNS);
            }
            Err(error) => problems.add(Place::Line(line(error.position())), format!("no CSV: {error}")),
        }
    }
    Some((table, end))
}

fn is_column(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'?' | b' '))
}

fn push<'c>(table: &mut Table, names: &[String], cells: impl Iterator<Item = &'c str>) {
    let row: Row = names.iter().cloned().zip(cells.map(value)).collect();
    if !row.is_empty() {
        table.rows.push(row);
    }
}

fn value(cell: &str) -> Value {
    if is_nothing(cell) { Value::Null } else { Value::String(cell.to_owned()) }
}

/// Whether a cell is how a client shows that there is no value. psql shows nothing unless `\pset null` says otherwise, and people
/// let it say a word, in brackets or not, or a sign or two.
fn is_nothing(cell: &str) -> bool {
    let is_bracket =
        |character| matches!(character, '(' | ')' | '<' | '>' | '[' | ']' | '{' | '}' | '«' | '»' | '⟨' | '⟩');
    let word = cell.trim_matches(is_bracket);
    let named = word.eq_ignore_ascii_case("null") || word.eq_ignore_ascii_case("nil");
    // Signs of ASCII may be the end of a cell that was broken over two lines: `"}`, `==`.
    let signs = cell.chars().count() < 3 && cell.chars().all(|sign| !sign.is_ascii() && !sign.is_alphanumeric());
    named || signs || matches!(cell, "\\N" | "Ø" | "ø" | "-" | "--")
}
