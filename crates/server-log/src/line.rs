//! Reads a line, whatever it is wrapped in.

use std::borrow::Cow;

use crate::event::EventKind;
use crate::format::{CUT_MARKS, LogLine};
use crate::formats::bare;
use crate::journald::{BLOB_WORDS, NULL_WORDS};
use crate::json_wrapping::peel_json;
use crate::left_out::LEFT_OUT_WORDS;
use crate::level::LogLevel;
use crate::wrapping::{self, WRAPPINGS_MAX};

/// Reads a line; `None` if it is not the beginning of a log line, as those of a traceback are not.
///
/// ```
/// use crypto_diag_server_log::{LogLevel, parse_line};
///
/// let line = b"2026-11-23 08:36:03,871 - synapse.http.server - 131 - INFO - POST-48 - <...> SynapseError: 400 - x";
/// let line = parse_line(line).unwrap();
/// assert_eq!((line.request.as_deref(), line.level), (Some("POST-48"), LogLevel::Info));
/// assert_eq!(line.message, "<...> SynapseError: 400 - x");
/// assert_eq!(parse_line(b"  File \"x.py\", line 3, in y"), None);
/// ```
pub fn parse_line(line: &[u8]) -> Option<LogLine<'_>> {
    parse(trim_end(line), 0)
}

fn parse(line: &[u8], depth: u8) -> Option<LogLine<'_>> {
    if let Some(line) = bare(line) {
        return Some(line);
    }
    if depth >= WRAPPINGS_MAX {
        return None;
    }
    if line.first() == Some(&b'{') {
        let wrapping = peel_json(line)?;
        let inner = match parse(trim_end(&wrapping.inner), depth + 1) {
            Some(inner) => inner.into_owned(),
            None => wrapping.without_header?,
        };
        let mut inner = inner.within(wrapping.time, wrapping.source.map(Cow::Owned));
        if inner.level == LogLevel::Unknown {
            inner.level = wrapping.level;
        }
        return Some(inner);
    }
    let wrapping = wrapping::peel(line)?;
    let inner = parse(wrapping.inner, depth + 1)?;
    Some(inner.within(wrapping.time, wrapping.source.map(Cow::Borrowed)))
}

/// Whether a line was lost, or so much of it that nobody can tell whom it is about: [`EventKind::Cut`],
/// [`EventKind::Hidden`] or [`EventKind::LeftOut`]. Nearly all lines are told by their end.
pub fn is_lost(line: &[u8]) -> bool {
    let end = trim_end(line);
    let marked = CUT_MARKS.iter().any(|mark| end.ends_with(mark.encode_utf8(&mut [0; 4]).as_bytes()));
    let replaced = [BLOB_WORDS, LEFT_OUT_WORDS].iter().any(|words| end.ends_with(words.as_bytes()));
    let unexported = || end.first() == Some(&b'{') && memchr::memmem::find(end, NULL_WORDS.as_bytes()).is_some();
    (marked || replaced || unexported())
        && parse_line(line)
            .is_some_and(|line| matches!(line.event().kind, EventKind::Cut | EventKind::Hidden | EventKind::LeftOut(_)))
}

/// What tells whose line it is, whichever program wrote it: the prefix, container or unit that stands around it.
pub fn source_of(line: &[u8]) -> Option<&str> {
    unwrap_line(line).0
}

/// A line without its wrappings, and what they said. For a traceback inside of a journal: what [`parse_line`] does not
/// know is its continuation.
pub(crate) fn unwrap_line(line: &[u8]) -> (Option<&str>, &[u8]) {
    let mut inner = trim_end(line);
    let mut source = None;
    for _ in 0..WRAPPINGS_MAX {
        let Some(wrapping) = wrapping::peel(inner) else { break };
        source = source.or(wrapping.source);
        inner = wrapping.inner;
    }
    (source, inner)
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "2026-11-23 08:36:03,871 - synapse.handlers.e2e_keys - 819 - INFO - POST-48 - Claimed one-time-keys: x";
    const TIME: i64 = 1_795_422_963_871;

    fn check(line: &str, source: Option<&str>, time: Option<i64>) {
        let read = parse_line(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(read.logger, "synapse.handlers.e2e_keys", "{line}");
        assert_eq!(read.request.as_deref(), Some("POST-48"), "{line}");
        assert_eq!(read.message, "Claimed one-time-keys: x", "{line}");
        assert_eq!(read.source.as_deref(), source, "{line}");
        assert_eq!(read.time.map(|time| time.ms), time, "{line}");
    }

    #[test]
    fn every_form_gives_the_same_line() {
        let timeless = &PLAIN[26..];
        let journal = "synapse.handlers.e2e_keys: [POST-48] Claimed one-time-keys: x";
        check(PLAIN, None, Some(TIME));
        check(&PLAIN.replace("POST-48 - ", "POST-48- "), None, Some(TIME));
        check(&format!("generic_worker1 | {PLAIN}"), Some("generic_worker1"), Some(TIME));
        check(&format!("synapse-1  | {PLAIN}\r\n"), Some("synapse-1"), Some(TIME));
        check(&format!("2026-11-23T08:36:03.871234567Z {PLAIN}"), None, Some(TIME));
        check(&format!("2026-11-23T08:36:03.871234567Z stdout F {PLAIN}"), None, Some(TIME));
        check(
            &format!("2026-11-23T09:36:03+01:00 box matrix-synapse[643]: {PLAIN}"),
            Some("matrix-synapse[643]"),
            Some(TIME),
        );
        check(&format!("2026-11-23T09:36:03.871+0100 box python[643]: {journal}"), Some("python[643]"), Some(TIME));
        check(&format!("2026-11-23T08:36:03.871Z box python[643]: {timeless}"), Some("python[643]"), Some(TIME));
        check(&format!("1795422963.871234 box python[643]: {timeless}"), Some("python[643]"), Some(TIME));
        check(&format!("Nov 23 08:36:03 box python[643]: {PLAIN}"), Some("python[643]"), Some(TIME));
        check(
            r#"{"log":"Claimed one-time-keys: x","namespace":"synapse.handlers.e2e_keys","level":"INFO","time":1795422963.871,"request":"POST-48"}"#,
            None,
            Some(TIME),
        );
        check(
            r#"{"severity":"INFO","message":"Claimed one-time-keys: x","logger":"synapse.handlers.e2e_keys","time":"2026-11-23T08:36:03.871Z","request":"POST-48"}"#,
            None,
            Some(TIME),
        );
        check(&format!(r#"{{"log":"{PLAIN}\n","stream":"stderr","time":"2026-11-23T08:36:03.9Z"}}"#), None, Some(TIME));
        check(
            &format!(
                r#"{{"__REALTIME_TIMESTAMP":"1795422963871204","MESSAGE":"{timeless}","_SYSTEMD_UNIT":"matrix-synapse.service","_PID":"643","PRIORITY":"6"}}"#
            ),
            Some("matrix-synapse.service[643]"),
            Some(TIME),
        );
        check(timeless, None, None);
        // OpenTracing's spans, each a dash behind the id.
        check(&PLAIN.replace("POST-48 - ", "POST-48- - "), None, Some(TIME));
        check(&PLAIN.replace("POST-48 - ", "POST-48--- - "), None, Some(TIME));
        check(&format!("[pod/synapse-0/synapse] {PLAIN}"), Some("pod/synapse-0/synapse"), Some(TIME));
        check(&format!("@400000006b03fafd33ea67c0 {PLAIN}"), None, Some(TIME));
        check(&format!("@400000006b03fafd33ea67c0 {timeless}"), None, Some(TIME));
        check(&format!("x2026-11-23T08:36:03.872104812Z {PLAIN}"), None, Some(TIME));
        check(&format!("nov. 23 08:36:03 box python[643]: {PLAIN}"), Some("python[643]"), Some(TIME));
        check(&format!("Mon 2026-11-23 09:36:03 CET box python[643]: {PLAIN}"), Some("python[643]"), Some(TIME));
        check(
            &format!("Mon 2026-11-23 09:36:03 CET synapse.service[643]: {PLAIN}"),
            Some("synapse.service[643]"),
            Some(TIME),
        );
        check(
            &format!("matrix_synapse.1.x5k2mzvlk2oo@node1    | {PLAIN}"),
            Some("matrix_synapse.1.x5k2mzvlk2oo@node1"),
            Some(TIME),
        );
        check(&format!("[synapse]    | {PLAIN}"), Some("synapse"), Some(TIME));
        check(
            &format!(r#"2026-11-23T08:36:03Z {{app="a \"}} b", pod="synapse-0"}}   {PLAIN}"#),
            Some("synapse-0"),
            Some(TIME),
        );
        check(&format!("1795422963872\t2026-11-23T08:36:03.872Z\t{PLAIN}"), None, Some(TIME));
        check(&format!("2026-11-23 09:36:03.872\t{PLAIN}"), None, Some(TIME));
        check(&format!("[12345.678901] box python[643]: {PLAIN}"), Some("python[643]"), Some(TIME));
        check(&format!("<30>Nov 23 08:36:03 box python[643]: {PLAIN}"), Some("python[643]"), Some(TIME));
        check(&format!("<30>1 2026-11-23T08:36:03.871Z box python 643 - - {timeless}"), Some("python"), Some(TIME));
        check(
            &format!(r#"<30>1 2026-11-23T08:36:03.871Z box python 643 x [a b="c"] {timeless}"#),
            Some("python"),
            Some(TIME),
        );
        check(
            &format!(r#"{{"@timestamp":"2026-11-23T08:36:03.9Z","message":"{PLAIN}","container":{{"id":"x"}}}}"#),
            None,
            Some(TIME),
        );
        check(&format!("marras 23 08:36:03 box python[643]: {PLAIN}"), Some("python[643]"), Some(TIME));
        check(
            &format!(r#"{{"log":"\u001b[2m{PLAIN}\u001b[0m\n","stream":"stderr","time":"2026-11-23T08:36:03.9Z"}}"#),
            None,
            Some(TIME),
        );
        check(
            &format!(
                r#"{{"labels":{{"app":"x","pod":"synapse-0"}},"line":"{PLAIN}","timestamp":"2026-11-23T08:36:03.9Z"}}"#
            ),
            Some("synapse-0"),
            Some(TIME),
        );
    }

    #[test]
    fn a_journals_message_of_bytes_is_read() {
        let coloured = format!("\u{1b}[32m{}\u{1b}[0m", &PLAIN[26..]);
        let bytes: Vec<String> = coloured.bytes().map(|byte| byte.to_string()).collect();
        let line = format!(r#"{{"MESSAGE":[{}],"__REALTIME_TIMESTAMP":"1795422963871204"}}"#, bytes.join(","));
        check(&line, None, Some(TIME));
    }

    #[test]
    fn a_line_that_the_journals_json_leaves_out_as_too_long_is_lost() {
        for line in
            [r#"{"__REALTIME_TIMESTAMP":"1795422963871204","_PID":"643","MESSAGE":null}"#, r#"{"MESSAGE":null}"#]
        {
            let read = parse_line(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(read.event().kind, EventKind::Hidden, "{line}");
            assert!(is_lost(line.as_bytes()), "{line}");
            assert_eq!(read.time.is_some(), line.contains("TIMESTAMP"), "{line}");
        }
        assert_eq!(parse_line(br#"{"__REALTIME_TIMESTAMP":"1795422963871204"}"#), None);
    }

    #[test]
    fn a_line_of_python_that_nothing_configures_has_neither_time_nor_request() {
        let line = b"Nov 23 08:36:03 box python[643]: INFO:synapse.handlers.e2e_keys:Claimed one-time-keys: x";
        let line = parse_line(line).unwrap();
        assert_eq!((&*line.logger, line.level, line.request), ("synapse.handlers.e2e_keys", LogLevel::Info, None));
        assert_eq!(line.message, "Claimed one-time-keys: x");
        for other in ["INFO:     127.0.0.1:5000 - GET", "INFO:uvicorn.error:Started", "Note:synapse.x:y"] {
            assert_eq!(parse_line(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_time_that_lacks_its_zone_or_its_date_gets_it_from_what_stands_around_it() {
        for (line, wanted) in [
            ("2026-11-23T08:36:03.872Z 2026-11-23 09:36:03,871 - synapse.x - 1 - INFO - GET-1 - m", TIME),
            ("2026-11-23T09:36:04+01:00 box x[1]: 2026-11-23 03:36:03,871 - synapse.x - 1 - INFO - GET-1 - m", TIME),
            ("2026-11-23T00:00:00.100Z 00:59:59,871 - synapse.x - 1 - INFO - GET-1 - m", TIME - 30_964_000),
            ("2026-11-23T23:30:00.100Z 00:29:59,871 - synapse.x - 1 - INFO - GET-1 - m", TIME + 53_636_000),
        ] {
            let time = parse_line(line.as_bytes()).unwrap().time.unwrap();
            assert_eq!((time.ms, time.has_zone), (wanted, true), "{line}: {}", crate::stamp::print(time.ms));
        }
        // A line that is shown long after it was written: its zone is not told so.
        let late = "2026-03-24T08:36:03Z 2026-11-23 08:36:03,871 - synapse.x - 1 - INFO - GET-1 - m";
        let time = parse_line(late.as_bytes()).unwrap().time.unwrap();
        assert_eq!((time.ms, time.has_zone), (TIME, false));
    }

    #[test]
    fn a_short_journal_line_has_no_year() {
        let line = b"Nov 23 08:36:03 box python[643]: synapse.x: [GET-1] m";
        let time = parse_line(line).unwrap().time.unwrap();
        assert_eq!((time.date, time.has_zone), (crate::stamp::StampDate::NoYear, false));
    }

    #[test]
    fn lines_of_a_traceback_are_no_beginnings() {
        for line in [
            "Traceback (most recent call last):",
            "  File \"x.py\", line 1, in y",
            "",
            "{",
            "    return a | b",
            "Nov 23 08:36:03 box python[1]: Traceback",
        ] {
            assert_eq!(parse_line(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn bad_bytes_are_replaced() {
        let mut line = PLAIN.as_bytes().to_vec();
        line.extend_from_slice(b"\xff\xfe");
        assert!(parse_line(&line).unwrap().message.ends_with("x\u{fffd}\u{fffd}"));
        assert!(matches!(parse_line(PLAIN.as_bytes()).unwrap().message, Cow::Borrowed(_)));
    }
}
