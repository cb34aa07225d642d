//! A bag's lists, one line for each file: its hash, white space, its name (RFC 8493, 2.1.3). Line ends may be of any kind, hashes
//! in capitals; in a name `%`, carriage returns and line feeds are written as `%25`, `%0D` and `%0A`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Finding;

/// Hexadecimal digits of a SHA-256.
const HASH_DIGITS: usize = 64;

/// Findings of one list at most; what is behind is one more.
const FINDINGS_MAX: usize = 100;

/// A list's text.
pub(super) fn print(files: &[(&str, String)]) -> String {
    files.iter().map(|(name, hash)| format!("{hash}  {}\n", encoded(name))).collect()
}

/// Reads a list: hashes in small letters by names, and what is wrong with it.
pub(super) fn read(list: &str, text: &[u8]) -> (BTreeMap<String, String>, Vec<Finding>) {
    let (mut files, mut findings) = (BTreeMap::new(), Vec::new());
    // Of CRLF, the second is the end of an empty line.
    for (index, line) in text.split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
        if line.is_empty() {
            continue;
        }
        if findings.len() == FINDINGS_MAX {
            findings.push(Finding::new(list, "has more lines that are wrong; they are left out"));
            break;
        }
        let place = || format!("{list}, entry {}", index + 1);
        let Some((hash, name)) = std::str::from_utf8(line).ok().and_then(parts) else {
            findings.push(Finding::new(place(), "is no SHA-256 with a file's name behind it"));
            continue;
        };
        if !is_inside(&name) {
            findings.push(Finding::new(name, format!("leads out of the folder ({})", place())));
            continue;
        }
        match files.entry(name) {
            Entry::Vacant(free) => {
                free.insert(hash);
            }
            Entry::Occupied(taken) => findings.push(Finding::new(taken.key(), format!("is listed twice in {list}"))),
        }
    }
    (files, findings)
}

fn parts(line: &str) -> Option<(String, String)> {
    let (hash, name) = line.split_once([' ', '\t'])?;
    let name = decoded(name.trim_start_matches([' ', '\t']));
    let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hash && !name.is_empty()).then(|| (hash.to_ascii_lowercase(), name))
}

/// Whether a name stays in the bag. It is only ever compared with names that were found there; one that leads out is named as such.
pub(super) fn is_inside(name: &str) -> bool {
    let is_drive = name.as_bytes().get(1) == Some(&b':');
    !is_drive && !name.contains(['\\', '\0']) && name.split('/').all(|part| !matches!(part, "" | "." | ".." | "~"))
}

fn encoded(name: &str) -> String {
    name.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Only what is encoded by the standard is decoded; any other `%` is one.
fn decoded(name: &str) -> String {
    let mut parts = name.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (character, length) = match part.as_bytes() {
            [b'2', b'5', ..] => ('%', 2),
            [b'0', b'D' | b'd', ..] => ('\r', 2),
            [b'0', b'A' | b'a', ..] => ('\n', 2),
            _ => ('%', 0),
        };
        decoded.push(character);
        decoded.push_str(&part[length..]);
    }
    decoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_list_is_read_in_every_form_that_the_standard_allows() {
        let capitals = HASH.to_ascii_uppercase();
        for text in [
            format!("{HASH}  data/a\n{HASH} data/b c\n"),
            format!("{HASH}\tdata/a\r\n{HASH} \t data/b c"),
            format!("{capitals} data/a\r{capitals} data/b c\r"),
            format!("\n\n{HASH} data/a\n\n{HASH} data/b c\n"),
        ] {
            let (files, findings) = read("list", text.as_bytes());
            assert_eq!(findings, [], "{text:?}");
            assert_eq!(
                files.into_iter().collect::<Vec<_>>(),
                ["data/a", "data/b c"].map(|name| (name.into(), HASH.into()))
            );
        }
    }

    #[test]
    fn names_that_lead_out_lines_that_are_none_and_names_that_come_twice_are_named() {
        for name in
            ["../x", "data/../../x", "/etc/passwd", "data//x", "./x", "C:\\x", "c:/x", "data\\x", "data/..", "~/x"]
        {
            let (files, findings) = read("list", format!("{HASH}  {name}\n").as_bytes());
            assert!(files.is_empty(), "{name}");
            assert!(findings[0].what == name && findings[0].why.contains("leads out"), "{findings:?}");
        }
        for line in
            ["x", HASH, "abc data/x", &format!("{HASH}  "), &format!("*{HASH} data/x"), &format!("{HASH}0 data/x")]
        {
            let (files, findings) = read("list", format!("{HASH} data/ok\n{line}\n").as_bytes());
            assert_eq!((files.len(), findings.len()), (1, 1), "{line}");
            assert_eq!(findings[0].what, "list, entry 2");
        }
        let (_, findings) = read("list", format!("{HASH} a%0a\n{HASH} a%0A\n").as_bytes());
        assert_eq!(findings, [Finding::new("a\n", "is listed twice in list")]);
        let (_, findings) = read("list", b"\xff\xfe x\n");
        assert_eq!(findings.len(), 1);
        let (_, findings) = read("list", "x\n".repeat(1_000_000).as_bytes());
        assert_eq!(findings.len(), FINDINGS_MAX + 1);
    }

    proptest! {
        #[test]
        fn every_name_is_read_as_it_was_written(name in "[^\0/\\\\~.:]{1,20}(/[^\0/\\\\~.:]{1,20}){0,3}") {
            // White space in front of a name cannot be told from what separates it.
            prop_assume!(!name.starts_with([' ', '\t']));
            let (files, findings) = read("list", print(&[(&name, HASH.to_owned())]).as_bytes());
            prop_assert_eq!(findings, []);
            prop_assert_eq!(files.into_keys().collect::<Vec<_>>(), [name]);
        }

        #[test]
        fn no_text_breaks_the_reader(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            read("list", &text);
        }

        #[test]
        fn no_line_breaks_the_reader(name in "[%0-9a-fA-F/. \r\né]{0,30}") {
            read("list", format!("{HASH} {name}").as_bytes());
        }
    }
}
