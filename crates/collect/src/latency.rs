//! How many requests a minute had and how long they took: context for KE-4, never proof.

use std::collections::BTreeMap;

use memchr::memmem;
use serde_json::{Value, json};

use crate::head;
use crate::scan::Plan;

/// Minutes that are kept at most: a week.
pub const MINUTES_MAX: usize = 7 * 24 * 60;

/// Durations up to here have a bucket for each millisecond; beyond, buckets are an eighth of a percent to one percent wide.
const EXACT_MS: u32 = 256;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Minutes since the epoch, of the request's end.
    pub minute: i64,
    /// Milliseconds that Synapse worked on it.
    pub ms: u32,
}

/// Requests by minute.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    minutes: BTreeMap<i64, Minute>,
    /// Requests of minutes beyond [`MINUTES_MAX`].
    pub not_counted: u64,
}

#[derive(Debug, Default)]
struct Minute {
    count: u64,
    buckets: BTreeMap<u32, u64>,
}

impl Latency {
    pub fn add(&mut self, samples: &[Sample]) {
        for sample in samples {
            if self.minutes.len() >= MINUTES_MAX && !self.minutes.contains_key(&sample.minute) {
                self.not_counted += 1;
                continue;
            }
            let minute = self.minutes.entry(sample.minute).or_default();
            minute.count += 1;
            *minute.buckets.entry(bucket(sample.ms)).or_default() += 1;
        }
    }

    /// Adds those of another log.
    pub fn merge(&mut self, other: Latency) {
        self.not_counted += other.not_counted;
        for (at, row) in other.minutes {
            if self.minutes.len() >= MINUTES_MAX && !self.minutes.contains_key(&at) {
                self.not_counted += row.count;
                continue;
            }
            let minute = self.minutes.entry(at).or_default();
            minute.count += row.count;
            row.buckets.into_iter().for_each(|(bucket, count)| *minute.buckets.entry(bucket).or_default() += count);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.minutes.is_empty()
    }

    /// As Prometheus answers a range query, so that whoever reads one reads this: seconds by quantile. Counts stand
    /// beside, where such a reader does not look.
    pub fn to_json(&self) -> Value {
        let series = |share: f64| -> Vec<Value> {
            let at = |(minute, row): (&i64, &Minute)| {
                let seconds = row.quantile(share) as f64 / 1000.0;
                json!([minute * 60, format!("{seconds:.3}")])
            };
            self.minutes.iter().map(at).collect()
        };
        let result: Vec<Value> = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)]
            .iter()
            .map(|(name, share)| {
                json!({"metric": {"__name__": "synapse_request_seconds", "quantile": name}, "values": series(*share)})
            })
            .collect();
        let counts: Vec<Value> = self.minutes.iter().map(|(minute, row)| json!([minute * 60, row.count])).collect();
        json!({
            "status": "success",
            "data": {"resultType": "matrix", "result": result},
            "cryptoDiag": {"requests": counts, "without": "every form of /sync", "notCounted": self.not_counted},
        })
    }
}

impl Minute {
    /// The duration that this share of the requests did not exceed, in milliseconds.
    fn quantile(&self, share: f64) -> u32 {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in &self.buckets {
            seen += count;
            if seen >= wanted {
                return highest(*bucket);
            }
        }
        0
    }
}

/// Buckets are exact at first and then as wide as the 128th part of the power of two below them.
fn bucket(ms: u32) -> u32 {
    if ms < EXACT_MS {
        return ms;
    }
    let power = 31 - ms.leading_zeros();
    let part = (ms >> (power - 7)) & 127;
    EXACT_MS + (power - 8) * 128 + part
}

fn highest(bucket: u32) -> u32 {
    if bucket < EXACT_MS {
        return bucket;
    }
    let (power, part) = ((bucket - EXACT_MS) / 128 + 8, (bucket - EXACT_MS) % 128);
    let width = 1_u64 << (power - 7);
    u32::try_from((u64::from(part) + 128) * width + width - 1).unwrap_or(u32::MAX)
}

/// The requests of a block that ended in the window.
pub(crate) fn samples(data: &[u8], plan: &Plan, out: &mut Vec<Sample>) {
    const WORDS: &[u8] = b"} Processed request: ";
    for at in memmem::find_iter(data, WORDS) {
        let rest = &data[at + WORDS.len()..];
        let rest = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        let Some((ms, _)) = head::seconds(rest) else { continue };
        if path(rest).is_none_or(is_sync) {
            continue;
        }
        let start = memchr::memrchr(b'\n', &data[..at]).map_or(0, |at| at + 1);
        let line = &data[start..at + WORDS.len() + rest.len()];
        let Some(time) = head::time(line, plan.clock).filter(|time| plan.holds(Some(*time))) else { continue };
        out.push(Sample { minute: time.div_euclid(60_000), ms: ms.clamp(0, i64::from(u32::MAX)) as u32 });
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

/// Requests that wait for news: `/sync` of every version, sliding or not, and its forerunners.
fn is_sync(path: &[u8]) -> bool {
    let last = memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..]);
    last == b"sync" || last == b"initialSync" || last == b"events" && !path.windows(7).any(|part| part == b"/rooms/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_sync_is_left_out() {
        for path in [
            "/_matrix/client/v3/sync",
            "/_matrix/client/r0/sync",
            "/_matrix/client/unstable/org.matrix.msc3575/sync",
            "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
            "/_matrix/client/r0/initialSync",
            "/_matrix/client/r0/rooms/!x/initialSync",
            "/_matrix/client/r0/events",
        ] {
            assert!(is_sync(path.as_bytes()), "{path}");
        }
        for path in ["/_matrix/client/v3/keys/upload", "/_matrix/client/v3/rooms/!x/sync2", "/syncer", ""] {
            assert!(!is_sync(path.as_bytes()), "{path}");
        }
        assert_eq!(path(br#"0.1sec/0 "GET /a/sync?x=1 HTTP/1.1" "UA""#), Some(&b"/a/sync"[..]));
        assert_eq!(path(br#"0.1sec/0 \"GET /a HTTP/1.1\" \"UA\""#), Some(&b"/a"[..]));
    }

    #[test]
    fn buckets_are_close_everywhere() {
        for ms in (0..5000).chain((0..30).map(|power| (1_u32 << power) + 12_345)).chain([u32::MAX]) {
            let high = highest(bucket(ms));
            assert!(ms <= high && f64::from(high - ms) <= f64::from(ms) / 100.0, "{ms}: {high}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_requests_and_triage_reads_them() {
        let mut latency = Latency::default();
        let samples: Vec<Sample> = (1..=100).map(|ms| Sample { minute: 29_923_715, ms }).collect();
        latency.add(&samples);
        let json = latency.to_json();
        let value = |series: usize| json["data"]["result"][series]["values"][0][1].as_str().unwrap().to_owned();
        assert_eq!((value(0), value(1), value(2)), ("0.050".to_owned(), "0.095".to_owned(), "0.099".to_owned()));
        assert_eq!(json["cryptoDiag"]["requests"][0][1], 100);
        let text = json.to_string();
        let kind = crypto_diag_triage::bundle::ArtefactKind::guess("latency.json", text.as_bytes());
        assert_eq!(kind, crypto_diag_triage::verdict::ArtefactKind::Latency);
        let read = crypto_diag_triage::latency::Latency::read("latency.json", text.as_bytes()).unwrap();
        assert_eq!(read.seconds, [(29_923_715, 0.099)].into());
    }
}
