//! What a kept record becomes: without secrets, and with the places of other people's ids.

use std::collections::HashSet;

use crypto_diag_core::redact;

use crate::pseudonym::{self, Gap};

/// Appends a record, whole lines, without secrets. Bytes that are not UTF-8 are replaced.
pub(crate) fn render(record: &[u8], named: &HashSet<Vec<u8>>, out: &mut Vec<u8>, gaps: &mut Vec<Gap>) {
    let base = out.len();
    let text = String::from_utf8_lossy(record);
    out.extend_from_slice(redact(&text).text.as_bytes());
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
    pseudonym::gaps(&out[base..], base, named, gaps);
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
        assert_eq!(text, "x \"GET /sync?access_token=[redacted]&since=s1 HTTP/1.1\" \u{fffd}\n");
    }
}
