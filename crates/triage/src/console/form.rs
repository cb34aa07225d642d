//! How programs write a console down, a line at a time: where a message begins, when it was printed, and at which level.

use std::sync::LazyLock;

use crypto_diag_core::{Level, Millis};
use regex_lite::{Captures, Regex};
use serde_json::Value;

use crate::stamp::read_iso;

/// A message of a console.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub at: Option<Millis>,
    pub printed: Printed,
    pub text: String,
}

/// A line that begins a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// When it was printed, by the client's clock; `None` where the form has no date or no zone.
    pub at: Option<Millis>,
    pub printed: Printed,
    pub text: String,
}

/// At which level a message was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Printed {
    /// Below warnings.
    Quietly,
    /// As a warning or an error.
    At(Level),
    /// The form does not say.
    Unknown,
}

impl Printed {
    /// A level's word or letter, or its number in `loglevel`. A word that is not known says nothing, so that its line is judged
    /// by its text.
    fn of(word: &str) -> Printed {
        match word.to_ascii_lowercase().as_str() {
            "warn" | "warning" | "w" | "3" => Printed::At(Level::Warn),
            "error" | "err" | "e" | "f" | "fatal" | "critical" | "severe" | "assert" | "pageerror" | "exception"
            | "4" => Printed::At(Level::Error),
            "log" | "info" | "debug" | "trace" | "verbose" | "notice" | "i" | "d" | "t" | "v" | "n" | "0" | "1"
            | "2" => Printed::Quietly,
            _ => Printed::Unknown,
        }
    }

    /// A level as JSON has it: a word, or a number of `loglevel` or, from 10 on, of bunyan and pino.
    fn of_json(value: &Value) -> Option<Printed> {
        match value {
            Value::String(word) => Some(Printed::of(word)),
            Value::Number(number) => match number.as_u64()? {
                number @ 0..=4 => Some(Printed::of(&number.to_string())),
                10..40 => Some(Printed::Quietly),
                40..50 => Some(Printed::At(Level::Warn)),
                50.. => Some(Printed::At(Level::Error)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What matrix-sdk-crypto prints says its level itself.
    pub fn or_machine(self, text: &str) -> Printed {
        let word = text.split(' ').next().unwrap_or_default();
        match word {
            "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" if self == Printed::Unknown => Printed::of(word),
            _ => self,
        }
    }
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant that the tests compile")
}

/// Element Web, element-desktop (letters) and Element Call (numbers): the rageshake's own console.
static RAGESHAKE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ([A-Z]|[0-4]) (.*)$"));

/// Rust's `tracing`, as Element X and matrix-rust-sdk write it to files; the level is padded to five letters.
static TRACING: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) {1,2}(TRACE|DEBUG|INFO|WARN|ERROR) (.*)$"));

/// Element Android's own files.
static ANDROID: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\*(\d{3})GMT[+-]\d\d:\d\dZ \d+ ([A-Z])/ ?/?[^:]*: (.*)$")
});

/// Android's logcat, `threadtime`.
static LOGCAT: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +\d+ +\d+ ([VDIWEF]) [^:]{1,80}: (.*)$"));

/// Chromium's `--enable-logging`, which element-desktop's terminal shows.
static CHROMIUM: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"^\[\d+(?::\d+)?:\d{4}/\d{6}(?:\.\d+)?:([A-Z]+):CONSOLE[:(]\d+\)?\] "(.*?)"?(?:, source: \S* \(\d+\))?$"#)
});

/// Firefox with `devtools.console.stdout.content`: the arguments as it writes values down.
static FIREFOX_STDOUT: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^console\.(log|info|debug|trace|warn|error|assert): (.*)$"));

/// An error among such arguments.
static NEW_ERROR: LazyLock<Regex> = LazyLock::new(|| regex(r#"^\(new ([A-Za-z]+)\("((?:[^"\\]|\\.)*)"[^()]*\)\)"#));

/// Safari's Web Inspector: behind a message its place, and how often it came in a row.
static SAFARI: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^\[(Log|Info|Warning|Error|Debug)\] (.*?)(?: \((?:[^()\s]+, line \d+(?:, x\d+)?|x\d+)\))?$")
});

/// A time of day, as Chrome and Firefox show it if asked to.
static TIME_OF_DAY: LazyLock<Regex> = LazyLock::new(|| regex(r"^\d\d:\d\d:\d\d\.\d{3} (.+)$"));

/// Chrome's "Save as…": the script and its line stand before the message.
static CHROME: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:\d\d:\d\d:\d\d\.\d{3} )?(?:VM\d+(?: \S+)?|\(index\)|\S+\.(?:js|mjs|cjs|ts|tsx|html|wasm)(?:\?\S*?)?):\d+ (.*)$",
    )
});

/// Firefox: the script's place stands behind the message.
static FIREFOX: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(.*?) [^\s:]+\.(?:js|mjs|cjs|ts|tsx|html|wasm)(?:\?[^\s:]*)?:\d+(?::\d+)?$"));

/// The message that begins in a line, if one does.
pub(super) fn start(line: &str) -> Option<Start> {
    // Forms begin with a digit, a bracket, a brace, or, Chrome's, with a script's name.
    match line.as_bytes().first()? {
        b'{' => json(line),
        b'[' => {
            if let Some(found) = CHROMIUM.captures(line) {
                // Chromium 156 logs every call at INFO, whatever method it was.
                let printed = if &found[1] == "INFO" { Printed::Unknown } else { Printed::of(group(&found, 1)) };
                return Some(Start { at: None, printed, text: group(&found, 2).to_owned() });
            }
            let found = SAFARI.captures(line)?;
            Some(Start { at: None, printed: Printed::of(group(&found, 1)), text: group(&found, 2).to_owned() })
        }
        b'c' if line.starts_with("console.") => {
            let found = FIREFOX_STDOUT.captures(line)?;
            Some(Start { at: None, printed: Printed::of(group(&found, 1)), text: arguments(group(&found, 2)) })
        }
        b'0'..=b'9' => stamped(line).or_else(|| chrome(line)).or_else(|| {
            let message = TIME_OF_DAY.captures(line)?;
            let message = group(&message, 1);
            let text = location(message).unwrap_or(message).to_owned();
            Some(Start { at: None, printed: Printed::Unknown, text })
        }),
        _ => chrome(line),
    }
}

/// Whether a line may as well be one of a homeserver that is written in Rust: those print in `tracing`'s form, too. A client's
/// line is of the SDK, or has Element X's spans behind it.
pub(super) fn is_servers(line: &str) -> bool {
    TRACING.is_match(line) && !line.contains("matrix_sdk") && !line.contains(" | spans:") && !line.contains("elementx")
}

fn stamped(line: &str) -> Option<Start> {
    if let Some(found) = RAGESHAKE.captures(line).or_else(|| TRACING.captures(line)) {
        let text = group(&found, 3).to_owned();
        return Some(Start { at: instant(group(&found, 1)), printed: Printed::of(group(&found, 2)), text });
    }
    if let Some(found) = ANDROID.captures(line) {
        // Its zone is always written as GMT's, whatever the digits behind it.
        let at = instant(&format!("{}.{}Z", group(&found, 1), group(&found, 2)));
        return Some(Start { at, printed: Printed::of(group(&found, 3)), text: group(&found, 4).to_owned() });
    }
    let found = LOGCAT.captures(line)?;
    // Neither a year nor a zone.
    Some(Start { at: None, printed: Printed::of(group(&found, 1)), text: group(&found, 2).to_owned() })
}

fn chrome(line: &str) -> Option<Start> {
    let found = CHROME.captures(line)?;
    Some(Start { at: None, printed: Printed::Unknown, text: group(&found, 1).to_owned() })
}

/// A line's text without the place of a script at its end, if one stands there.
pub(super) fn location(line: &str) -> Option<&str> {
    Some(FIREFOX.captures(line)?.get(1)?.as_str())
}

fn group<'l>(found: &Captures<'l>, index: usize) -> &'l str {
    found.get(index).map_or("", |group| group.as_str())
}

fn instant(text: &str) -> Option<Millis> {
    let (stamp, _) = read_iso(text.as_bytes()).filter(|(stamp, _)| stamp.has_zone)?;
    u64::try_from(stamp.ms).ok().map(Millis)
}

/// The arguments of a call as a console would show them.
fn arguments(written: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut rest = written.trim_start();
    while !rest.is_empty() {
        let (word, length) = if rest.starts_with('"') {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            match values.next() {
                Some(Ok(text)) => (text, values.byte_offset()),
                // A string that was cut off.
                _ => (rest.to_owned(), rest.len()),
            }
        } else if let Some(found) = NEW_ERROR.captures(rest) {
            (format!("{}: {}", &found[1], found[2].replace("\\\"", "\"")), found[0].len())
        } else {
            let length = rest.find(' ').unwrap_or(rest.len());
            (rest[..length].to_owned(), length)
        };
        words.push(word);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    words.join(" ")
}

/// What Chromium's log puts behind a message, where the message has several lines.
pub(super) fn without_source(text: &str) -> &str {
    static SOURCE: LazyLock<Regex> = LazyLock::new(|| regex(r#"", source: \S* \(\d+\)$"#));
    SOURCE.find(text).map_or(text, |found| &text[..found.start()])
}

/// A message of several lines without the script's place that Firefox writes behind the last one.
pub(super) fn without_place(text: &str) -> &str {
    let Some((before, last)) = text.rsplit_once('\n') else { return text };
    location(last).map_or(text, |last| &text[..before.len() + 1 + last.len()])
}

/// A message without the call stack that Chrome's "Save as…" writes below each warning and error.
pub(super) fn without_calls(text: &str) -> &str {
    static CALL: LazyLock<Regex> = LazyLock::new(|| regex(r"^\S.* @ \S+:\d+$"));
    // Where a call waited, and what the inspector folds.
    static BETWEEN: LazyLock<Regex> =
        LazyLock::new(|| regex(r"^(?:await in \S+|[A-Za-z.]+(?: \(async\))?|Show \d+ more frames?)$"));
    let mut message = text;
    let mut rest = text;
    while let Some((before, line)) = rest.rsplit_once('\n') {
        if CALL.is_match(line) {
            message = before;
        } else if !BETWEEN.is_match(line) {
            break;
        }
        rest = before;
    }
    message
}

/// What ChromeDriver's browser log has as a message, which Selenium and WebdriverIO hand on: the script, the place, and the
/// arguments as it writes values down.
fn of_driver(text: &str) -> Option<String> {
    static DRIVER: LazyLock<Regex> = LazyLock::new(|| regex(r#"^\S+ \d+:\d+ (".*)$"#));
    DRIVER.captures(text).map(|found| arguments(group(&found, 1)))
}

/// Whether a document that begins so is one JSON list of such messages, as a test writes it at its end.
pub(super) fn begins_list(head: &[u8]) -> bool {
    let Some(inside) = head.trim_ascii_start().strip_prefix(b"[") else { return false };
    let first = serde_json::Deserializer::from_slice(inside).into_iter::<Value>().next();
    first.and_then(Result::ok).is_some_and(|first| of_value(&first).is_some())
}

/// A line of a test's recorder.
fn json(line: &str) -> Option<Start> {
    of_value(&serde_json::from_str(line).ok()?)
}

/// A message of a test's recorder: Playwright's or Cypress's own fields, or those of this project's fixtures.
fn of_value(message: &Value) -> Option<Start> {
    let map = message.as_object()?;
    let named = |names: &[&str]| names.iter().find_map(|name| map.get(*name));
    let printed = Printed::of_json(named(&["level", "type", "method", "severity"])?)?;
    let text = match named(&["args", "text", "message", "msg"])? {
        Value::String(text) => text.clone(),
        Value::Array(args) => {
            let word = |arg: &Value| arg.as_str().map_or_else(|| arg.to_string(), str::to_owned);
            args.iter().map(word).collect::<Vec<_>>().join(" ")
        }
        _ => return None,
    };
    let at = named(&["ts", "timestamp", "time", "date"]).and_then(|at| match at {
        Value::Number(ms) => ms.as_f64().filter(|ms| (1e12..1e14).contains(ms)).map(|ms| Millis(ms as u64)),
        Value::String(text) => instant(text),
        _ => None,
    });
    Some(Start { at, printed, text: of_driver(&text).unwrap_or(text) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(line: &str) -> (Option<u64>, Printed, String) {
        let start = start(line).unwrap_or_else(|| panic!("no form begins with {line}"));
        (start.at.map(|at| at.0), start.printed, start.text)
    }

    #[test]
    fn each_program_s_form_gives_time_level_and_text() {
        let (warn, error) = (Printed::At(Level::Warn), Printed::At(Level::Error));
        let at = Some(1_795_422_963_315);
        for (line, wanted) in [
            ("2026-11-23T08:36:03.315Z W a b", (at, warn, "a b")),
            ("2026-11-23T08:36:03.315Z 4 a b", (at, error, "a b")),
            ("2026-11-23T08:36:03.315Z 2 a b", (at, Printed::Quietly, "a b")),
            ("2026-11-23T08:36:03.315232Z  WARN a: b", (at, warn, "a: b")),
            ("2026-11-23T08:36:03.315232Z ERROR a: b", (at, error, "a: b")),
            ("2026-11-23T08:36:03*315GMT+00:00Z 12226 W/ /Tag: a b", (at, warn, "a b")),
            ("01-17 14:59:30.657 14303 14303 E Activity: a: b", (None, error, "a: b")),
            (
                "[4321:1123/093603.315232:WARNING:CONSOLE(7)] \"a \"b\"\", source: https://app.example.org/init.js (7)",
                (None, warn, "a \"b\""),
            ),
            ("[4321:1123/093603.315232:ERROR:CONSOLE:7] \"a b", (None, error, "a b")),
            (
                "[1:1:1126/184110.363979:INFO:CONSOLE:2] \"a b\", source: https://x/y.html (2)",
                (None, Printed::Unknown, "a b"),
            ),
            (
                r#"console.error: "a \"b\"" (new Error("c \"d\"", "https://x/y.html", 3)) 4"#,
                (None, error, "a \"b\" Error: c \"d\" 4"),
            ),
            (r#"console.log: "a"#, (None, Printed::Quietly, "\"a")),
            ("[Error] a b (init.js, line 12)", (None, error, "a b")),
            ("[Error] a b (init.js, line 12, x3)", (None, error, "a b")),
            ("[Error] a () (x3)", (None, error, "a ()")),
            ("[Log] a b", (None, Printed::Quietly, "a b")),
            ("init.js?v=1:12 a b", (None, Printed::Unknown, "a b")),
            ("09:36:03.315 rageshake.ts:77 a b", (None, Printed::Unknown, "a b")),
            ("VM123:1 a b", (None, Printed::Unknown, "a b")),
            ("09:36:03.315 a b init.js:1:1116520", (None, Printed::Unknown, "a b")),
            (r#"{"ts": 1795422963315, "level": "warn", "args": ["a", {"b": 1}]}"#, (at, warn, "a {\"b\":1}")),
            (r#"{"type":"error","text":"a b","location":{"url":"x"}}"#, (None, error, "a b")),
            (r#"{"type":"console","messageType":"error","text":"a b"}"#, (None, Printed::Unknown, "a b")),
            (r#"{"level":50,"time":1795422963315,"msg":"a b"}"#, (at, error, "a b")),
            (r#"{"level":30,"time":1795422963315,"msg":"a b"}"#, (at, Printed::Quietly, "a b")),
            (
                r#"{"level":"SEVERE","message":"https://app.example.org/init.js 1:23 \"a \\\"b\\\"\" 4","source":"console-api","timestamp":1795422963315}"#,
                (at, error, "a \"b\" 4"),
            ),
            (r#"{"time":"2026-11-23T08:36:03.315Z","level":"debug","message":"a"}"#, (at, Printed::Quietly, "a")),
        ] {
            let (ts, printed, text) = started(line);
            assert_eq!((ts, printed, text.as_str()), wanted, "{line}");
        }
    }

    #[test]
    fn a_message_s_calls_are_no_part_of_it() {
        for (text, wanted) in [
            ("a\nprint @ app.js:3\n(anonymous) @ app.js:5", "a"),
            (
                "a\n    at x.rs:1\nprint @ app.js:3\nawait in print\nShow 3 more frames\nf @ app.js:5",
                "a\n    at x.rs:1",
            ),
            ("a\nPromise.then", "a\nPromise.then"),
            ("a @ app.js:3", "a @ app.js:3"),
        ] {
            assert_eq!(without_calls(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_place_behind_a_message_s_last_line_is_no_part_of_it() {
        assert_eq!(without_place("a\n    in f app.js:3:17"), "a\n    in f");
        assert_eq!(without_place("a\n    in f"), "a\n    in f");
    }

    #[test]
    fn what_begins_no_message_is_none() {
        for line in [
            "",
            "    at /x/y.rs:12",
            "2026-11-23 08:36:03,871 - synapse.a - 1 - INFO - GET-1 - m",
            " key_id | used",
            "{\"a\":1}",
            "[1, 2]",
            "a comment about index.js:12",
        ] {
            assert_eq!(start(line), None, "{line}");
        }
    }
}
