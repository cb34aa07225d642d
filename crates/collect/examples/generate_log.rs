//! Writes a log of the shape of Synapse's own, for benches: `generate_log BYTES RATE OUT [REPORT]`.
//!
//! RATE is the share of lines that name one of the case's ids, such as 0.0001 or 0.1. REPORT, if given, becomes a report
//! that names those ids and spans the log. The same arguments give the same bytes. The ids are printed, one to a line,
//! as an alternation for grep and ripgrep needs them.
//!
//! The shares of loggers, the lines' lengths and their order (error line, then access line of one request; long `/sync`
//! requests that end much later than they began) are those of `homeserver.log` of a Synapse 1.155 with browsers.

use std::fs::File;
use std::io::{self, BufWriter, Write};

/// 2026-11-23 08:00:00 UTC.
const START_MS: u64 = 1_795_420_800_000;

const UA: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36";

/// The users and devices of the case.
const CASE: [(&str, &str); 2] = [("@alice:localhost", "ZDUDAVALPA"), ("@bob:localhost", "TRPQUKHAKX")];
const KEY: &str = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
const EVENT: &str = "$Y6ndSkxv1TbXhKq0bJpOQ0EjlXxVd2mB9xZtn5cRrEs";
const ROOM: &str = "!mcvQkMpfsogPWQAuqq:localhost";
const DELAY: &str = "syd_QxWmKdTzPbYvNcRfHs";

/// Small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, share: f64) -> bool {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64 >= 1.0 - share
    }
}

struct Log<W> {
    out: W,
    written: u64,
    ms: u64,
    request: u64,
    random: Random,
}

impl<W: Write> Log<W> {
    /// A line's head, at a time that goes on.
    fn head(&mut self, logger: &str, number: u32, level: &str, request: &str) -> String {
        self.ms += 1 + self.random.below(12);
        let ms = self.ms % 86_400_000;
        let day = 23 + (self.ms - START_MS + START_MS % 86_400_000) / 86_400_000;
        let (hour, minute, second, milli) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
        let (month, day) = if day <= 30 { (11, day) } else { (12, day - 30) };
        format!(
            "2026-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{milli:03} - {logger} - {number} - {level} - {request} - "
        )
    }

    fn put(&mut self, line: String) -> io::Result<()> {
        self.written += line.len() as u64 + 1;
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    fn access(&mut self, user: &str, request: &str, took: u64, status: u16, asked: &str) -> io::Result<()> {
        let head = self.head("synapse.access.http.8008", 643, "INFO", request);
        let (second, milli) = (took / 1000, took % 1000);
        let address = format!("10.{}.{}.{}", user.len(), self.random.below(250), self.random.below(250));
        let size = 40 + self.random.below(5000);
        self.put(format!(
            "{head}{address} - 8008 - {{{user}}} Processed request: {second}.{milli:03}sec/0.000sec ru=(0.013sec, 0.001sec) db=(0.014sec/0.014sec/16) {size}B {status} \"{asked} HTTP/1.1\" \"{UA}\" [0 dbevts]"
        ))
    }

    /// What a request of one user prints.
    fn request(&mut self, user: &str, device: &str, of_case: bool) -> io::Result<()> {
        self.request += 1;
        let number = self.request;
        match self.random.below(20) {
            0..=8 => {
                let (a, b) = (self.random.below(9000), self.random.below(900));
                let took = 20 + self.random.below(30_000);
                let asked = format!(
                    "GET /_matrix/client/v3/sync?filter=0&timeout=30000&org.matrix.msc4222.use_state_after=true&since=s{a}_{b}_0_1_1_1_1_5_0_1_2_1_1"
                );
                self.access(user, &format!("GET-{number}"), took, 200, &asked)
            }
            9..=10 => {
                let id = format!("POST-{number}");
                let head = self.head("synapse.handlers.e2e_keys", 955, "INFO", &id);
                let keys: Vec<String> =
                    (0..50).map(|n| format!("'signed_curve25519:AAAAAAA{:04X}'", n + number % 9000)).collect();
                let at = self.ms;
                self.put(format!(
                    "{head}Adding one_time_keys dict_keys([{}]) for device '{device}' for user '{user}' at {at}",
                    keys.join(", ")
                ))?;
                if of_case && self.random.chance(0.3) {
                    let head = self.head("synapse.http.server", 131, "INFO", &id);
                    self.put(format!(
                        "{head}<XForwardedForRequest at 0x7f5d285cdd50 method='POST' uri='/_matrix/client/v3/keys/upload' clientproto='HTTP/1.1' site='8008'> SynapseError: 400 - One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{\"key\":\"{KEY}\",\"signatures\":{{\"{user}\":{{\"ed25519:{device}\":\"c2ln\"}}}}}}; new key: {{'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0'}}"
                    ))?;
                    return self.access(user, &id, 95, 400, "POST /_matrix/client/v3/keys/upload");
                }
                self.access(user, &id, 72, 200, "POST /_matrix/client/v3/keys/upload")
            }
            11 => {
                let id = format!("GET-{number}");
                let head = self.head("synapse.http.server", 131, "INFO", &id);
                self.put(format!(
                    "{head}<XForwardedForRequest at 0x7f5d285cdd50 method='GET' uri='/_matrix/client/v3/room_keys/version' clientproto='HTTP/1.1' site='8008'> SynapseError: 404 - No backup found"
                ))?;
                self.access(user, &id, 10, 404, "GET /_matrix/client/v3/room_keys/version")
            }
            12..=13 => {
                let txn = self.random.next();
                let asked = format!("PUT /_matrix/client/v3/sendToDevice/m.room.encrypted/{txn:032x}");
                self.access(user, &format!("PUT-{number}"), 31, 200, &asked)
            }
            14 if of_case => {
                let asked = format!("POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/{DELAY}/restart");
                self.access("None", &format!("POST-{number}"), 4, 200, &asked)
            }
            15 => {
                let room = if of_case { ROOM } else { "!otherRoomOtherRoom:localhost" };
                let asked = format!("GET /_matrix/client/v3/rooms/{}/members", room.replace(':', "%3A"));
                self.access(user, &format!("GET-{number}"), 12, 200, &asked)
            }
            16 => {
                let asked = format!("GET /_matrix/client/v3/profile/{}", user.replace('@', "%40").replace(':', "%3A"));
                self.access(user, &format!("GET-{number}"), 3, 200, &asked)
            }
            _ => self.access(user, &format!("POST-{number}"), 12, 200, "POST /_matrix/client/v3/keys/query"),
        }
    }

    /// Lines that name nobody, and now and then a traceback.
    fn background(&mut self) -> io::Result<()> {
        let number = self.ms / 30_000;
        match self.random.below(200) {
            0..=150 => {
                let head = self.head(
                    "synapse.storage.databases.main.event_push_actions",
                    1595,
                    "INFO",
                    &format!("rotate_notifs-{number}"),
                );
                let line = format!("{head}Rotating notifications up to: {number}");
                self.put(line)
            }
            151..=190 => {
                let head = self.head(
                    "synapse.util.caches.lrucache",
                    220,
                    "INFO",
                    &format!("LruCache._expire_old_entries-{number}"),
                );
                self.put(format!("{head}Dropped 0 items from caches"))
            }
            191..=198 => {
                let event = self.random.next();
                let head = self.head(
                    "synapse.federation.sender",
                    649,
                    "INFO",
                    &format!("process_event_queue_for_federation-{number}"),
                );
                self.put(format!("{head}Unexpectedly did not have cached prev group for ${event:043x}"))
            }
            _ => {
                let head = self.head("synapse.metrics._gc", 130, "ERROR", "sentinel");
                self.put(format!(
                    "{head}Failed to handle something\nTraceback (most recent call last):\n  File \"/usr/lib/python3/synapse/x.py\", line 131, in f\n    return await g()\nValueError: no"
                ))
            }
        }
    }

    fn event(&mut self) -> io::Result<()> {
        let head = self.head("synapse.handlers.message", 921, "INFO", &format!("PUT-{}", self.request));
        self.put(format!("{head}Created event {EVENT} in {ROOM}"))
    }
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let usage = || io::Error::other("usage: generate_log BYTES RATE OUT [REPORT]");
    let bytes: u64 = arguments.first().and_then(|text| text.parse().ok()).ok_or_else(usage)?;
    let rate: f64 = arguments.get(1).and_then(|text| text.parse().ok()).ok_or_else(usage)?;
    let out = BufWriter::with_capacity(1 << 20, File::create(arguments.get(2).ok_or_else(usage)?)?);
    let random = Random(0x9e37_79b9_7f4a_7c15);
    let mut log = Log { out, written: 0, ms: START_MS, request: 100, random };
    let mut others: Vec<(String, String)> = Vec::new();
    for n in 0..500 {
        others.push((format!("@user{n}:localhost"), format!("DEV{n:07}")));
    }
    while log.written < bytes {
        // A request of the case prints 1.2 lines that name it.
        if log.random.chance(rate / 1.2) {
            let (user, device) = CASE[log.random.below(2) as usize];
            if log.random.chance(0.05) { log.event()? } else { log.request(user, device, true)? }
        } else if log.random.chance(0.45) {
            log.background()?;
        } else {
            let (user, device) = others[log.random.below(500) as usize].clone();
            log.request(&user, &device, false)?;
        }
    }
    log.out.flush()?;
    if let Some(path) = arguments.get(3) {
        std::fs::write(path, report(log.ms))?;
    }
    let ids = [CASE[0].0, CASE[0].1, CASE[1].0, CASE[1].1, "AAAAAAAAADQ", KEY, EVENT, ROOM, DELAY];
    ids.iter().try_for_each(|id| writeln!(io::stdout(), "{id}"))
}

/// A report of the first user's device that names the other ids.
fn report(until: u64) -> String {
    let (user, device) = CASE[0];
    let lines = [
        (
            "KE-1",
            "already exists",
            format!(
                "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{\\\"key\\\":\\\"{KEY}\\\",\\\"signatures\\\":{{}}}}; new key: {{}}"
            ),
        ),
        ("KE-2", "missing key at index", format!("missing key at index 3 for participant {}:{}", CASE[1].0, CASE[1].1)),
        (
            "KE-3",
            "DecryptionError",
            format!(
                "Error decrypting event (id={EVENT} type=m.room.encrypted sender={} room={ROOM} ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: missing field `algorithm` at line 1 column 233, sender_key: Y, session_id: Z]",
                CASE[1].0
            ),
        ),
        (
            "KE-4",
            "delayed event",
            format!(
                "Failed to restart delayed event: /_matrix/client/unstable/org.matrix.msc4140/delayed_events/{DELAY}/restart"
            ),
        ),
    ];
    let entries: Vec<String> = lines
        .iter()
        .map(|(ke, signature, message)| {
            format!(
                "{{\"ts\":{START_MS},\"level\":\"error\",\"ke\":\"{ke}\",\"meaning\":\"failure\",\"signature\":\"{signature}\",\"message\":\"{message}\"}}"
            )
        })
        .collect();
    format!(
        "{{\"schema\":\"crypto-diag/report\",\"schemaVersion\":1,\"generatedAt\":{until},\"userId\":\"{user}\",\"deviceId\":\"{device}\",\"entries\":[{}]}}\n",
        entries.join(",")
    )
}
