//! No id and no text of a report stands in any row.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crypto_diag_pseudonym::Key;
use crypto_diag_rows::{Names, judge, rows};
use proptest::prelude::*;
use serde_json::{Value, json};

fn names() -> Names {
    Names::new(Key::new(&[7; 32]).expect("long enough"), Vec::new())
}

/// The rows of some reports and the verdicts on all of them together.
fn all_rows(reports: &[String]) -> String {
    let names = names();
    let mut out = Vec::new();
    let mut never = |why: &str| panic!("{why}");
    rows(&names, false, reports.join("\n").as_bytes(), &mut out, &mut never).expect("memory can be written");
    let incident: Vec<String> =
        reports.iter().enumerate().map(|(index, report)| format!("i\tr{index}\t{report}")).collect();
    judge(&names, incident.join("\n").as_bytes(), &mut out, &mut never).expect("it is sorted");
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// Reports of a folder and of those below it, each on one line.
fn reports(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            reports(&path, found);
        } else if path.to_string_lossy().ends_with("report.json") {
            let value: Value = serde_json::from_str(&fs::read_to_string(&path).expect("text")).expect("JSON");
            found.push((path, value.to_string()));
        }
    }
}

/// Words of a report that could be ids: those with a sigil, and long or mixed runs of the letters that ids are made of.
fn ids(text: &str, found: &mut BTreeSet<String>) {
    let is_letter = |character: char| character.is_ascii_alphanumeric() || "@!$#:._-=+/".contains(character);
    for word in text.split(|character| !is_letter(character)) {
        for part in std::iter::once(word).chain(word.split([':', '/', '=', '.'])) {
            let has = |is: fn(&char) -> bool| part.chars().any(|character| is(&character));
            let is_mixed = part.len() >= 10
                && (has(char::is_ascii_digit) || part.chars().all(|character| character.is_ascii_uppercase()))
                && has(char::is_ascii_alphabetic);
            let has_sigil = part.len() > 3 && part.starts_with(['@', '!', '$']);
            if is_mixed || has_sigil {
                found.insert(part.trim_end_matches(['.', ':', '/', '-']).to_owned());
            }
        }
    }
}

#[test]
fn no_id_of_any_recorded_report_stands_in_a_row() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut found = Vec::new();
    reports(&fixtures.join("bundles"), &mut found);
    reports(&fixtures.join("calls"), &mut found);
    assert!(found.len() > 40, "only {} reports", found.len());
    let mut checked = 0;
    for (path, report) in &found {
        let out = all_rows(std::slice::from_ref(report));
        assert!(out.contains("\"table\":\"reports\""), "{}", path.display());
        let mut of_report = BTreeSet::new();
        ids(report, &mut of_report);
        // What a version, a signature or a conclusion has in common with the report is public.
        let leaked: Vec<&String> = of_report.iter().filter(|id| out.contains(id.as_str()) && !is_public(id)).collect();
        assert!(leaked.is_empty(), "{}: {leaked:?}", path.display());
        checked += of_report.len();
    }
    assert!(checked > 1_000, "only {checked} ids were looked for");
}

/// Words of the protocol and versions that look like ids.
fn is_public(word: &str) -> bool {
    ["curve25519", "41.6.0-rc.0", "RECONNECTING"].contains(&word)
}

/// A report that has the given ids wherever a report can have one.
fn report(ids: &Ids) -> String {
    let Ids { user, device, key, message, event, room, words } = ids;
    let entry = |ke: &str, signature: &str, message: String| {
        json!({"ts": 1_795_425_887_138_u64, "level": "error", "ke": ke, "signature": signature, "message": message, "meaning": "failure",
               "realm": {"kind": "frame", "path": format!("/{words}")}})
    };
    json!({
        "schema": "crypto-diag/report", "schemaVersion": 1, "generatedAt": 1_795_425_900_000_u64,
        "userId": user, "deviceId": device, "sdkVersion": words, "cryptoVersion": format!("Rust SDK {words}"), "syncState": words,
        "userAgent": format!("Mozilla/5.0 ({words}) Firefox/153.0"), "page": format!("https://{words}.example/"),
        "capture": {"state": "capturing", "installedAt": 1_795_425_800_000_u64, "hooks": [{"method": words, "inPlace": true}]},
        "tallies": [{"ke": "KE-1", "meaning": "failure", "total": 1}],
        "crypto": {"ownDeviceKeys": {"ed25519": key, "curve25519": key}, "devices": [{"userId": user, "deviceId": device, "curve25519": key}]},
        "call": {"session": {"own": true, "roomId": room, "memberships": [{"userId": user, "deviceId": device, "participant": words}]}},
        "sent": [{"ts": 1_795_425_880_000_u64, "type": "m.room.encrypted", "txnid": words, "omitted": 0,
                  "targets": [{"userId": user, "deviceId": device, "messageId": message}]}],
        "entries": [
            entry("KE-1", "already exists", format!("One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{\"key\":\"{key}\",\"signatures\":{{}}}}; new key: {{'key': '{key}', 'signatures': {{}}}}")),
            entry("KE-3", words, format!("Error decrypting event (id={event} type=m.room.encrypted sender={user} room={room} ts=x): DecryptionError[msg: missing field `algorithm`, sender_key: {key}, session_id: {key}]")),
            entry("OLM", "MissingOneTimeKey", format!("Failed to create a new Olm session from a pre-key message: MissingOneTimeKey(\"curve25519:{key}\") sender=\"{user}\" message_id=\"{message}\"")),
            entry("KE-2", "missing key at index", format!("missing key at index 3 for participant {user}:{device}")),
            entry("KE-4", "[MatrixRTCSession", format!("[MatrixRTCSession {room} m.call#ROOM] delayed event restart failed: {words}")),
        ],
    })
    .to_string()
}

#[derive(Clone, Debug)]
struct Ids {
    user: String,
    device: String,
    key: String,
    message: String,
    event: String,
    room: String,
    /// What an app may put into any text.
    words: String,
}

prop_compose! {
    fn some_ids()(
        local in "[a-z0-9._=-]{6,12}", server in "[a-z]{8,12}\\.(org|example)", device in "[A-Z]{10}", key in "[A-Za-z0-9+/]{43}",
        message in "[0-9a-f]{32}", event in "[A-Za-z0-9_-]{43}", room in "[A-Za-z]{18}", words in "(@?[a-z]{7}:[a-z]{8}|[A-Za-z0-9]{12,20})",
    ) -> Ids {
        let (event, room) = (format!("${event}"), format!("!{room}:{server}"));
        Ids { user: format!("@{local}:{server}"), device, key, message, event, room, words }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_generated_id_stands_in_a_row(one in some_ids(), other in some_ids()) {
        let out = all_rows(&[report(&one), report(&other)]);
        prop_assert!(out.contains("\"table\":\"judged\""));
        for ids in [&one, &other] {
            let (local, server) = ids.user[1..].split_once(':').expect("made of both");
            for id in [local, server, &ids.device, &ids.key, &ids.message, &ids.event[1..], &ids.room[1..19], &ids.words] {
                prop_assert!(!out.contains(id), "{id} in {out}");
            }
        }
        // Each of them is there, as a pseudonym.
        for kind in ["message", "event", "session", "one-time-key", "curve25519", "device", "participant", "room"] {
            let id = format!("\"kind\":\"{kind}\"");
            prop_assert!(out.contains(&id), "no {kind} in {out}");
        }
    }
}
