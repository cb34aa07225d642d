//! What Synapse says of a request: its access line, and its refusal.

use memchr::memmem;

use crate::event::{AccessLine, RefusedLine};

/// What stands in every access line, behind the user.
pub const ACCESS_WORDS: &str = "} Processed request: ";

/// Bytes of an access line in front of [`ACCESS_WORDS`] at most: an address, a site and a user.
const ACCESS_HEAD_BYTES: usize = 1024;

/// Milliseconds from the request's start to the line, as [`AccessLine::duration_ms`]: `… Processed request: 0.095sec/0.000sec …`.
pub(super) fn took(message: &[u8]) -> Option<u64> {
    let at = memmem::find(&message[..message.len().min(ACCESS_HEAD_BYTES)], ACCESS_WORDS.as_bytes())?;
    let rest = &message[at + ACCESS_WORDS.len()..];
    let (processing, used) = seconds(rest)?;
    let (sending, _) = seconds(rest.get(used..)?.strip_prefix(b"sec/")?)?;
    Some(u64::try_from(processing).unwrap_or(0).saturating_add_signed(sending.max(0)))
}

/// An access line; `None` where it is not whole.
pub(super) fn access(message: &str) -> Option<AccessLine<'_>> {
    let at = memmem::find(message.as_bytes(), ACCESS_WORDS.as_bytes())?;
    let (head, rest) = (&message[..at], &message[at + ACCESS_WORDS.len()..]);
    let (head, user) = head.rsplit_once('{')?;
    // `{puppeteer|user}` where an admin or an application service acts for a user.
    let user = user.rsplit_once('|').map_or(user, |(_, user)| user);
    let address = head.split(" - ").next()?;
    let (processing, rest) = rest.split_once("sec/")?;
    let (sending, rest) = rest.split_once("sec ")?;
    let quote = rest.find(" \"")?;
    let status = rest[..quote].rsplit(' ').next()?;
    let unfinished = status.ends_with('!');
    // The request line ends at ` HTTP/…"`; a URI holds no space, a user agent may hold anything.
    let request = &rest[quote + 2..];
    let (method, request) = request.split_once(' ')?;
    let (uri, rest) = request.split_once(' ')?;
    let user_agent =
        rest.split_once("\" \"").map_or("", |(_, agent)| agent.rsplit_once("\" [").map_or(agent, |found| found.0));
    Some(AccessLine {
        address,
        user_id: (user != "None" && user.starts_with('@')).then_some(user),
        processing_ms: millis(processing)?.try_into().unwrap_or(0),
        sending_ms: millis(sending)?,
        status: status.trim_end_matches('!').parse().ok()?,
        unfinished,
        method,
        uri,
        user_agent,
    })
}

/// `0.049` or `-0.001` as milliseconds, without floating point, and its length.
pub fn seconds(text: &[u8]) -> Option<(i64, usize)> {
    let negative = text.first() == Some(&b'-');
    let from = usize::from(negative);
    let digits = |text: &[u8]| text.iter().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(&text[from..]);
    let point = from + whole;
    if !(1..=10).contains(&whole) || text.get(point) != Some(&b'.') || digits(&text[point + 1..]) != 3 {
        return None;
    }
    let number = text[from..point].iter().chain(&text[point + 1..point + 4]);
    let ms = number.fold(0_i64, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    Some((if negative { -ms } else { ms }, point + 4))
}

fn millis(text: &str) -> Option<i64> {
    seconds(text.as_bytes()).filter(|(_, length)| *length == text.len()).map(|found| found.0)
}

/// An error that answers a request.
pub(super) fn refused(message: &str) -> Option<RefusedLine<'_>> {
    let at = memmem::find(message.as_bytes(), b"> SynapseError: ")?;
    let (head, rest) = (&message[..at], &message[at + "> SynapseError: ".len()..]);
    let method = head.split_once(" method='")?.1.split_once('\'')?.0;
    let uri = head.split_once(" uri='")?.1.split_once('\'')?.0;
    let (status, reason) = rest.split_once(" - ")?;
    Some(RefusedLine { method, uri, status: status.parse().ok()?, reason })
}

#[cfg(test)]
mod tests {
    use super::super::message::line;
    use crate::event::{Class, EventKind};
    use crate::line::parse_line;

    #[test]
    fn an_access_line_gives_its_parts() {
        let text = line(
            "synapse.access.http.8008",
            r#"127.0.0.1 - 8008 - {@alice:localhost} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! "POST /_matrix/client/v3/keys/upload?a=b HTTP/1.1" "UA "x" (y)" [0 dbevts]"#,
        );
        let line = parse_line(text.as_bytes()).unwrap();
        assert_eq!(line.class(), Class::Access(95), "cheaply, and as the whole line says it");
        let EventKind::Access(access) = line.event().kind else { panic!() };
        assert_eq!((access.user_id, access.status, access.unfinished), (Some("@alice:localhost"), 400, true));
        assert_eq!((access.method, access.uri), ("POST", "/_matrix/client/v3/keys/upload?a=b"));
        assert_eq!((access.processing_ms, access.sending_ms, access.duration_ms()), (95, -1, 95));
        assert_eq!((access.address, access.user_agent), ("127.0.0.1", r#"UA "x" (y)"#));
    }

    #[test]
    fn a_restart_of_1_155_has_no_user() {
        let text = line(
            "synapse.access.http.8008",
            r#"127.0.0.1 - 8008 - {None} Processed request: 0.004sec/0.001sec ru=(0.000sec, 0.000sec) db=(0.001sec/0.002sec/1) 2B 200 "POST /x HTTP/1.1" "UA" [0 dbevts]"#,
        );
        let line = parse_line(text.as_bytes()).unwrap();
        let EventKind::Access(access) = line.event().kind else { panic!() };
        assert_eq!(access.user_id, None);
    }

    #[test]
    fn a_refusal_gives_its_reason() {
        let text = line(
            "synapse.http.server",
            "<XForwardedForRequest at 0x7f method='POST' uri='/_matrix/client/v3/keys/upload' clientproto='HTTP/1.1' site='8008'> SynapseError: 400 - One time key signed_curve25519:AAAAAAAAAA0 already exists. Old key: {}",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        let EventKind::Refused(error) = read.event().kind else { panic!() };
        assert_eq!((error.status, error.uri), (400, "/_matrix/client/v3/keys/upload"));
        assert!(error.reason.starts_with("One time key signed_curve25519:AAAAAAAAAA0 already exists"));
    }
}
