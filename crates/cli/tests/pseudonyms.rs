//! `crypto-diag run --pseudonyms` and `reveal`: nobody is named in what is handed on, and its maker can name everybody again.

#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use support::{Said, bundle, run, run_with_input, text};
use tempfile::{TempDir, tempdir};

struct HandOff {
    out: TempDir,
    whole: PathBuf,
    /// The folder that is handed on.
    folder: PathBuf,
    said: Said,
}

impl HandOff {
    /// Of everything that a bundle holds but its label.
    fn of(name: &str, options: &[&str]) -> HandOff {
        let out = tempdir().unwrap();
        let names = out.path().join("names.tsv");
        let options = [options, &["--pseudonyms", text(&names), "--out", text(out.path())]].concat();
        let said = run(["run"].into_iter().chain(artefacts(name).iter().map(|file| text(file))).chain(options));
        let lines: Vec<&str> = said.out.lines().collect();
        let whole = PathBuf::from(lines[0]);
        let folder = lines.iter().rfind(|line| line.ends_with("-pseudonyms"));
        let folder = PathBuf::from(folder.unwrap_or_else(|| panic!("{name}: {} {}", said.out, said.err)));
        HandOff { out, whole, folder, said }
    }

    fn names(&self) -> String {
        fs::read_to_string(self.out.path().join("names.tsv")).unwrap()
    }

    fn reveal(&self, file: &str) -> String {
        let names = self.out.path().join("names.tsv");
        let said =
            run_with_input(&["reveal", "--dictionary", text(&names)], &fs::read(self.folder.join(file)).unwrap());
        assert_eq!((said.code, said.err.as_str()), (0, ""));
        said.out
    }
}

fn artefacts(name: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(bundle(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| !path.ends_with("label.json")).collect();
    files.sort();
    files
}

fn recorded() -> Vec<String> {
    let entries = fs::read_dir(bundle("")).unwrap().map(Result::unwrap);
    entries.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn texts_below(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut texts = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            texts.extend(texts_below(&path));
        } else {
            let text = fs::read_to_string(&path).unwrap();
            texts.push((path, text));
        }
    }
    texts
}

/// A text without the encodings of addresses, JSON and HTML in which these bundles have ids.
fn decoded(text: &str) -> String {
    let pairs = [("%25", "%"), ("%40", "@"), ("%21", "!"), ("%3A", ":"), ("%3a", ":"), ("\\u0040", "@")];
    let html = [("&#64;", "@"), ("&#58;", ":"), ("&#46;", "."), ("<!-- -->", "")];
    pairs.iter().chain(&html).fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Users with their sigil, rooms, devices and the server that a text names, found in another way than by the program: these bundles were
/// recorded on the server `localhost`, whose users and rooms stand in front of its name, and whose devices have ten capitals.
fn named(text: &str) -> BTreeSet<String> {
    let text = decoded(text);
    let mut names = BTreeSet::from(["localhost".to_owned()]);
    for (at, _) in text.match_indices(":localhost") {
        let begin = text[..at].rfind(|char: char| !(char.is_ascii_alphanumeric() || "._=-".contains(char)));
        let sigil = begin.map_or("", |begin| &text[begin..at]);
        if sigil.starts_with(['@', '!']) && sigil.len() > 3 {
            names.insert(sigil.to_owned());
        }
    }
    let words = text.split(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '+' | '/' | '=')));
    let is_device = |word: &&str| word.len() == 10 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    names.extend(words.filter(is_device).map(str::to_owned));
    names
}

/// What is said, without the order of words: ids that are listed stand in the order of their letters.
fn words(text: &str) -> Vec<String> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.sort();
    words
}

/// Whether two lines of an answer have quotations that end at different words: those have a length at most, and a pseudonym is longer or
/// shorter than its id.
fn is_cut(one: &str, other: &str) -> bool {
    let whole_words = |line: &str| line.split_once('…').and_then(|(head, _)| Some(head.rsplit_once(' ')?.0.to_owned()));
    let begins =
        |one: &str, other: &str| whole_words(one).is_some_and(|head| head.len() > 20 && other.starts_with(&head));
    begins(one, other) || begins(other, one)
}

/// Conclusion, word, what it is about and what it says.
fn verdicts(answer: &str) -> BTreeSet<(String, String, Vec<String>)> {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let list = answer["verdicts"].as_array().unwrap();
    let one = |verdict: &Value| {
        let said = words(&format!("{} {}", verdict["about"], verdict["statement"]));
        (verdict["claim"].to_string(), verdict["is"].to_string(), said)
    };
    assert!(!list.is_empty());
    list.iter().map(one).collect()
}

fn check(name: &str) {
    // The order of what is listed goes by the letters of the pseudonyms, so a key of its own makes it the same each time.
    let folder = tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, [b'k'; 32]).unwrap();
    let made = HandOff::of(name, &["--pseudonym-key", text(&key)]);
    assert_eq!(made.said.err, "", "{name}");
    let inputs = artefacts(name).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let named: BTreeSet<String> = inputs.flat_map(|text| named(&text)).collect();
    assert!(named.len() > 2, "{name}: {named:?}");
    for (path, text) in texts_below(&made.folder) {
        for text in [decoded(&text), text] {
            for id in &named {
                let at = text.find(id.as_str());
                let near = at.map(|at| text[at..].chars().take(80).collect::<String>());
                assert_eq!(near, None, "{name}: {id} is left in {}", path.display());
            }
        }
    }
    let verified = run(["verify", text(&made.folder)]);
    assert_eq!((verified.code, verified.err.as_str()), (0, ""), "{name}: {}", verified.out);
    let whole = |file: &str| fs::read_to_string(made.whole.join(file)).unwrap();
    let readme = fs::read_to_string(made.folder.join("README.txt")).unwrap();
    assert!(readme.contains("What stands for ids") && !whole("README.txt").contains("What stands for ids"), "{readme}");
    assert_eq!(verdicts(&made.reveal("answer.json")), verdicts(&whole("answer.json")), "{name}");
    let (revealed, whole) = (made.reveal("answer.md"), whole("answer.md"));
    assert_eq!(revealed.lines().count(), whole.lines().count(), "{name}");
    // In front of it is the story, which begins with one of several verdicts of equal weight, and names one of several artefacts to fetch.
    let verdicts = &whole[whole.find("\n## KE-1: ").unwrap()..];
    let lines: BTreeSet<Vec<String>> = revealed.lines().map(words).collect();
    for line in verdicts.lines() {
        let is_there = lines.contains(&words(line)) || revealed.lines().any(|other| is_cut(line, other));
        assert!(is_there, "{name}: {line}");
    }
}

#[test]
fn no_recorded_bundle_leaves_an_id_behind_or_another_verdict_and_its_answer_can_be_revealed() {
    let bundles = recorded();
    assert!(bundles.len() > 20);
    let half = bundles.len() / 2;
    thread::scope(|scope| {
        for bundles in [&bundles[..half], &bundles[half..]] {
            scope.spawn(|| bundles.iter().for_each(|name| check(name)));
        }
    });
}

#[test]
fn the_dictionary_is_its_makers_alone_and_never_lies_in_a_hand_off() {
    let made = HandOff::of("store-rollback", &[]);
    let names = made.out.path().join("names.tsv");
    assert_eq!(fs::metadata(&names).unwrap().permissions().mode() & 0o777, 0o600);
    let device = support::fact("store-rollback", "victimDevice");
    assert!(made.names().starts_with("kind\tpseudonym\tid\n") && made.names().contains(&format!("\t{device}\n")));
    let with = |names: &Path| run(["run", text(&artefacts("store-rollback")[0]), "--pseudonyms", text(names)]);
    let again = with(&names);
    assert_eq!(again.code, 3);
    assert!(
        again.err.contains("names.tsv cannot be written") && again.err.contains("nothing is overwritten"),
        "{}",
        again.err
    );
    for inside in [made.folder.join("names.tsv"), made.whole.join("data/names.tsv")] {
        let said = with(&inside);
        assert_eq!((said.code, said.out.as_str()), (3, ""));
        assert!(said.err.contains("would lie in the hand-off"), "{}", said.err);
        assert!(!inside.exists());
    }
    let nowhere = with(&made.out.path().join("nowhere/names.tsv"));
    assert!(nowhere.code == 3 && nowhere.err.contains("nowhere/names.tsv cannot be written"), "{}", nowhere.err);
}

#[test]
fn a_key_that_is_given_maps_two_hand_offs_alike_and_one_that_is_made_does_not() {
    let folder = tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let given = ["--pseudonym-key", text(&key)];
    let names = |options: &[&str]| HandOff::of("keys-exhausted", options).names();
    assert_eq!(names(&given), names(&given));
    assert_ne!(names(&[]), names(&[]));
    fs::write(&key, "short").unwrap();
    let said = run(["run", "--user", "@a:h", "--pseudonyms", text(&folder.path().join("names")), given[0], given[1]]);
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert!(said.err.contains("the key has 5 bytes, and needs 32"), "{}", said.err);
}

#[test]
fn the_part_that_verdicts_rest_on_gets_pseudonyms_as_the_whole_does_and_is_what_the_zip_holds() {
    let made = HandOff::of("keys-exhausted", &["--minimal", "--zip"]);
    let whole = text(&made.whole);
    assert_eq!(text(&made.folder), format!("{whole}-minimal-pseudonyms"));
    let zip = made.said.out.lines().last().unwrap();
    assert_eq!(zip, format!("{whole}-minimal-pseudonyms.zip"));
    let verified = run(["verify", zip]);
    assert_eq!((verified.code, verified.err.as_str()), (0, ""), "{}", verified.out);
}

#[test]
fn a_file_that_is_named_by_a_user_is_renamed() {
    let folder = tempdir().unwrap();
    let report = fs::read_to_string(bundle("store-rollback").join("victim.report.json")).unwrap();
    let file = folder.path().join("alice-14.report.json");
    fs::write(&file, &report).unwrap();
    let names = folder.path().join("names.tsv");
    let said = run(["run", text(&file), "--pseudonyms", text(&names), "--out", text(folder.path())]);
    let made = PathBuf::from(said.out.lines().rfind(|line| line.ends_with("-pseudonyms")).unwrap());
    let all: String = texts_below(&made).iter().map(|(path, text)| format!("{}\n{text}\n", path.display())).collect();
    assert!(!all.contains("alice-14"), "{all}");
    assert!(fs::read_to_string(made.join("answer.json")).unwrap().contains(".report.json"));
}

#[test]
fn where_an_id_is_a_word_of_the_files_and_a_verdict_would_change_nothing_is_left_to_be_handed_on() {
    let folder = tempdir().unwrap();
    let device = support::fact("store-rollback", "victimDevice");
    let mut files = Vec::new();
    for file in artefacts("store-rollback") {
        let copy = folder.path().join(file.file_name().unwrap());
        fs::write(&copy, fs::read_to_string(file).unwrap().replace(&device, "keys")).unwrap();
        files.push(copy);
    }
    let names = folder.path().join("names.tsv");
    let options = ["--pseudonyms", text(&names), "--out", text(folder.path())];
    let said = run(["run"].into_iter().chain(files.iter().map(|file| text(file))).chain(options));
    assert_eq!(said.code, 3);
    assert!(said.err.contains("would not prove the same (") && said.err.contains("ke1-"), "{}", said.err);
    let whole = PathBuf::from(said.out.lines().next().unwrap());
    assert_eq!(run(["verify", text(&whole)]).code, 0, "the whole one stands");
    assert!(!Path::new(&format!("{}-pseudonyms", text(&whole))).exists() && !names.exists());
}

#[test]
fn a_file_that_comes_packed_is_looked_at_as_well() {
    let folder = tempdir().unwrap();
    let mut packing = GzEncoder::new(Vec::new(), Compression::fast());
    packing.write_all(&fs::read(bundle("store-rollback").join("queries.json")).unwrap()).unwrap();
    let packed = folder.path().join("queries.json.gz");
    fs::write(&packed, packing.finish().unwrap()).unwrap();
    let report = bundle("store-rollback").join("victim.report.json");
    let names = folder.path().join("names.tsv");
    let said = run(["run", text(&report), text(&packed), "--pseudonyms", text(&names), "--out", text(folder.path())]);
    assert_eq!((said.code, said.err.as_str()), (1, ""), "{}", said.out);
    let made = PathBuf::from(said.out.lines().rfind(|line| line.ends_with("-pseudonyms")).unwrap());
    let queries = texts_below(&made.join("data")).into_iter().find(|(path, _)| text(path).contains("queries"));
    assert!(queries.is_some_and(|(_, text)| text.contains("device_id") && !text.contains("localhost")));
}

#[test]
fn a_file_that_is_no_text_is_named_since_no_id_can_be_found_in_it() {
    let folder = tempdir().unwrap();
    let rows = folder.path().join("devices.csv");
    fs::write(&rows, b"user_id,device_id\n@a\xff:h,ABCDEFGHIJ\n").unwrap();
    let report = bundle("store-rollback").join("victim.report.json");
    let names = folder.path().join("names.tsv");
    let said = run(["run", text(&report), text(&rows), "--pseudonyms", text(&names), "--out", text(folder.path())]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("data/devices.csv is no text in UTF-8"), "{}", said.err);
    assert!(!said.out.contains("-pseudonyms") && !names.exists(), "{}", said.out);
}

#[test]
fn what_is_no_dictionary_is_refused() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("names.tsv");
    fs::write(&file, "kind\tpseudonym\tid\nuser\n").unwrap();
    let said = run(["reveal", "--dictionary", text(&file)]);
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert!(said.err.contains("names.tsv: line 2 is no kind, pseudonym and id"), "{}", said.err);
}
