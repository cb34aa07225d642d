//! The requests of a block, and how long each took.

use crypto_diag_server_log::synapse::{ACCESS_WORDS, seconds};
use crypto_diag_server_log::{Route, waits_for_news};
use memchr::memmem;

use super::Period;
use crate::line_header::Times;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Minutes since the epoch, of the request's end.
    pub minute: i64,
    /// Milliseconds that Synapse worked on it.
    pub ms: u64,
    pub route: Route,
}

/// The requests of a block that ended in the window.
pub(crate) fn samples(data: &[u8], period: &Period, out: &mut Vec<Sample>) {
    let mut times = Times::new(period.clock);
    for at in memmem::find_iter(data, ACCESS_WORDS.as_bytes()) {
        let rest = &data[at + ACCESS_WORDS.len()..];
        let rest = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        let Some((ms, _)) = seconds(rest) else { continue };
        let Some(path) = path(rest).filter(|path| !waits_for_news(path)) else { continue };
        let start = memchr::memrchr(b'\n', &data[..at]).map_or(0, |at| at + 1);
        let line = &data[start..at + ACCESS_WORDS.len() + rest.len()];
        let Some(time) = times.of(line).filter(|time| period.holds(Some(*time))) else { continue };
        let route = Route::of(str::from_utf8(path).unwrap_or_default());
        out.push(Sample { minute: time.div_euclid(60_000), ms: ms.max(0) as u64, route });
    }
}

/// The path in what follows: `… "GET /path?query HTTP/1.1" …`.
fn path(rest: &[u8]) -> Option<&[u8]> {
    let request = &rest[memchr::memchr(b'"', rest)? + 1..];
    let from = memchr::memchr(b' ', &request[..request.len().min(16)])? + 1;
    let uri = &request[from..];
    let end = memchr::memchr2(b' ', b'?', uri)?;
    Some(&uri[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_before_its_query() {
        assert_eq!(path(br#"0.1sec/0 "GET /a/sync?x=1 HTTP/1.1" "UA""#), Some(&b"/a/sync"[..]));
        assert_eq!(path(br#"0.1sec/0 \"GET /a HTTP/1.1\" \"UA\""#), Some(&b"/a"[..]));
    }
}
