//! The log of lk-jwt-service, which gives the members of a MatrixRTC session their tokens for LiveKit: Go's `log` up to v0.5.0, then
//! slogcolor's lines, then those of Rust's tracing.
//!
//! The wordings are those of element-hq/lk-jwt-service: `main.go` of v0.1.0 to v0.5.0; `handler.go` and `helper.go` of
//! a375b13 (July 2026); `src/handler.rs` and `src/helper.rs` of 0141890. The form between is SladkyCitron/slogcolor's, `handler.go`.
//! A 500 or 401 that a client sees has one of the lines of [`REFUSALS`]; the line of a failed look-up names no user.

use std::borrow::Cow;

use memchr::memmem;

use crate::event::EventKind;
use crate::format::{CUT_MARKS, LogLine, ServerLogFormat, text};
use crate::level::LogLevel;
use crate::media::{MediaEvent, MediaProgram, MediaToken};
use crate::stamp::{Stamp, read_iso};

/// How a line begins by which somebody gets a token.
const TOKENS: [&str; 2] = ["Handler: generated SFU access token", "Handler: generated Legacy SFU access token"];

/// How the line begins by which v0.3.0 to v0.5.0 say it of a user who may make rooms; they print none for others.
const ROOM_READY: [&str; 2] = ["Created LiveKit room sid: ", "Using LiveKit room sid: "];

/// How a line begins by which nobody gets a token.
const REFUSALS: [&str; 12] = [
    "Failed to look up user info: ",
    "OpenIDUserInfo: Failed to look up user info",
    "Claimed user ID ",
    "Handler: ClaimedUserID does not match",
    "Unable to create room ",
    "Error creating LiveKit room: ",
    "CreateLiveKitRoom: Error creating room",
    "Error getting LiveKit token: ",
    "Handler: error getting LiveKit token",
    "Handler: error relaying get_token via federation proxy",
    "Handler: request `url` does not match the configured LiveKit URL",
    "Handler: error checking room membership",
];

/// How its other lines begin. Go's form is that of many programs, so that only its words tell whose a line is.
const OTHERS: [&str; 20] = [
    "Got user info for @",
    "Got Matrix user info for @",
    "Handler: ",
    "Handler (legacy): ",
    "CreateLiveKitRoom",
    "OpenIDUserInfo: ",
    "Job: ",
    "participantLookup: ",
    "store: ",
    "Starting service LIVEKIT_URL=",
    "LIVEKIT_URL: ",
    "LIVEKIT_FULL_ACCESS_HOMESERVERS",
    "LIVEKIT_REDIS_URL not set",
    "Using LiveKit API ",
    "Processing SFU request",
    "Processing legacy SFU request",
    "Error processing request: ",
    "Request from ",
    "Health check from ",
    "Error reading request body: ",
];

/// What stands in the lines that tell. Other lines may hold it, too.
pub(crate) const WORDS: [&str; 10] = [
    " SFU access token",
    " LiveKit room sid: ",
    "ailed to look up user info",
    "laimed user ID ",
    "ClaimedUserID does not match",
    "Unable to create room ",
    "rror creating ",
    "rror getting LiveKit token",
    "Handler: error ",
    "Handler: request `url` ",
];

/// The log of lk-jwt-service.
#[derive(Clone, Copy, Debug)]
pub struct LkJwt;

impl ServerLogFormat for LkJwt {
    fn name(&self) -> &'static str {
        "lk-jwt-service"
    }

    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        if !line.first()?.is_ascii_digit() {
            return None;
        }
        let (time, level, message) = by_log(line).or_else(|| by_tracing(line)).or_else(|| by_slogcolor(line))?;
        Some(LogLine {
            time: Some(time),
            source: None,
            logger: Cow::Borrowed("lk_jwt_service"),
            level,
            request: None,
            message: text(message),
            format: self,
        })
    }

    fn event<'a>(&self, line: &'a LogLine<'_>) -> EventKind<'a> {
        EventKind::Media(MediaProgram::TokenService, event(&line.message))
    }
}

/// `2026/01/09 17:12:38 Got user info for @a:h`: local time without its zone.
fn by_log(line: &[u8]) -> Option<(Stamp, LogLevel, &[u8])> {
    let mut stamp: [u8; 19] = line.get(..19)?.try_into().ok()?;
    if stamp[4] != b'/' || stamp[7] != b'/' {
        return None;
    }
    (stamp[4], stamp[7]) = (b'-', b'-');
    let (time, _) = read_iso(&stamp)?;
    let message = line[19..].strip_prefix(b" ")?;
    is_own(message).then_some((time, LogLevel::Unknown, message))
}

/// `2026-10-01T12:00:00.123456Z  INFO lk_jwt_service::handler: Handler: generated SFU access token matrix_id=@a:h …`.
fn by_tracing(line: &[u8]) -> Option<(Stamp, LogLevel, &[u8])> {
    let (time, used) = read_iso(line)?;
    let (level, rest) = level(&line[used..])?;
    let module = rest.strip_prefix(b"lk_jwt_service")?;
    let end = memmem::find(&module[..module.len().min(64)], b": ")?;
    Some((time, level, &module[end + 2..]))
}

/// `2026-07-23 09:28:51 INFO  handler.go:671 Handler: generated SFU access token matrixId=@a:h …`.
fn by_slogcolor(line: &[u8]) -> Option<(Stamp, LogLevel, &[u8])> {
    let (time, used) = read_iso(line)?;
    let (level, rest) = level(&line[used..])?;
    let end = memchr::memchr(b' ', &rest[..rest.len().min(64)])?;
    memmem::find(&rest[..end], b".go:")?;
    let message = rest[end..].trim_ascii_start();
    let message = message.strip_prefix(b"| ").unwrap_or(message);
    is_own(message).then_some((time, level, message))
}

fn level(rest: &[u8]) -> Option<(LogLevel, &[u8])> {
    let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
    let end = memchr::memchr(b' ', &rest[..rest.len().min(8)])?;
    Some((LogLevel::read(&rest[..end])?, rest[end..].trim_ascii_start()))
}

fn is_own(message: &[u8]) -> bool {
    let lists: [&[&str]; 4] = [&TOKENS, &ROOM_READY, &REFUSALS, &OTHERS];
    lists.iter().any(|list| list.iter().any(|words| message.starts_with(words.as_bytes())))
}

fn event(message: &str) -> MediaEvent {
    let begins = |list: &[&str]| list.iter().any(|words| message.starts_with(words));
    if begins(&REFUSALS) {
        return MediaEvent::Refused;
    }
    if message.ends_with(CUT_MARKS) {
        return MediaEvent::Cut;
    }
    if begins(&ROOM_READY) {
        return room_ready(message).map_or(MediaEvent::Cut, MediaEvent::Token);
    }
    if begins(&TOKENS) {
        // Names as Go writes them, and as Rust does.
        let of = |names: &[&str]| names.iter().find_map(|name| field(message, name)).map(str::to_owned);
        return MediaEvent::Token(MediaToken {
            user_id: of(&["matrixId", "matrix_id", "user_id"]),
            device_id: of(&["claimedDeviceId", "claimed_device_id"]),
            identity: of(&["lkId", "lk_id"]),
            matrix_room: of(&["matrixRoom", "matrix_room"]),
            room: of(&["room"]),
        });
    }
    MediaEvent::Other
}

/// `Created LiveKit room sid: RM_x (alias: R) for full-access Matrix user @a:h (LiveKit identity: I)`.
fn room_ready(message: &str) -> Option<MediaToken> {
    let (_, rest) = message.split_once(" (alias: ")?;
    let (room, rest) = rest.split_once(") for full-access Matrix user ")?;
    let (user_id, rest) = rest.split_once(" (LiveKit identity: ")?;
    let identity = rest.strip_suffix(')')?;
    Some(MediaToken {
        user_id: Some(user_id.to_owned()),
        identity: Some(identity.to_owned()),
        room: Some(room.to_owned()),
        ..MediaToken::default()
    })
}

/// The value of ` name=value`. A client chooses some values, which may look like fields: a name that stands twice says nothing.
fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!(" {name}=");
    let mut found = message.match_indices(&wanted);
    let (at, _) = found.next().filter(|_| found.next().is_none())?;
    let value = &message[at + wanted.len()..];
    let value = &value[..value.find(' ').unwrap_or(value.len())];
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Class;
    use crate::line::parse_line;

    const HASH: &str = "Xk3fQm0yLr9TzVb2uJwC7dNh5sEoPaG1iKqR8vYtMn4";

    fn said(line: &str) -> MediaEvent {
        let read = parse_line(line.as_bytes()).unwrap_or_else(|| panic!("{line}")).into_owned();
        match read.event().kind {
            EventKind::Media(MediaProgram::TokenService, event) => event,
            other => panic!("{line}: {other:?}"),
        }
    }

    /// As in <https://github.com/element-hq/lk-jwt-service/pull/9>, with a user and a server of an example's.
    const LOOK_UP: &str = "2023/07/11 17:12:38 Failed to look up user info: userID doesn't match server name '@mira:example.org' != 'example.org:443'";

    #[test]
    fn a_member_whom_nobody_vouches_for_gets_no_token_in_any_version() {
        for line in [
            LOOK_UP.to_owned(),
            format!("lk-jwt-1  | {LOOK_UP}"),
            format!("Jul 11 17:12:38 box lk-jwt-service[7]: {LOOK_UP}"),
            // By the format strings of a375b13 and 0141890.
            "2026-07-23 09:28:51 ERROR helper.go:155 OpenIDUserInfo: Failed to look up user info err=Get \"https://m.example.org/_matrix/federation/v1/openid/userinfo\": dial tcp: lookup m.example.org: no such host".to_owned(),
            "2026-10-01T12:00:00.123456Z ERROR lk_jwt_service::helper: OpenIDUserInfo: Failed to look up user info status=502".to_owned(),
        ] {
            assert_eq!(said(&line), MediaEvent::Refused, "{line}");
            assert_eq!(parse_line(line.as_bytes()).map(|line| line.class()), Some(Class::Media));
        }
        let time = parse_line(LOOK_UP.as_bytes()).and_then(|line| line.time).expect("a time");
        assert_eq!((time.ms, time.has_zone), (1_689_095_558_000, false));
    }

    /// By the format strings of v0.4.4, a375b13 and 0141890.
    #[test]
    fn who_got_a_token_for_which_room_is_said_by_every_version() {
        let whole = MediaToken {
            user_id: Some("@mira:example.org".to_owned()),
            device_id: Some("AQGTNURAAR".to_owned()),
            identity: Some(HASH.to_owned()),
            matrix_room: Some("!r:example.org".to_owned()),
            room: Some("ROOM".to_owned()),
        };
        for line in [
            format!(
                "2026-07-23 09:28:51 INFO  handler.go:671 Handler: generated SFU access token matrixId=@mira:example.org claimedDeviceId=AQGTNURAAR access=full matrixRoom=!r:example.org MatrixRTCSlot=m.call#ROOM lkId={HASH} room=ROOM RemoteAddr=10.0.0.2:4000 Origin=https://call.example.org"
            ),
            format!(
                "2026-10-01T12:00:00.123456Z  INFO lk_jwt_service::handler: Handler: generated SFU access token matrix_id=@mira:example.org claimed_device_id=AQGTNURAAR access=\"full\" matrix_room=!r:example.org matrix_rtc_slot=m.call#ROOM lk_id={HASH} room=ROOM"
            ),
        ] {
            assert_eq!(said(&line), MediaEvent::Token(whole.clone()), "{line}");
        }
        let older = format!(
            "2026/04/20 12:00:00 Created LiveKit room sid: RM_x (alias: ROOM) for full-access Matrix user @mira:example.org (LiveKit identity: {HASH})"
        );
        assert_eq!(said(&older), MediaEvent::Token(MediaToken { device_id: None, matrix_room: None, ..whole }));
        assert_eq!(said("2025/01/22 12:00:00 Got user info for @mira:example.org"), MediaEvent::Other);
    }

    #[test]
    fn every_line_that_tells_holds_a_word_that_is_searched_for() {
        for begins in TOKENS.iter().chain(&ROOM_READY).chain(&REFUSALS) {
            assert!(WORDS.iter().any(|words| begins.contains(words)), "{begins}");
        }
    }

    #[test]
    fn a_value_that_a_client_chose_passes_for_no_field() {
        let line = format!(
            "2026-10-01T12:00:00Z  INFO lk_jwt_service::handler: Handler: generated SFU access token matrix_id=@mira:example.org claimed_device_id=A lk_id=OTHER access=\"full\" matrix_room=!r:h lk_id={HASH} room=ROOM"
        );
        let MediaEvent::Token(token) = said(&line) else { panic!("{line}") };
        assert_eq!((token.identity, token.user_id.as_deref()), (None, Some("@mira:example.org")));
    }

    #[test]
    fn other_programs_in_go_and_rust_are_told_apart_by_their_words() {
        for other in [
            "2026/04/20 12:00:00 Listening on :8080",
            "2026-07-23 09:28:51 INFO  main.go:6 Initializing",
            "2026-10-01T12:00:00.123456Z  INFO other::handler: Handler: generated SFU access token room=R",
        ] {
            assert_eq!(parse_line(other.as_bytes()), None, "{other}");
        }
    }
}
