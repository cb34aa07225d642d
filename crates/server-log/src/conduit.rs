//! The logs of Conduit and of what came out of it: conduwuit, continuwuity, tuwunel. They are the text of Rust's tracing:
//! `2026-11-23T08:36:03.871204Z  INFO span{…}: module: message`.
//!
//! These servers overwrite a one-time key in silence. Their lines are read so that a file is told for what it is; none of them
//! says anything of keys, and their absence says as little.

use memchr::memmem;

use crate::event::EventKind;
use crate::format::{LogLine, ServerLogFormat, text};
use crate::level::LogLevel;
use crate::stamp::read_iso;

/// How the modules of these servers begin.
const MODULES: [&[u8]; 4] = [b"conduit", b"conduwuit", b"continuwuity", b"tuwunel"];

/// Bytes of spans and module in front of the message at most.
const HEAD_BYTES_MAX: usize = 512;

/// A log of Conduit's family.
#[derive(Clone, Copy, Debug)]
pub struct Conduit;

impl ServerLogFormat for Conduit {
    fn name(&self) -> &'static str {
        "Conduit's family"
    }

    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        let (time, used) = read_iso(line)?;
        let rest = line[used..].strip_prefix(b" ")?.trim_ascii_start();
        let (level, rest) = rest.split_at(memchr::memchr(b' ', &rest[..rest.len().min(6)])?);
        let level = LogLevel::read(level)?;
        let (module, message) = module(&rest[1..])?;
        Some(LogLine {
            time: Some(time),
            source: None,
            logger: text(module),
            level,
            request: None,
            message: text(message),
            format: self,
        })
    }

    fn event<'a>(&self, _: &'a LogLine<'_>) -> EventKind<'a> {
        EventKind::Other
    }
}

/// The module behind the spans, if it is one of these servers', and the message. Other programs in Rust write the same form.
fn module(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = &rest[..rest.len().min(HEAD_BYTES_MAX)];
    let mut from = 0;
    while let Some(end) = memmem::find(&head[from..], b": ") {
        let part = &head[from..from + end];
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
        if MODULES.iter().any(|module| part.starts_with(module)) && part.iter().all(plain) {
            return Some((part, &rest[from + end + 2..]));
        }
        from += end + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::parse_line;

    #[test]
    fn a_line_of_the_family_is_told_from_another_program_of_the_same_form() {
        for (line, module) in [
            (
                "2026-11-23T08:36:03.871204Z  INFO conduwuit_router::run: Listening on 127.0.0.1:8008",
                "conduwuit_router::run",
            ),
            ("2026-11-23T08:36:03.871204Z ERROR tuwunel: Critical error starting server: I/O error", "tuwunel"),
            (
                "2026-11-23T08:36:03.871204Z  WARN handle{method=POST path=/_matrix/client/v3/keys/upload}: conduit::api: x: y",
                "conduit::api",
            ),
        ] {
            let read = parse_line(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((&*read.logger, read.event().kind), (module, EventKind::Other), "{line}");
        }
        let element_x = "2026-11-23T08:36:03.871204Z  WARN matrix_sdk_crypto::machine: Failed to decrypt | crates/x.rs:1 | spans: root";
        assert_eq!(parse_line(element_x.as_bytes()), None, "a client's log is no server's");
    }
}
