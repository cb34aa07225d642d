//! No reader panics, whatever it is given, and none loses what it could have read.

use crypto_diag_triage::Triage;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::har::{Har, HarOptions};
use crypto_diag_triage::query::QueryResults;
use crypto_diag_triage::render;
use crypto_diag_triage::synapse_log::{LogOptions, LogReader, ServerLog, parse_line};
use proptest::prelude::*;

/// Pieces that readers look for; a random text is unlikely to hold one.
const PIECES: [&str; 44] = [
    "2026-11-23 08:36:03,871 - ",
    "synapse.handlers.e2e_keys - 955 - INFO - POST-48 - ",
    "synapse.access.http.8008 - 1 - INFO - GET-1 - ",
    "1.1.1.1 - 8008 - {@a:h} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! \"POST /_matrix/client/v3/keys/upload HTTP/1.1\" \"UA\" [0 dbevts]",
    "Adding one_time_keys dict_keys(['signed_curve25519:A']) for device 'D' for user '@a:h' at 1795422963777",
    "Claimed one-time-keys: signed_curve25519:A for @a:h:D,",
    "Deleting devices ['A'] for '@a:h'",
    "***** STARTING SERVER *****",
    "<X method='POST' uri='/_matrix/client/v3/keys/upload'> SynapseError: 400 - One time key signed_curve25519:A already exists. Old key: {\"key\":\"x\"}; new key: {'key': 'y'}",
    "Storing to-device messages with stream_id 1: ['@a:h/D (msgid m)']",
    "w1 | ",
    "Nov 23 08:36:03 box python[1]: ",
    "2026-11-23T08:36:03.871Z stdout F ",
    "1795422963.871204 box x[1]: ",
    "{\"log\":\"",
    "\",\"namespace\":\"synapse.x\",\"level\":\"INFO\",\"time\":1e300}",
    "{\"MESSAGE\":[1,2,300]}",
    "{\"MESSAGE\":\"x\",\"LOGGER\":\"a\"}",
    "\n",
    "\r\n",
    " - ",
    "- ",
    ": [",
    "]",
    "'",
    "\"",
    "{",
    "}",
    "{\"log\":{\"entries\":[",
    "{\"startedDateTime\":\"2026-11-23T08:36:03.777Z\",\"time\":-1e308,",
    "\"request\":{\"method\":\"POST\",\"url\":\"https://h/_matrix/client/v3/sync?since=s1_2_3_4_5_6_7\"},",
    "\"response\":{\"status\":99999,\"content\":{\"text\":\"{}\"}}}",
    "key_id,used\n",
    " key_id | used \n--------+------\n",
    "-[ RECORD 1 ]\n",
    "key_id | x\n",
    "(1 row)",
    "[{\"name\":\"one_time_keys\",\"params\":[\"@a:h\"],\"at\":1,\"rows\":[",
    "{\"key_id\":\"A\",\"ts_added_ms\":\"2026-11-23 09:24:39.1+00\",\"key_json\":\"{\\\"key\\\":1}\"}",
    "]}]",
    "|",
    "\u{202e}ü€😀",
    "\u{0}",
    "data",
];

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_read_or_not(bytes in text()) {
        if let Some(line) = parse_line(&bytes) {
            let _ = line.event();
        }
    }

    #[test]
    fn a_log_is_read_to_its_end(bytes in text()) {
        let mut reader = LogReader::new(&bytes[..]);
        while let Some(record) = reader.next_record().unwrap() {
            prop_assert!(record.line >= 1 && record.offset < bytes.len() as u64);
        }
        prop_assert_eq!(reader.counts().bytes, bytes.len() as u64);
        let options = LogOptions { zone_minutes: Some(60), near: Some(1_795_422_963_871), wanted: None };
        let log = ServerLog::read("x", &bytes[..], &options);
        prop_assert_eq!(log.counts, reader.counts());
    }

    #[test]
    fn a_har_is_read_and_what_is_kept_reads_to_the_same(bytes in text()) {
        let options = HarOptions { event_ids: ["$e".to_owned()].into() };
        let har = Har::read("x", &bytes[..], &options);
        let mut written = Vec::new();
        har.write(&mut written).unwrap();
        let again = Har::read("x", &written[..], &options);
        prop_assert_eq!(har.entries, again.entries);
    }

    #[test]
    fn results_are_read(bytes in text()) {
        let _ = QueryResults::read("one_time_keys.json", &bytes[..]);
    }

    #[test]
    fn a_bundle_of_anything_gets_an_answer(parts in prop::collection::vec((text(), 0_u8..8), 0..4)) {
        let kinds = [
            None, Some(ArtefactKind::Report), Some(ArtefactKind::Har), Some(ArtefactKind::ServerLog),
            Some(ArtefactKind::QueryResults), Some(ArtefactKind::Latency), Some(ArtefactKind::Manifest), Some(ArtefactKind::Other),
        ];
        let mut bundle = Bundle::new();
        for (bytes, kind) in &parts {
            bundle.add("x.json", kinds[usize::from(*kind)], &bytes[..]);
        }
        let triage = Triage::of(&bundle);
        prop_assert!(triage.exit_code <= 3);
        prop_assert!(!render::html(&triage).is_empty() && !render::markdown(&triage).is_empty() && !render::text(&triage).is_empty());
        prop_assert!(render::json(&triage).is_ok());
    }
}

/// An input that breaks after some bytes, as a vanished file or a full pipe does.
struct Breaking<'a>(&'a [u8]);

impl std::io::Read for Breaking<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() {
            return Err(std::io::Error::other("the disk is gone"));
        }
        let count = buffer.len().min(self.0.len()).min(100);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn an_input_that_breaks_is_named_and_what_came_before_is_used() {
    let log =
        b"2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - m\n2026-11-23 08:36:04,000 - a.b - 1 - INFO - GET-2 - m\n";
    let read = ServerLog::read("h.log", std::io::BufReader::new(Breaking(log)), &LogOptions::default());
    assert!(read.problems.iter().any(|problem| problem.what.contains("the disk is gone")), "{:?}", read.problems);
    assert_eq!(read.counts.lines, 2);
    let har = br#"{"log":{"entries":[{"startedDateTime":"2026-11-23T08:36:03.777Z","request":{"method":"GET","url":"https://h/x"},"response":{"status":200}},"#;
    let read = Har::read("x.har", Breaking(har), &HarOptions::default());
    assert_eq!(read.entries.len(), 1);
    assert!(read.problems.iter().any(|problem| problem.what.contains("the disk is gone")), "{:?}", read.problems);
    let read = QueryResults::read("q.json", Breaking(b"[]"));
    assert!(read.problems.iter().any(|problem| problem.what.contains("the disk is gone")), "{:?}", read.problems);
}
