//! Secrets in lines: whatever the form and wherever the line is cut, the report holds none of them.

mod forms;

use crypto_diag_core::{Host, Level, Line, Millis, Recorder, Report, SIGNATURES, redact};
use forms::Planted;
use proptest::prelude::*;

/// Consecutive characters of a secret that must not be seen.
const WINDOW: usize = 8;

/// A piece of the secret that the report holds, if it holds one.
fn leak(report: &Report, planted: &Planted) -> Option<String> {
    let json = report.to_json();
    let texts: Vec<&str> = report
        .entries
        .iter()
        .flat_map(|entry| [Some(entry.message.as_str()), entry.stack.as_deref()])
        .flatten()
        .chain([json.as_str()])
        .collect();
    for secret in &planted.secret {
        for at in 0..secret.len().saturating_sub(WINDOW - 1) {
            let window = &secret[at..at + WINDOW];
            // A run of backslashes and spaces is anybody's.
            if window.bytes().filter(u8::is_ascii_alphanumeric).count() < WINDOW / 2 {
                continue;
            }
            if texts.iter().any(|text| text.contains(window)) {
                return Some(window.to_owned());
            }
        }
    }
    None
}

fn report_of(line: &Line<'_>) -> Report {
    let mut recorder = Recorder::new();
    assert!(recorder.record(line), "a signature stands in the line");
    recorder.report(Host::default())
}

fn line_of(text: &str) -> Line<'_> {
    Line::new(Millis(1), Level::Error, text)
}

// What is generated.

const NAMES: [&str; 22] = [
    "access_token",
    "accessToken",
    "refresh_token",
    "refreshToken",
    "login_token",
    "loginToken",
    "id_token",
    "openIdToken",
    "X-Auth-Token",
    "TOKEN",
    "password",
    "newPassword",
    "account_passwd",
    "passphrase",
    "client_secret",
    "apiKey",
    "jwt",
    "session_key",
    "privateKey",
    "recovery-key",
    "credential",
    "encryption_key",
];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

/// An opaque value: one run, of an alphabet that tokens use.
fn opaque() -> impl Strategy<Value = String> {
    "[A-Za-z0-9][A-Za-z0-9._~+/-]{14,60}[A-Za-z0-9]={0,2}"
}

/// What a person may type, at least one space in it.
fn password(odd: &'static str) -> impl Strategy<Value = String> {
    ("[a-zA-Z0-9]{3,9}", odd, "[a-zA-Z0-9]{3,9}", " [a-zA-Z0-9]{3,9}").prop_map(|(a, b, c, d)| a + &b + &c + &d)
}

/// A token that shows by its prefix, or a JWT; the random part is what is searched for.
fn shaped() -> impl Strategy<Value = String> {
    let synapse =
        (prop::sample::select(&["syt_", "syl_", "syr_"][..]), "[A-Za-z0-9]{4,16}_[A-Za-z]{20}_[A-Za-z0-9]{6}");
    let mas = (prop::sample::select(&["mat_", "mar_", "mct_", "mcr_"][..]), "[A-Za-z0-9]{30}_[A-Za-z0-9]{6}");
    prop_oneof![
        synapse.prop_map(|(prefix, rest)| format!("{prefix}{rest}")),
        mas.prop_map(|(prefix, rest)| format!("{prefix}{rest}")),
        "eyJ[A-Za-z0-9_-]{12,40}\\.[A-Za-z0-9_-]{20,80}\\.[A-Za-z0-9_-]{20,60}",
        "eyJ[A-Za-z0-9_-]{12,40}\\.\\.[A-Za-z0-9_-]{20,60}",
    ]
}

fn base64_key() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9+/]{21}[AQgw]", "[A-Za-z0-9+/]{21}[AQgw]==", "[A-Za-z0-9+/]{43}", "[A-Za-z0-9+/]{43}="]
}

/// Any secret in any form.
fn planted() -> impl Strategy<Value = Planted> {
    planted_with("[ -~]{0,4}")
}

/// Any secret in any form; `odd` makes the characters that a password may hold besides letters, digits and spaces.
fn planted_with(odd: &'static str) -> impl Strategy<Value = Planted> {
    let forms = prop_oneof![
        (name(), prop_oneof![opaque(), password(odd), shaped()]).prop_map(|(name, value)| forms::quoted(name, &value)),
        (name(), prop_oneof![opaque(), shaped()]).prop_map(|(name, value)| forms::plain(name, &value)),
        prop_oneof![opaque(), shaped()].prop_map(|value| forms::authorization(&value)),
        prop::collection::vec("[A-Za-z0-9_%-]{16,40}", 1..4).prop_map(|values| forms::cookies(&values)),
        base64_key().prop_map(|key| forms::media_key(&key)),
        prop::sample::select(&[16usize, 32][..])
            .prop_flat_map(|size| prop::collection::vec(100u8..=255, size))
            .prop_map(|bytes| forms::media_key_bytes(&bytes)),
        shaped().prop_map(|token| forms::by_shape(&token)),
        prop::collection::vec("[1-9A-HJ-NP-Za-km-z]{4}", 12).prop_map(|groups| forms::recovery_key(&groups)),
    ];
    (forms, any::<prop::sample::Index>()).prop_map(|(forms, which)| forms[which.index(forms.len())].clone())
}

/// A line of ours without secrets, or anything at all.
fn noise() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ -~]{0,40}",
        "[\"'`{}\\[\\]():=,;\\\\ ]{0,20}",
        "\\PC{0,20}",
        prop::sample::select(&[
            "Failed to process outgoing request 0: M_UNKNOWN: MatrixError: [400] One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}; new key: {'key': 'QF6S', 'signatures': {}}",
            "sender=\"@bob:localhost\" event_type=\"m.room.encrypted\"",
            "it's a user's key",
        ][..])
        .prop_map(str::to_owned),
    ]
}

fn surroundings() -> impl Strategy<Value = (String, String)> {
    let signature = || prop::sample::select(SIGNATURES).prop_map(|row| row.needle);
    let parts = (signature(), noise(), prop::sample::select(&[" ", "\n"][..]), noise(), signature());
    parts.prop_map(|(first, before, space, after, last)| {
        (format!("{first} in {before}{space}"), format!("{space}{after} {last}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_secret_of_a_line_is_in_the_report(planted in planted(), (before, after) in surroundings()) {
        let text = format!("{before}{}{after}", planted.text);
        let report = report_of(&line_of(&text));
        prop_assert_eq!(leak(&report, &planted), None, "{}: {} became {}", planted.form, text, report.entries[0].message);
        prop_assert!(report.entries[0].redactions > 0);
        prop_assert_eq!(report.capture.redactions, u64::from(report.entries[0].redactions));
    }

    #[test]
    fn no_secret_of_a_stack_is_in_the_report(planted in planted()) {
        let stack = format!("Error: {}\n    at https://example.org/app.js:1:1", planted.text);
        let report = report_of(&Line { stack: Some(&stack), ..line_of("DecryptionError") });
        prop_assert_eq!(leak(&report, &planted), None, "{}: {}", planted.form, stack);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_long_line_is_cut_without_laying_a_secret_open(
        planted in planted(), before in 0..20_000usize, after in 0..20_000usize, filler in "[a-z] |[a-z]{9} |\\n"
    ) {
        let fill = |bytes: usize| filler.repeat(bytes / filler.len());
        let text = format!("{}DecryptionError {} {}", fill(before), planted.text, fill(after));
        let report = report_of(&line_of(&text));
        prop_assert_eq!(leak(&report, &planted), None, "{}: {}", planted.form, planted.text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_gap_that_touches_a_secret_takes_all_of_it(
        // Where a string's beginning is in the gap, a quote and a comma in it are taken for its end.
        planted in planted_with("[ !#-&(-_a-~]{0,4}"), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), (before, after) in surroundings()
    ) {
        // The gap begins before the secret's end and ends behind its beginning; it may take the name, too.
        let whole = format!("{before}{}{after}", planted.text);
        let (start, end) = planted.extent();
        let from = before.len() + from.index(end + 1);
        let to = before.len() + start + to.index(planted.text.len() + 1 - start);
        let to = to.max(from + 1).min(whole.len());
        prop_assume!(whole.is_char_boundary(from) && whole.is_char_boundary(to));
        let (head, tail) = (&whole[..from], &whole[to..]);
        prop_assume!(!tail.is_empty());
        let length = whole.encode_utf16().count() as u64;
        let report = report_of(&Line { tail: Some(tail), length, ..line_of(head) });
        prop_assert_eq!(leak(&report, &planted), None, "{}: {} … {} became {}", planted.form, head, tail, report.entries[0].message);
    }
}

// Public keys are the evidence.

fn conflict() -> impl Strategy<Value = String> {
    ("[A-Za-z0-9+/]{43}", "[A-Za-z0-9+/]{86}", "[A-Z]{10}", "[A-Za-z0-9+/]{43}", "[A-Za-z0-9+/]{86}", 0..4u8).prop_map(
        |(old, old_signature, device, new, new_signature, form)| {
            let old = format!(r#"{{"key":"{old}","signatures":{{"@a:b":{{"ed25519:{device}":"{old_signature}"}}}}}}"#);
            let new =
                format!("{{'key': '{new}', 'signatures': {{'@a:b': {{'ed25519:{device}': '{new_signature}'}}}}}}");
            let id = "signed_curve25519:AAAAAAAAADQ";
            match form {
                0 => format!("One time key {id} already exists. Old key: {old}; new key: {new} (http://a/keys/upload)"),
                1 => format!(
                    "{{\"error\":\"One time key {id} already exists. Old key: {}; new key: {new}\"}}",
                    old.replace('"', "\\\"")
                ),
                2 => format!("One time key {id} already exists. Old key: {}", &old[..60]),
                _ => format!(
                    "keys/upload {{\"one_time_keys\":{{\"{id}\":{old},\"{id}\":{}}}}} already exists",
                    old.replacen(",", ",\"fallback\":true,", 1)
                ),
            }
        },
    )
}

proptest! {
    #[test]
    fn the_public_keys_of_a_conflict_stay(line in conflict()) {
        // "eyJ" begins every JWT; one key in a quarter of a million begins like one, too.
        prop_assume!(!line.contains("eyJ"));
        let redacted = redact(&line);
        prop_assert_eq!(&*redacted.text, &line);
        prop_assert_eq!(redacted.count, 0);
    }

    #[test]
    fn redacting_leaves_nothing_to_redact(planted in planted(), (before, after) in surroundings()) {
        let once = redact(&format!("{before}{}{after}", planted.text)).text.into_owned();
        let twice = redact(&once).text.into_owned();
        prop_assert_eq!(&*redact(&twice).text, &twice);
    }

    #[test]
    fn any_text_can_be_redacted(text in "(?s).{0,300}", tail in "(?s).{1,300}") {
        redact(&text);
        report_of(&Line { tail: Some(&tail), length: 1_000, ..line_of(&format!("DecryptionError {text}")) });
    }
}

#[test]
fn each_form_by_itself() {
    let long = "Zq3vKx81TbWmP0yEr5Ld";
    let mut all = Vec::new();
    for name in NAMES {
        all.extend(forms::quoted(name, "x9 Pq\"7Lm'2Rt Zk4w"));
        all.extend(forms::plain(name, long));
    }
    all.extend(forms::authorization(long));
    all.extend(forms::cookies(&["Zq3vKx81TbWm".into(), "P0yEr5LdQ2nB".into()]));
    all.extend(forms::media_key("7Kd9qXz1aBcDeFgHiJkLmQ"));
    all.extend(forms::media_key_bytes(&[
        201, 102, 153, 114, 205, 136, 197, 188, 149, 230, 211, 122, 173, 224, 235, 246,
    ]));
    all.extend(forms::by_shape("syt_YWxpY2U_AbCdEfGhIjKlMnOpQrSt_1a2B3c"));
    all.extend(forms::by_shape("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s5vK-xY3lQmQ"));
    let groups = "EsTc 5rr1 4dgn Ym9k Pq2W 8sDf gH3j K5mN 7bVc Xz1Q wE4r T6yU";
    all.extend(forms::recovery_key(&groups.split(' ').map(str::to_owned).collect::<Vec<_>>()));
    let leaks: Vec<String> = all
        .iter()
        .filter_map(|planted| {
            let text = format!("DecryptionError {}", planted.text);
            let report = report_of(&line_of(&text));
            leak(&report, planted).map(|_| format!("{}: {} became {}", planted.form, text, report.entries[0].message))
        })
        .collect();
    assert!(leaks.is_empty(), "{} of {}:\n{}", leaks.len(), all.len(), leaks.join("\n"));
}

#[test]
fn the_mark_of_a_gap_says_how_much_is_missing_in_the_units_of_the_length() {
    // Each of these characters is one UTF-16 code unit and three bytes.
    let (head, tail) = ("DecryptionError €€€ ", " €€€");
    let report = report_of(&Line { tail: Some(tail), length: 1_000, ..line_of(head) });
    assert_eq!(report.entries[0].message, "DecryptionError €€€  …[976 characters cut]…  €€€");
    assert_eq!(report.entries[0].truncated_from, Some(1_000));
}
