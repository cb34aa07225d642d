//! Dendrite's log: logrus' text, `time="…" level=… msg="…" key=value …`.

use std::borrow::Cow;

use crate::event::{EventKind, RefusedLine};
use crate::format::{LogLine, ServerLogFormat};
use crate::level::LogLevel;
use crate::stamp::read_iso;

/// Bytes of a field's name at most.
const NAME_BYTES_MAX: usize = 64;

/// What `POST keys/upload` answers where a key is refused (`clientapi/routing/keys.go`).
const REFUSED_STATUS: u16 = 400;

/// Dendrite's log.
#[derive(Clone, Copy, Debug)]
pub struct Dendrite;

impl ServerLogFormat for Dendrite {
    fn name(&self) -> &'static str {
        "Dendrite"
    }

    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        if !line.starts_with(b"time=\"") {
            return None;
        }
        let rest = std::str::from_utf8(line).ok()?;
        let time = field(rest, "time")?;
        let level = level(&field(rest, "level")?)?;
        field(rest, "msg")?;
        let logger = field(rest, "func").unwrap_or(Cow::Borrowed(""));
        Some(LogLine {
            time: read_iso(time.as_bytes()).map(|found| found.0),
            source: None,
            logger,
            level,
            request: field(rest, "req.id"),
            message: Cow::Borrowed(rest),
            format: self,
        })
    }

    fn event<'a>(&self, line: &'a LogLine<'_>) -> EventKind<'a> {
        let of = |name| raw_field(&line.message, name);
        match of("key_errors") {
            Some(reason) if reason.contains(" already exists") => EventKind::Refused(RefusedLine {
                method: of("req.method").unwrap_or_default(),
                uri: of("req.path").unwrap_or_default(),
                status: REFUSED_STATUS,
                reason: first_error(reason),
            }),
            _ => match of("msg").and_then(|message| message.strip_prefix("Dendrite version ")) {
                Some(version) => EventKind::Version(version),
                None => EventKind::Other,
            },
        }
    }
}

/// The first sentence of what Go prints of a map of maps: `map[@user:map[DEVICE:@user device DEVICE: …]]`.
fn first_error(errors: &str) -> &str {
    let sentence = errors.find(" device ").and_then(|device| errors[..device].rfind('@'));
    errors[sentence.unwrap_or_default()..].trim_end_matches(']')
}

fn level(name: &str) -> Option<LogLevel> {
    match name {
        "panic" => Some(LogLevel::Critical),
        name => LogLevel::read(name.to_ascii_uppercase().as_bytes()),
    }
}

/// A field's value without the escapes that Go's `%q` puts in front of quotes and backslashes.
fn field<'a>(line: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let raw = raw_field(line, name)?;
    Some(if raw.contains('\\') {
        Cow::Owned(raw.replace("\\\"", "\"").replace("\\\\", "\\"))
    } else {
        Cow::Borrowed(raw)
    })
}

/// A field's value as it stands there. Fields are read from the left, so that no value passes for a field.
fn raw_field<'a>(line: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = line;
    loop {
        let (name, value) = rest.split_once('=')?;
        if name.len() > NAME_BYTES_MAX || name.contains(['"', ' ']) {
            return None;
        }
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => {
                let end = end_of_quoted(quoted)?;
                (&quoted[..end], &quoted[end + 1..])
            }
            None => value.split_at(value.find(' ').unwrap_or(value.len())),
        };
        if name == wanted {
            return Some(value);
        }
        rest = behind.strip_prefix(' ')?;
    }
}

fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::parse_line;

    /// As in <https://github.com/element-hq/dendrite/issues/1998>, with a user of an example's server.
    const REFUSED: &str = r#"time="2021-08-30T17:54:18.038892320Z" level=error msg="Failed to upload one or more keys" func=github.com/matrix-org/dendrite/clientapi/routing.UploadKeys file="github.com/matrix-org/dendrite/clientapi/routing/keys.go:71" key_errors="map[@bot:example.org:map[HRNsLRF9:@bot:example.org device HRNsLRF9: algorithm / key ID signed_curve25519:AAAMHA one-time key already exists]]" req.id=U6cZPFL2OUmT req.method=POST req.path=/_matrix/client/r0/keys/upload user_id="@bot:example.org""#;

    #[test]
    fn a_refusal_of_dendrites_is_one_like_synapses() {
        for wrapped in [
            REFUSED.to_owned(),
            format!("dendrite-1  | {REFUSED}"),
            format!("Aug 30 17:54:18 box dendrite[7]: {REFUSED}"),
        ] {
            let line = parse_line(wrapped.as_bytes()).unwrap_or_else(|| panic!("{wrapped}"));
            assert_eq!((line.level, line.request.as_deref()), (LogLevel::Error, Some("U6cZPFL2OUmT")));
            assert_eq!(line.time.map(|time| (time.ms, time.has_zone)), Some((1_630_346_058_038, true)));
            let EventKind::Refused(refused) = line.event().kind else { panic!("{wrapped}") };
            assert_eq!((refused.method, refused.uri, refused.status), ("POST", "/_matrix/client/r0/keys/upload", 400));
            let reason = "@bot:example.org device HRNsLRF9: algorithm / key ID signed_curve25519:AAAMHA one-time key already exists";
            assert_eq!(refused.reason, reason);
        }
    }

    #[test]
    fn a_value_passes_for_no_field() {
        let hostile =
            r#"time="2021-08-30T17:54:18Z" level=info msg="x\" key_errors=\"y already exists" user_id="@a:h""#;
        let line = parse_line(hostile.as_bytes()).expect("a line of Dendrite's");
        assert_eq!(line.event().kind, EventKind::Other);
        assert_eq!(parse_line(br#"time="x" y"#), None);
    }
}
