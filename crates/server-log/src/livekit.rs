//! The log of LiveKit's server: zap's lines for people, and its JSON.
//!
//! The wordings are those of livekit/livekit from v1.5.3 to v1.13.5: `pkg/service/roommanager.go` ("starting RTC session", which is
//! at DEBUG before v1.8.0), `pkg/service/server.go` ("starting LiveKit server"), `pkg/rtc/room.go` ("participant active") and
//! `pkg/rtc/participant.go` ("participant closing", "mediaTrack published"). The names of fields are in `pkg/rtc/utils.go`: `pID`
//! became `participantID` with v1.10.0. The two forms are livekit/protocol's, `logger/zaputil/zaputil.go`.

use std::borrow::Cow;

use memchr::memmem;
use serde_json::{Map, Value};

use crate::event::EventKind;
use crate::format::{CUT_MARKS, LogLine, ServerLogFormat, text};
use crate::json_time::time_of;
use crate::level::LogLevel;
use crate::media::{MediaEvent, MediaProgram, MediaSession};
use crate::stamp::read_iso;

/// LiveKit's own logger: its components are `livekit.pub`, `livekit.room` and others.
const LOGGER: &str = "livekit";

/// The messages that tell.
const STARTING: &str = "starting LiveKit server";
const JOINING: &str = "starting RTC session";
const CONNECTED: &str = "participant active";
const LEFT: &str = "participant closing";
const PUBLISHED: &str = "mediaTrack published";

/// What stands in the lines that tell. Other lines may hold it, too.
pub(crate) const WORDS: [&str; 5] = [STARTING, JOINING, CONNECTED, LEFT, PUBLISHED];

/// Bytes of a line of JSON that are searched for its logger.
const HEAD_BYTES: usize = 512;

/// LiveKit's log.
#[derive(Clone, Copy, Debug)]
pub struct LiveKit;

impl ServerLogFormat for LiveKit {
    fn name(&self) -> &'static str {
        "LiveKit"
    }

    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        match line.first()? {
            b'{' => self.json(line),
            b'0'..=b'9' => self.console(line),
            _ => None,
        }
    }

    fn event<'a>(&self, line: &'a LogLine<'_>) -> EventKind<'a> {
        EventKind::Media(MediaProgram::LiveKit, event(&line.message))
    }
}

impl LiveKit {
    /// `{"level":"info","ts":1795422963.87,"logger":"livekit","caller":"rtc/room.go:480","msg":"participant active",…}`.
    fn json<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        let head = &line[..line.len().min(HEAD_BYTES)];
        memmem::find(head, b"\"logger\":\"livekit")?;
        memmem::find(head, b"\"caller\":")?;
        memmem::find(head, b"\"msg\":")?;
        let fields: Option<Map<String, Value>> = serde_json::from_slice(line).ok();
        let of = |name: &str| fields.as_ref().and_then(|fields| fields.get(name));
        let level = of("level").and_then(Value::as_str).map(str::to_ascii_uppercase);
        Some(LogLine {
            time: of("ts").and_then(time_of),
            source: None,
            logger: Cow::Borrowed(LOGGER),
            level: level.and_then(|level| LogLevel::read(level.as_bytes())).unwrap_or_default(),
            request: None,
            message: text(line),
            format: self,
        })
    }

    /// `2026-11-23T08:36:03.871Z  INFO  livekit  rtc/room.go:480  participant active  {…}`, with tabs, or with the spaces that are
    /// left of them where somebody copied it.
    fn console<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        let (time, used) = read_iso(line)?;
        let (level, rest) = word(&line[used..])?;
        let level = LogLevel::read(level)?;
        let (logger, rest) = word(rest)?;
        let component = logger.strip_prefix(LOGGER.as_bytes())?;
        if !(component.is_empty() || component.starts_with(b".")) {
            return None;
        }
        // Where the line was printed: `rtc/room.go:480`.
        let (_, message) = word(rest).filter(|(place, _)| memmem::find(place, b".go:").is_some())?;
        Some(LogLine {
            time: Some(time),
            source: None,
            logger: text(logger),
            level,
            request: None,
            message: text(message.trim_ascii_start()),
            format: self,
        })
    }
}

/// The next word, behind one space or tab at least, and the rest.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = text.trim_ascii_start();
    let end = rest.iter().position(u8::is_ascii_whitespace)?;
    (rest.len() < text.len()).then(|| rest.split_at(end))
}

fn event(message: &str) -> MediaEvent {
    if !WORDS.iter().any(|words| message.contains(words)) {
        return if message.ends_with(CUT_MARKS) { MediaEvent::Cut } else { MediaEvent::Other };
    }
    let (words, fields) = match message.find('{') {
        Some(0) => (None, message),
        Some(at) => (Some(message[..at].trim_end()), &message[at..]),
        None => return if WORDS.contains(&message.trim_end()) { MediaEvent::Cut } else { MediaEvent::Other },
    };
    // A name stands twice in some lines; a map takes the last.
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(fields) else {
        let begins = words.is_none_or(|words| WORDS.contains(&words));
        return if begins { MediaEvent::Cut } else { MediaEvent::Other };
    };
    let of = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let words = words.map(str::to_owned).or_else(|| of("msg")).unwrap_or_default();
    if words == STARTING {
        return MediaEvent::Starting;
    }
    let session = || {
        let found = MediaSession {
            room: of("room")?,
            room_sid: of("roomID")?,
            identity: of("participant")?,
            session: of("participantID").or_else(|| of("pID")).unwrap_or_default(),
        };
        let named = ![&found.room, &found.room_sid, &found.identity].into_iter().any(String::is_empty);
        named.then_some(found)
    };
    // Versions before v1.8.0 print no room's id as a session begins, and only at DEBUG.
    let Some(session) = session() else { return MediaEvent::Other };
    match words.as_str() {
        JOINING => {
            let before = fields.get("numParticipants").and_then(Value::as_u64);
            MediaEvent::Joining { session, node: of("nodeID"), before }
        }
        CONNECTED => MediaEvent::Connected(session),
        LEFT => MediaEvent::Left { session, reason: of("reason").unwrap_or_default() },
        PUBLISHED => {
            let track = fields.get("trackInfo");
            let encryption = track.and_then(|track| track.get("encryption")).and_then(Value::as_str);
            MediaEvent::Published { session, encryption: encryption.map(str::to_owned) }
        }
        _ => MediaEvent::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Class;
    use crate::line::parse_line;

    /// As in <https://github.com/livekit/livekit/issues/3353> (v1.8.3), with a Matrix room, member and node of an example's, and the
    /// rest of `participantInit` left out.
    const JOINS: &str = "2025-01-21T17:18:36.293Z\tINFO\tlivekit\tservice/roommanager.go:405\tstarting RTC session\t{\"room\": \"!r:example.org\", \"roomID\": \"RM_LCcatQAbfG3h\", \"participant\": \"@mira:example.org:AQGTNURAAR\", \"pID\": \"PA_J8SG8b9Kpxrc\", \"remote\": false, \"room\": \"!r:example.org\", \"nodeID\": \"ND_E5xDZUFVALXn\", \"numParticipants\": 1, \"participantInit\": {\"Identity\": \"@mira:example.org:AQGTNURAAR\", \"Reconnect\": false}}";

    /// As in <https://github.com/livekit/livekit/issues/3521>, with other names.
    const JSON: &str = r#"{"level":"debug","ts":1741750139.1532533,"logger":"livekit","caller":"rtc/participant.go:1456","msg":"updating participant state","room":"!r:example.org","roomID":"RM_ndpipx5Lbg2G","participant":"@mira:example.org:AQGTNURAAR","pID":"PA_ZLLGPsRtWFuk","remote":false,"state":"JOINED"}"#;

    fn said(line: &str) -> MediaEvent {
        let read = parse_line(line.as_bytes()).unwrap_or_else(|| panic!("{line}")).into_owned();
        match read.event().kind {
            EventKind::Media(MediaProgram::LiveKit, event) => event,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn session(room_sid: &str, session: &str) -> MediaSession {
        MediaSession {
            room: "!r:example.org".to_owned(),
            room_sid: room_sid.to_owned(),
            identity: "@mira:example.org:AQGTNURAAR".to_owned(),
            session: session.to_owned(),
        }
    }

    #[test]
    fn a_session_begins_in_every_wrapping_in_a_room_at_a_node() {
        let wanted = MediaEvent::Joining {
            session: session("RM_LCcatQAbfG3h", "PA_J8SG8b9Kpxrc"),
            node: Some("ND_E5xDZUFVALXn".to_owned()),
            before: Some(1),
        };
        for wrapped in [
            JOINS.to_owned(),
            JOINS.replace('\t', "        "),
            format!("livekit-1  | {JOINS}"),
            format!("Jan 21 17:18:36 box livekit-server[1044]: {JOINS}"),
            format!("2025-01-21T17:18:36.300Z {JOINS}"),
            serde_json::json!({"log": format!("{JOINS}\n"), "stream": "stderr", "time": "2025-01-21T17:18:36.3Z"})
                .to_string(),
        ] {
            assert_eq!(said(&wrapped), wanted, "{wrapped}");
            let line = parse_line(wrapped.as_bytes()).expect("a line");
            assert_eq!(line.time.map(|time| (time.ms, time.has_zone)), Some((1_737_479_916_293, true)), "{wrapped}");
            assert_eq!((line.level, line.class()), (LogLevel::Info, Class::Media));
        }
    }

    /// By the format strings of v1.13.5.
    #[test]
    fn json_says_the_same_as_lines_for_people() {
        let line = |message: &str, more: &str| {
            JSON.replace("updating participant state", message).replace(",\"state\":\"JOINED\"", more)
        };
        let session = session("RM_ndpipx5Lbg2G", "PA_ZLLGPsRtWFuk");
        assert_eq!(said(JSON), MediaEvent::Other);
        assert_eq!(said(&line(CONNECTED, "")), MediaEvent::Connected(session.clone()));
        assert_eq!(said(&line(CONNECTED, "").replace("pID", "participantID")), MediaEvent::Connected(session.clone()));
        assert_eq!(
            said(&line(LEFT, ",\"sendLeave\":false,\"reason\":\"CLIENT_REQUEST_LEAVE\"")),
            MediaEvent::Left { session: session.clone(), reason: "CLIENT_REQUEST_LEAVE".to_owned() }
        );
        assert_eq!(
            said(&line(PUBLISHED, ",\"kind\":\"audio\",\"trackInfo\":{\"sid\":\"TR_x\",\"encryption\":\"GCM\"}")),
            MediaEvent::Published { session, encryption: Some("GCM".to_owned()) }
        );
        let line = parse_line(JSON.as_bytes()).expect("a line");
        assert_eq!(line.time.map(|time| time.ms), Some(1_741_750_139_153));
        assert_eq!((line.level, line.class()), (LogLevel::Debug, Class::Other));
    }

    #[test]
    fn a_line_that_was_cut_is_named_as_cut_wherever_it_ends() {
        let from = JOINS.find('{').expect("fields");
        for end in from + 1..JOINS.len() {
            for mark in ["", "…", ">"] {
                let cut = format!("{}{mark}", &JOINS[..end]);
                assert_eq!(said(&cut), MediaEvent::Cut, "{cut}");
            }
        }
    }

    #[test]
    fn what_a_participant_is_called_passes_for_no_event() {
        let named = JSON.replace("@mira:example.org:AQGTNURAAR", "participant closing {");
        assert_eq!(said(&named), MediaEvent::Other);
        for other in [
            "2025-01-21T17:18:36.293Z\tINFO\tegress\tservice/x.go:1\tparticipant active\t{}",
            "2025-01-21T17:18:36.293Z INFO livekit participant active",
            r#"{"level":"info","ts":1,"logger":"egress","caller":"x.go:1","msg":"participant active"}"#,
        ] {
            assert_eq!(parse_line(other.as_bytes()), None, "{other}");
        }
    }
}
