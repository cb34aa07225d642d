//! What other programs put around a server's line: a container's time, journald's host and unit, a worker's prefix.
//! [`crate::json_wrapping`] has what JSON puts around it, [`crate::journald`] has what is left of a line that journald does not show.

use memchr::memmem;

use crate::formats::bare;
use crate::stamp::{Stamp, read_epoch_ms, read_iso, read_syslog, read_tai64n, read_unix, read_weekday, undated_syslog};

/// Wrappings that are taken off at most: a container's, a prefix and journald's.
pub(crate) const WRAPPINGS_MAX: u8 = 3;

/// Bytes of a process's name in front of a bar at most.
const PREFIX_BYTES_MAX: usize = 256;

/// Labels by which Loki's streams are told apart, the most exact first.
pub(crate) const SOURCE_LABELS: [&str; 10] = [
    "pod",
    "container_name",
    "container",
    "instance",
    "systemd_unit",
    "unit",
    "filename",
    "service_name",
    "job",
    "host",
];

/// Bytes of a stream's labels at most.
const LABELS_BYTES_MAX: usize = 4096;

/// One wrapping, taken off.
pub(crate) struct Wrapping<'a> {
    pub time: Option<Stamp>,
    pub source: Option<&'a str>,
    pub inner: &'a [u8],
}

/// Takes one wrapping off: a logger's, a container's or journald's time, host and unit, or a worker's `name |`.
pub(crate) fn peel(line: &[u8]) -> Option<Wrapping<'_>> {
    let timed = |found: Option<(Stamp, usize)>| {
        let (time, used) = found?;
        match line.get(used..)?.split_first()? {
            (b' ', rest) => Some(after_time(Some(time), rest)),
            // Grafana's "Download logs" as text: columns with tabs between them.
            (b'\t', inner) => Some(Wrapping { time: Some(time), source: None, inner }),
            _ => None,
        }
    };
    // In a language whose months are not known, only what stands behind the stamp is.
    let undated = || Some(after_time(None, line.get(undated_syslog(line)?..)?.strip_prefix(b" ")?));
    let found = match line.first()? {
        b'0'..=b'9' => timed(read_iso(line))
            .or_else(|| timed(read_unix(line)))
            .or_else(|| timed(read_epoch_ms(line)))
            .or_else(|| timed(read_syslog(line))),
        // A logger stamps the line of whatever program it is given.
        b'@' => timed(read_tai64n(line)),
        b'[' => bracketed(line).or_else(|| {
            // `journalctl -o short-monotonic`: seconds since the machine was started, which are no time.
            let inside = line[1..].split(|byte| *byte == b']').next()?;
            let plain = inside.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b' '));
            let rest = line.get(inside.len() + 2..)?.strip_prefix(b" ")?;
            (plain && inside.contains(&b'.')).then(|| after_time(None, rest))
        }),
        b'<' => prioritised(line),
        _ => timed(read_syslog(line)).or_else(|| timed(read_weekday(line))).or_else(undated),
    };
    found.or_else(|| prefixed(line)).or_else(|| one_byte(line))
}

/// Portainer shows the last byte of the header that Docker's API puts in front of each line, if it can be shown.
fn one_byte(line: &[u8]) -> Option<Wrapping<'_>> {
    let inner = line.get(1..).filter(|_| line[0].is_ascii_graphic())?;
    read_iso(inner)?;
    Some(Wrapping { time: None, source: None, inner })
}

/// A line with syslog's priority in front: `<30>Nov 23 08:36:03 host unit[1]: line` (RFC 3164), or the fields of RFC 5424:
/// `<30>1 2026-11-23T08:36:03.871Z host unit 1 - - line`.
fn prioritised(line: &[u8]) -> Option<Wrapping<'_>> {
    let end = memchr::memchr(b'>', &line[..line.len().min(5)])?;
    let plain = end > 1 && line[1..end].iter().all(u8::is_ascii_digit);
    let rest = line.get(end + 1..).filter(|_| plain)?;
    let Some(fields) = rest.strip_prefix(b"1 ") else {
        return Some(Wrapping { time: None, source: None, inner: rest });
    };
    let (time, used) = read_iso(fields)?;
    // The host, the program, its process, the message's kind, and then structured data or a dash.
    let mut parts = fields.get(used + 1..)?.splitn(6, |byte| *byte == b' ');
    let (_, program) = (parts.next()?, parts.next()?);
    let (_, _, data, message) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let inner = if data == b"-" { message } else { &message[memmem::find(message, b"] ").map_or(0, |at| at + 2)..] };
    Some(Wrapping { time: Some(time), source: std::str::from_utf8(program).ok(), inner })
}

/// `[pod/synapse-0/synapse] line`, as `kubectl logs --prefix` writes it.
fn bracketed(line: &[u8]) -> Option<Wrapping<'_>> {
    let end = memmem::find(&line[..line.len().min(256)], b"] ")?;
    let source = std::str::from_utf8(line.get(1..end)?).ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'.' | b'_');
    let named = source.starts_with("pod/") && source.bytes().all(plain);
    named.then_some(Wrapping { time: None, source: Some(source), inner: &line[end + 2..] })
}

/// What stands behind a wrapping's time: a container runtime's stream, a host and a unit, or the line itself.
fn after_time(time: Option<Stamp>, rest: &[u8]) -> Wrapping<'_> {
    if let Some((source, inner)) = labelled(rest) {
        return Wrapping { time, source, inner };
    }
    for stream in [&b"stdout "[..], b"stderr "] {
        // CRI: `stdout F line`, and P for a part of a line that was too long.
        if let Some(inner) = rest.strip_prefix(stream) {
            let inner = inner.strip_prefix(b"F ").or_else(|| inner.strip_prefix(b"P ")).unwrap_or(inner);
            return Wrapping { time, source: None, inner };
        }
    }
    // journald: `host unit[pid]: line`; the unit may stand without a process.
    let source = (|| {
        let host_end = memchr::memchr(b' ', &rest[..rest.len().min(256)])?;
        // `journalctl -o with-unit` puts no host in front of the unit.
        let unit = if rest[..host_end].ends_with(b":") { rest } else { &rest[host_end + 1..] };
        let colon = memmem::find(&unit[..unit.len().min(256)], b": ")
            .or_else(|| unit.ends_with(b":").then(|| unit.len() - 1))?;
        let name = std::str::from_utf8(&unit[..colon]).ok()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:\\[]/".contains(&byte);
        name.bytes().all(plain).then_some((name, unit.get(colon + 2..).unwrap_or_default()))
    })();
    match source {
        // `docker logs -t` puts its time directly in front of a line.
        Some((name, inner)) if !begins_a_line(rest) => Wrapping { time, source: Some(name), inner },
        _ => Wrapping { time, source: None, inner: rest },
    }
}

/// A stream's labels in front of a line, as `logcli` prints them: `{app="matrix", pod="synapse-0"} line`.
fn labelled(text: &[u8]) -> Option<(Option<&str>, &[u8])> {
    let labels = text.strip_prefix(b"{").filter(|labels| labels.first().is_some_and(u8::is_ascii_alphabetic))?;
    let (mut quoted, mut escaped) = (false, false);
    let end = labels.iter().take(LABELS_BYTES_MAX).position(|byte| {
        let ends = *byte == b'}' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    let inner = labels[end + 1..].strip_prefix(b" ")?.trim_ascii_start();
    let labels = std::str::from_utf8(&labels[..end]).ok()?;
    let value = |name: &str| {
        let mut pairs = labels.split("\", ").filter_map(|pair| pair.split_once("=\""));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value.trim_end_matches('"'))
    };
    Some((SOURCE_LABELS.iter().find_map(|name| value(name)), inner))
}

/// Whether a text itself begins as a log line.
fn begins_a_line(text: &[u8]) -> bool {
    text.first() == Some(&b'{') || read_iso(text).is_some() || bare(text).is_some()
}

/// A worker's prefix, as Synapse's Docker image and docker compose write it: `generic_worker1 | line`. `docker service logs` adds
/// the node, `matrix_synapse.1.x5k2@node1    | line`; podman-compose has brackets, `[synapse]    | line`.
fn prefixed(line: &[u8]) -> Option<Wrapping<'_>> {
    let at = memmem::find(&line[..line.len().min(PREFIX_BYTES_MAX)], b"| ")?;
    let name = std::str::from_utf8(line[..at].trim_ascii()).ok()?;
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'@' | b'/');
    let named = !name.is_empty() && name.bytes().all(plain);
    named.then_some(Wrapping { time: None, source: Some(name), inner: &line[at + 2..] })
}
