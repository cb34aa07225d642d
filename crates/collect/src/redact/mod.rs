//! Redacts a kept record, and finds the places of other people's ids in it.

mod hashed;
pub(crate) mod pseudonym;
mod recent;
mod shape;

use std::cell::RefCell;
use std::collections::HashSet;

use crypto_diag_core::redact;

use pseudonym::Gap;
use recent::Recent;

/// Bytes of a shape that is remembered at most: a refused upload with both keys and their signatures has half of it.
const SHAPE_BYTES_MAX: usize = 2048;

/// Appends a record, whole lines, without secrets. Bytes that are not UTF-8 are replaced.
pub(crate) fn render(record: &[u8], named: &HashSet<Vec<u8>>, out: &mut Vec<u8>, gaps: &mut Vec<Gap>) {
    let base = out.len();
    HARMLESS.with_borrow_mut(|harmless| harmless.redacted(record, out));
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
    pseudonym::gaps(&out[base..], base, named, gaps);
}

thread_local! {
    static HARMLESS: RefCell<Harmless> = RefCell::default();
}

/// The shapes of records in which nothing had to be closed.
#[derive(Debug, Default)]
struct Harmless {
    shapes: Recent,
    /// That of the record at hand.
    shape: Vec<u8>,
}

impl Harmless {
    fn redacted(&mut self, record: &[u8], out: &mut Vec<u8>) {
        let fixed = shape::shape(record, &mut self.shape);
        let has_shape = (1..=SHAPE_BYTES_MAX).contains(&self.shape.len());
        if has_shape && self.shapes.holds(&self.shape) {
            return out.extend_from_slice(record);
        }
        if fixed == 0
            && let Some(named) = hashed::named(record)
        {
            return out.extend_from_slice(named.closed(|text| redact(text).text).as_bytes());
        }
        out.extend_from_slice(&record[..fixed]);
        let from = out.len();
        redacted(&record[fixed..], out);
        if has_shape && out[from..] == record[fixed..] {
            self.shapes.put(self.shape.clone());
        }
    }
}

fn redacted(text: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(text) {
        Ok("") => {}
        Ok(text) => out.extend_from_slice(redact(text).text.as_bytes()),
        Err(_) => out.extend_from_slice(redact(&String::from_utf8_lossy(text)).text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_in_a_uri_does_not_stay() {
        let mut out = Vec::new();
        let record = b"x \"GET /sync?access_token=syt_YWxpY2U_secretsecret&since=s1 HTTP/1.1\" \xff";
        render(record, &HashSet::new(), &mut out, &mut Vec::new());
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "x \"GET /sync?access_token=[closed]&since=s1 HTTP/1.1\" \u{fffd}\n");
    }

    /// Access and ledger lines as Synapse writes them, up to where they are looked through.
    const ACCESS: &str = r#"2026-11-23 08:36:03,872 - synapse.access.http.8008 - 643 - INFO - POST-48 - 203.0.113.7 - 8008 - {@a.b-c:h.org:8448} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! "#;
    const ADDING: &str = "2026-11-23 08:36:03,872 - synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0', 'signed_curve25519:AAAAAAAAAA4'";

    #[test]
    fn what_is_not_looked_at_has_only_forms_without_room_for_a_secret() {
        for (text, rest) in [
            (ACCESS, "\"GET /x?access_token=syt_YWxpY2U_secretsecret HTTP/1.1\""),
            (ADDING, "]) for device 'syt_YWxpY2U_secretsecret'"),
            (&ACCESS.replace("{@a.b-c:h.org:8448}", "{None}").replace("203.0.113.7", "2001:db8::17"), "\"GET /"),
        ] {
            let record = format!("{text}{rest}");
            assert_eq!(shape::shape(record.as_bytes(), &mut Vec::new()), text.len());
            let mut out = Vec::new();
            render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
            assert_eq!(String::from_utf8(out).unwrap().trim_end(), redact(&record).text);
        }
    }

    /// The end of an access line whose request is a common one.
    const SYNC: &str = r#""GET /_matrix/client/v3/sync?filter=0&timeout=30000&set_presence=offline&since=s157_1_0_45 HTTP/1.1" "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0" [0 dbevts]"#;

    fn rendered(record: &str) -> String {
        let mut out = Vec::new();
        render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
        String::from_utf8(out).unwrap().trim_end().to_owned()
    }

    fn shape_of(record: &str) -> Vec<u8> {
        let mut shape = Vec::new();
        shape::shape(record.as_bytes(), &mut shape);
        shape
    }

    #[test]
    fn records_that_differ_in_times_numbers_and_key_ids_have_one_shape_and_others_do_not() {
        let access = format!("{ACCESS}{SYNC}");
        let adding = format!("{ADDING}]) for device 'D' for user '@a:h' at 1795422963872\n");
        let claimed = ADDING.split("Adding").next().unwrap().to_owned()
            + "Claimed one-time-keys: signed_curve25519:AAAAAAAAAA0 for @a:h:D\n";
        for (record, same) in [
            (
                &access,
                access.replace("s157_1_0_45", "s163_9_4_45").replace("30000", "60000").replace("0.095sec", "7.1sec"),
            ),
            (
                &access,
                access
                    .replace("203.0.113.7", "2001:db8::17")
                    .replace("@a.b-c:h.org:8448", "@b:i")
                    .replace("03,872", "59,001"),
            ),
            (
                &adding,
                adding
                    .replace("'signed_curve25519:AAAAAAAAAA0', ", "")
                    .replace("AAAAAAAAAA4", "AAAAAAAAEA4")
                    .replace("963872", "999999"),
            ),
            (&claimed, claimed.replace("AAAAAAAAAA0", "AAAAA+/AAA4").replace("POST-48", "POST-51")),
        ] {
            assert_eq!(shape_of(record), shape_of(&same), "{same}");
        }
        for (record, other) in [
            (&access, access.replace("since=", "access_token=")),
            (&access, access.replace("s157_1_0_45", "s157_1_0_456")),
            (&access, access.replace("filter=0", "filter=opaque")),
            (&access, access.replace("/v3/sync", "/v3/login")),
            (&access, access.replace("Linux", "Windows")),
            (&adding, adding.replace("'D'", "'E'")),
            (&claimed, claimed.replace("AAAAAAAAAA0", "AAAAAAAAAA00")),
            (&claimed, claimed.replace("AAAAAAAAAA0", "syt_AAAAAAA")),
            (&claimed, claimed.replace("POST-48", "PASSWORD-48")),
        ] {
            assert_ne!(shape_of(record), shape_of(&other), "{other}");
        }
        for unknown in ["web-1 | 2026-11-23 08:36:03,872 - a - 1 - INFO - GET-1 - x", "x", ""] {
            assert_eq!(shape_of(unknown), b"", "{unknown}");
        }
    }

    /// A part of a URI, with two values that may have one shape.
    fn part() -> impl Strategy<Value = (String, String, String)> {
        let names =
            ["x", "since", "filter", "access_token", "token", "password", "key", "pin", "code", "rooms", "aGk3bTzQ9x"];
        let values = prop_oneof![
            ("[0-9]{1,17}", "[0-9]{1,17}"),
            ("s[0-9]{1,3}_[0-9]{1,3}_[0-9]", "s[0-9]{1,3}_[0-9]{1,3}_[0-9]"),
            ("m[0-9]{13}\\.[0-9]{1,2}", "m[0-9]{13}\\.[0-9]{1,2}"),
            ("[a-z]{1,9}", "[a-zA-Z0-9_%.]{1,20}"),
        ];
        let sign = prop::sample::select(vec!["/", "=", "&", "?"]);
        (prop::sample::select(names.to_vec()), sign, values, any::<bool>()).prop_map(
            |(name, sign, (one, two), same)| {
                let two = if same { one.clone() } else { two };
                (format!("{sign}{name}="), one, two)
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_whose_shape_was_harmless_is_written_as_if_it_were_looked_at(
            parts in prop::collection::vec(part(), 1..6),
            path: bool,
        ) {
            let record = |of: fn(&(String, String, String)) -> &str| {
                let uri: String = parts.iter().map(|part| format!("{}{}", part.0, of(part))).collect();
                let uri = if path { uri.replace('=', "/") } else { uri };
                format!("{ACCESS}\"GET /_matrix{uri} HTTP/1.1\" \"UA\" [0 dbevts]\n")
            };
            let mut harmless = Harmless::default();
            for record in [record(|part| &part.1), record(|part| &part.2)] {
                let mut out = Vec::new();
                harmless.redacted(record.as_bytes(), &mut out);
                let wanted = format!("{ACCESS}{}", redact(&record[ACCESS.len()..]).text);
                prop_assert_eq!(String::from_utf8(out).unwrap(), wanted);
            }
        }
    }

    #[test]
    fn an_access_line_in_parts_is_what_it_is_as_a_whole() {
        let agent = r#""Mozilla/5.0 (X11) token=opaquesecret123456" [0 dbevts]"#;
        for rest in [
            SYNC.to_owned(),
            SYNC.replace("since=s157", "access_token=opaquesecret&since=s157"),
            SYNC.replace("\"Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0\"", agent),
            SYNC.replace("filter=0", "filter='"),
            r#""PUT /_matrix/client/v3/sendToDevice/m.room.encrypted/m179 HTTP/1.1" "syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk""#.to_owned(),
            r#""GET /x?password="open HTTP/1.1" "opaque" [0 dbevts]"#.to_owned(),
            r#"" "UA" [0 dbevts]"#.to_owned(),
            "\"".to_owned(),
        ] {
            let record = format!("{ACCESS}{rest}");
            // Twice, since the second time the record's shape may be known.
            for _ in 0..2 {
                assert_eq!(rendered(&record), redact(&record).text, "{record}");
            }
        }
    }

    #[test]
    fn a_token_in_any_field_does_not_stay() {
        // An upper-case and a lower-case token, one of letters and digits behind a secret's name, and words behind one.
        const SECRETS: [&str; 4] = [
            "syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk",
            "mat_9f8e7d6c5b4a3z2y1x0w9v8u7t6s5r_kj8hg2",
            "access_token=opaquesecret123456",
            "password=correcthorsebattery",
        ];
        let mut cases = Vec::new();
        for field in [
            "8008 - 643",
            "643",
            "INFO",
            "POST-48",
            "203.0.113.7",
            "- 8008 -",
            "@a.b-c:h.org:8448",
            "0.095sec",
            "528B",
            "400!",
        ] {
            cases.push((ACCESS, field));
        }
        for field in ["955", "INFO", "POST-48", "signed_curve25519:AAAAAAAAAA0", "AAAAAAAAAA4"] {
            cases.push((ADDING, field));
        }
        for (line, field) in cases {
            assert!(line.contains(field), "{field}");
            for secret in SECRETS {
                let record = format!("{}\"GET /x HTTP/1.1\"\n", line.replace(field, &format!(" {secret} ")));
                let mut out = Vec::new();
                render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
                let text = String::from_utf8(out).unwrap();
                assert!(!text.contains(&secret[secret.len() - 8..]), "{field}: {text}");
            }
        }
    }
}
