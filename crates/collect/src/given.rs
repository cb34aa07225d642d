//! Files that are copied into the bundle: what a person or another tool asked already, or a console that somebody saved.

use std::io::{self, Read};

use crypto_diag_core::redact;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::console::Rageshake;
use crypto_diag_triage::unpack::{self, DOCUMENT_BYTES_MAX, open};
use serde_json::json;

use crate::request::Given;
use crate::source::plain_name;

/// The text that is written for a file. Lines of a console are redacted one by one, as triage does when it reads them. Of a rageshake only
/// the user and the device are kept: what its user wrote is private.
///
/// # Errors
/// If it cannot be read, is too large, or is a rageshake that names nobody.
pub(crate) fn content(given: &Given, input: impl Read) -> io::Result<Vec<u8>> {
    if given.kind == ArtefactKind::Rageshake {
        let text = unpack::document(input)?;
        let shake = Rageshake::read(&given.name, &text).unwrap_or_default();
        let device = shake.device.ok_or_else(|| io::Error::other("it names no user or no device"))?;
        let data = json!({"user_id": device.user_id, "device_id": device.device_id, "user_agent": shake.user_agent});
        let text = serde_json::to_string_pretty(&json!({"user_text": "", "data": data})).unwrap_or_default();
        return Ok((redact(&text).text + "\n").into_owned().into_bytes());
    }
    let why = format!("it has more than {} MiB; leave out what is not of the call", DOCUMENT_BYTES_MAX >> 20);
    let bytes = unpack::whole(open::open_stream(input)?, DOCUMENT_BYTES_MAX, &why)?;
    if given.kind != ArtefactKind::Console {
        return Ok(bytes);
    }
    let mut closed = String::with_capacity(bytes.len());
    for line in String::from_utf8_lossy(&bytes).split_inclusive('\n') {
        let text = line.trim_end_matches('\n');
        closed.push_str(&redact(text).text);
        closed.push_str(&line[text.len()..]);
    }
    Ok(closed.into_bytes())
}

/// Its name in the bundle and the name's ending. The folders of the name stay: a rageshake describes what lies beside it.
pub(crate) fn name(given: &Given) -> (String, String) {
    let parts = given.name.split(['/', '\\']).map(|part| plain_name(part.trim_start_matches('.')));
    let name = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    let name = if name.is_empty() { "given".to_owned() } else { name };
    match name.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') => (stem.to_owned(), format!(".{ending}")),
        _ => (name, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, kind: ArtefactKind) -> Given {
        Given { name: name.to_owned(), kind, path: name.into() }
    }

    #[test]
    fn a_name_stays_within_the_bundle_and_in_its_folder() {
        for (hostile, plain) in [
            ("a.txt", ("a", ".txt")),
            ("shake/details.json", ("shake/details", ".json")),
            ("../../etc/passwd", ("etc/passwd", "")),
            ("/..\\.ssh/..a b;c.csv", ("ssh/a_b_c", ".csv")),
            ("..", ("given", "")),
            ("a.b/c", ("a.b/c", "")),
        ] {
            let (name, ending) = name(&given(hostile, ArtefactKind::QueryResults));
            assert_eq!((name.as_str(), ending.as_str()), plain, "{hostile}");
        }
    }

    #[test]
    fn a_console_is_closed_line_by_line_and_of_a_rageshake_stays_whose_it_is() {
        let console = "08:00:00.000 one access_token=syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk\n08:00:01.000 two\n";
        let text = content(&given("a.log", ArtefactKind::Console), console.as_bytes()).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("syt_") && text.ends_with("08:00:01.000 two\n"), "{text}");
        let shake =
            br#"{"user_text":"my diary","data":{"user_id":"@a:x","device_id":"DEVICE","User-Agent":"Mozilla"}}"#;
        let text = content(&given("details.json", ArtefactKind::Rageshake), &shake[..]).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("diary"), "{text}");
        let wanted = Rageshake::read("details.json", std::str::from_utf8(shake).unwrap());
        assert_eq!(Rageshake::read("details.json", &text), wanted);
        assert!(Rageshake::is_one("details.json", text.as_bytes()));
    }
}
