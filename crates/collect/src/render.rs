//! What a kept record becomes: without secrets, and with the places of other people's ids.

use std::collections::HashSet;

use crypto_diag_core::redact;
use memchr::memmem;

use crate::pseudonym::{self, Gap};

/// Appends a record, whole lines, without secrets. Bytes that are not UTF-8 are replaced.
pub(crate) fn render(record: &[u8], named: &HashSet<Vec<u8>>, out: &mut Vec<u8>, gaps: &mut Vec<Gap>) {
    let base = out.len();
    let (fixed, free) = record.split_at(fixed(record));
    out.extend_from_slice(fixed);
    match std::str::from_utf8(free) {
        Ok(text) => out.extend_from_slice(redact(text).text.as_bytes()),
        Err(_) => out.extend_from_slice(redact(&String::from_utf8_lossy(free)).text.as_bytes()),
    }
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
    pseudonym::gaps(&out[base..], base, named, gaps);
}

/// Bytes at a record's beginning that Synapse writes in a form of its own, in which no secret has a place: an access line
/// up to its request, and a ledger line's list of key ids. Looking for secrets is what rendering costs most.
fn fixed(record: &[u8]) -> usize {
    const ACCESS: &[u8] = b" - synapse.access.";
    const ADDING: &[u8] = b" - Adding one_time_keys dict_keys([";
    let head = &record[..record.len().min(200)];
    if head.get(23..).is_some_and(|rest| rest.starts_with(ACCESS)) {
        let request = memchr::memchr(b'"', &record[..record.len().min(1024)]);
        let plain = |request: &usize| record[..*request].iter().all(|byte| (b' '..=b'~').contains(byte));
        return request.filter(plain).unwrap_or(0);
    }
    if head.get(23..).is_some_and(|rest| rest.starts_with(b" - synapse.handlers.e2e_keys - ")) {
        let Some(list) = memmem::find(head, ADDING) else { return 0 };
        let from = list + ADDING.len();
        let id = |byte: &&u8| byte.is_ascii_alphanumeric() || b"':, _+/-".contains(byte);
        let end = from + record[from..].iter().take_while(id).count();
        return if record[from..end].windows(4).any(|part| part == b"syt_" || part == b"syr_") { 0 } else { end };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_uri_does_not_stay() {
        let mut out = Vec::new();
        let record = b"x \"GET /sync?access_token=syt_YWxpY2U_secretsecret&since=s1 HTTP/1.1\" \xff";
        render(record, &HashSet::new(), &mut out, &mut Vec::new());
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "x \"GET /sync?access_token=[closed]&since=s1 HTTP/1.1\" \u{fffd}\n");
    }

    #[test]
    fn what_is_not_looked_at_holds_no_secret() {
        let access = r#"2026-11-23 08:36:03,872 - synapse.access.http.8008 - 643 - INFO - POST-48 - 203.0.113.7 - 8008 - {@a:h} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! "#;
        let adding = "2026-11-23 08:36:03,872 - synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0', 'signed_curve25519:AAAAAAAAAA4'";
        for (text, rest) in [
            (access, "\"GET /x?access_token=syt_YWxpY2U_secretsecret HTTP/1.1\""),
            (adding, "]) for device 'syt_YWxpY2U_secretsecret'"),
        ] {
            let record = format!("{text}{rest}");
            assert_eq!(fixed(record.as_bytes()), text.len());
            assert_eq!(redact(text).count, 0);
            let mut out = Vec::new();
            render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
            assert_eq!(String::from_utf8(out).unwrap().trim_end(), redact(&record).text);
        }
    }
}
