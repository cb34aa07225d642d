//! `crypto-diag run` and `verify`: a folder that can be handed on, and checked without trust in whoever did.

#![cfg(unix)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use support::{Said, binary, bundle, fact, run, said, text};
use tempfile::{TempDir, tempdir};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A hand-off of a recorded bundle.
struct HandOff {
    out: TempDir,
    root: PathBuf,
    said: Said,
}

impl HandOff {
    fn of(name: &str) -> HandOff {
        HandOff::with(name, &[])
    }

    /// With further options.
    fn with(name: &str, options: &[&str]) -> HandOff {
        let files =
            ["victim.report.json", "peer.report.json", "victim.har", "peer.har", "homeserver.log.txt", "queries.json"];
        let files = files.map(|file| text(&bundle(name).join(file)).to_owned());
        let out = tempdir().unwrap();
        let options = options.iter().copied().chain(["--out", text(out.path())]).map(str::to_owned);
        let said = run(["run".to_owned()].into_iter().chain(files).chain(options));
        let root = PathBuf::from(said.out.lines().next().unwrap_or_default());
        assert!(root.starts_with(out.path()), "{} {}", said.out, said.err);
        HandOff { out, root, said }
    }

    fn verify(&self) -> Said {
        run(["verify", text(&self.root)])
    }

    /// Its files by name, without folders.
    fn files(&self) -> Vec<String> {
        files_below(&self.root, "")
    }

    fn edit(&self, name: &str, edit: impl FnOnce(String) -> String) {
        let path = self.root.join(name);
        fs::write(&path, edit(fs::read_to_string(&path).unwrap())).unwrap();
    }

    /// Writes the list of what stands beside the payload anew, as a forger would.
    fn list_texts(&self) {
        let names =
            self.files().into_iter().filter(|name| !name.starts_with("data/") && name != "tagmanifest-sha256.txt");
        let lines = names.map(|name| format!("{}  {name}\n", sha256(&self.root.join(&name))));
        fs::write(self.root.join("tagmanifest-sha256.txt"), lines.collect::<String>()).unwrap();
    }
}

fn files_below(folder: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            names.extend(files_below(&entry.path(), &format!("{name}/")));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

fn sha256(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is said of what, without the folder or the zip that an artefact lies in.
fn verdicts(json: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(json).unwrap();
    let list = json["verdicts"].as_array().unwrap();
    let line = |verdict: &Value| format!("{} {} {}", verdict["is"], verdict["claim"], verdict["about"]);
    list.iter().map(|verdict| line(verdict).replace("(data/", "(").replace("(reports.zip/", "(")).collect()
}

#[test]
fn one_command_makes_a_folder_that_holds_everything_and_says_what_is_proven() {
    let made = HandOff::of("store-rollback");
    assert_eq!((made.said.code, made.said.err.as_str()), (1, ""), "{}", made.said.out);
    let lines: Vec<&str> = made.said.out.lines().collect();
    assert!(lines[1].starts_with("Proven: ") && lines[2].starts_with("Seal: ") && lines.len() == 3, "{lines:?}");
    assert!(lines[2].contains(&sha256(&made.root.join("tagmanifest-sha256.txt"))), "{lines:?}");
    assert_eq!(
        made.files(),
        [
            "README.txt",
            "answer.html",
            "answer.json",
            "answer.md",
            "answer.sarif",
            "bag-info.txt",
            "bagit.txt",
            "data/homeserver.log.txt.log",
            "data/latency.json",
            "data/manifest.json",
            "data/peer.har",
            "data/peer.report.json",
            "data/queries.json",
            "data/victim.har",
            "data/victim.report.json",
            "manifest-sha256.txt",
            "tagmanifest-sha256.txt",
            "timeline.svg",
        ]
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&made.root), mode(&made.root.join("data"))), (0o700, 0o700));
    for name in made.files() {
        assert_eq!(mode(&made.root.join(&name)), 0o600, "{name}");
    }
    let judged = run(["triage", text(&made.root.join("data")), "--format", "json"]);
    assert_eq!(judged.code, 1);
    assert_eq!(fs::read_to_string(made.root.join("answer.json")).unwrap(), judged.out, "it is triage's own answer");
}

#[test]
fn a_folder_is_named_by_the_start_of_the_window_and_never_overwritten() {
    let made = HandOff::of("store-rollback");
    let manifest: Value = serde_json::from_slice(&fs::read(made.root.join("data/manifest.json")).unwrap()).unwrap();
    let start = manifest["coverage"]["window"]["from"].as_str().unwrap().replace(' ', "T").replace(':', "-");
    assert_eq!(made.root.file_name().unwrap().to_str().unwrap(), format!("{}Z", &start[..19]));
    let again = run([
        "run",
        text(&bundle("store-rollback").join("victim.report.json")),
        text(&bundle("store-rollback").join("victim.har")),
        "--since",
        &manifest["from"].to_string(),
        "--out",
        text(made.out.path()),
    ]);
    assert_eq!(again.out.lines().next().unwrap(), format!("{}-2", text(&made.root)));
    assert_eq!(made.verify().code, 0, "the first is as it was");
    let open = run(["run", "--user", "@a:h", "--out", text(made.out.path())]);
    assert!(open.out.lines().next().unwrap().contains("/made-20"), "no window is known: {}", open.out);
}

#[test]
fn the_readme_says_who_when_what_was_covered_what_is_open_and_all_versions() {
    let made = HandOff::of("store-rollback");
    let readme = fs::read_to_string(made.root.join("README.txt")).unwrap();
    let device = fact("store-rollback", "victimDevice");
    for words in [
        made.said.out.lines().nth(1).unwrap().split(' ').next().unwrap(),
        device.as_str(),
        "KE-1: have the server and the device's store diverged, and by what cause?",
        "Looked at: ",
        "What is open, and what to fetch next",
        "The window that was searched: from 20",
        concat!("crypto-diag ", env!("CARGO_PKG_VERSION")),
        "matrix-js-sdk",
        "crypto-diag verify",
    ] {
        assert!(readme.contains(words), "{words}: {readme}");
    }
    assert!(!readme.contains("UTC UTC"), "{readme}");
    assert!(readme.lines().count() < 90, "it is one page: {readme}");
}

#[test]
fn the_readme_says_what_the_user_marked_and_when() {
    let folder = tempdir().unwrap();
    let mut report: Value =
        serde_json::from_slice(&fs::read(bundle("store-rollback").join("victim.report.json")).unwrap()).unwrap();
    let mark = |ts: u64, kind: &str, label: &str| serde_json::json!({"ts": ts, "kind": kind, "label": label});
    report["marks"] = serde_json::json!([
        mark(1_795_425_900_000, "start", ""),
        mark(1_795_425_905_000, "symptom", "no sound from Bob"),
    ]);
    let file = folder.path().join("victim.report.json");
    fs::write(&file, report.to_string()).unwrap();
    let said = run(["run", text(&file), "--out", text(folder.path())]);
    let made = Path::new(said.out.lines().next().unwrap()).to_owned();
    let readme = fs::read_to_string(made.join("README.txt")).unwrap();
    assert!(readme.contains("What the users heard and saw, as they marked it"), "{readme}");
    assert!(readme.contains("- 2026-11-23 09:25:00.000 UTC (victim.report.json): session begins"), "{readme}");
    assert!(readme.contains("- 2026-11-23 09:25:05.000 UTC (victim.report.json): no sound from Bob"), "{readme}");
}

#[test]
fn another_programs_reading_of_the_standard_agrees() {
    let made = HandOff::of("store-rollback");
    for list in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        let checked =
            Command::new("sha256sum").args(["--check", "--strict", list]).current_dir(&made.root).output().unwrap();
        assert!(checked.status.success(), "{list}: {}", String::from_utf8_lossy(&checked.stderr));
    }
    let info = fs::read_to_string(made.root.join("bag-info.txt")).unwrap();
    let payload = made.files().into_iter().filter(|name| name.starts_with("data/"));
    let sizes: Vec<u64> = payload.map(|name| fs::metadata(made.root.join(name)).unwrap().len()).collect();
    assert!(info.contains(&format!("Payload-Oxum: {}.{}\n", sizes.iter().sum::<u64>(), sizes.len())), "{info}");
}

#[test]
fn a_folder_gives_its_answer_again_wherever_it_lies() {
    let made = HandOff::of("store-rollback");
    let elsewhere = tempdir().unwrap();
    let moved = elsewhere.path().join("somewhere else");
    fs::rename(&made.root, &moved)
        .or_else(|_| {
            Command::new("cp").arg("-r").arg(&made.root).arg(&moved).status().map(|status| assert!(status.success()))
        })
        .unwrap();
    let output = binary().args(["verify", "somewhere else"]).current_dir(elsewhere.path()).output().unwrap();
    let said = said(output);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.starts_with("The 18 files of the folder are unchanged, and none was added.\n"), "{}", said.out);
    assert!(said.out.contains("gives the same answer out of them, byte for byte"), "{}", said.out);
    assert!(
        said.out.contains(made.said.out.lines().nth(2).unwrap()),
        "the seal is that which run printed: {}",
        said.out
    );
}

#[test]
fn whatever_is_changed_added_taken_away_renamed_or_linked_is_named() {
    type Change = fn(&HandOff);
    let cases: [(Change, &[&str]); 11] = [
        (
            |made| {
                let path = made.root.join("data/homeserver.log.txt.log");
                let mut bytes = fs::read(&path).unwrap();
                bytes[100] ^= 1;
                fs::write(path, bytes).unwrap();
            },
            &["data/homeserver.log.txt.log: has changed"],
        ),
        (|made| made.edit("answer.html", |text| text + " "), &["answer.html: has changed"]),
        (|made| made.edit("bagit.txt", |text| text.replace("1.0", "1.1")), &["bagit.txt: has changed"]),
        (|made| fs::write(made.root.join("data/more.log"), "x").unwrap(), &["data/more.log: was added"]),
        (|made| fs::write(made.root.join("more.txt"), "x").unwrap(), &["more.txt: was added"]),
        (
            |made| {
                fs::create_dir_all(made.root.join("data/.hidden/deep")).unwrap();
                fs::write(made.root.join("data/.hidden/deep/x"), "x").unwrap();
            },
            &["data/.hidden/deep/x: was added"],
        ),
        (|made| fs::remove_file(made.root.join("data/queries.json")).unwrap(), &["data/queries.json: is missing"]),
        (
            |made| fs::rename(made.root.join("data/peer.har"), made.root.join("data/poor.har")).unwrap(),
            &["data/peer.har: is missing", "data/poor.har: was added"],
        ),
        (
            |made| {
                let (path, copy) = (made.root.join("data/peer.har"), made.out.path().join("copy.har"));
                fs::rename(&path, &copy).unwrap();
                symlink(&copy, &path).unwrap();
            },
            &["data/peer.har: is a link"],
        ),
        (
            |made| {
                let (path, copy) = (made.root.join("data"), made.out.path().join("copy"));
                fs::rename(&path, &copy).unwrap();
                symlink(&copy, &path).unwrap();
            },
            &["data: is a link", "data/queries.json: is missing"],
        ),
        (|made| fs::remove_file(made.root.join("manifest-sha256.txt")).unwrap(), &["manifest-sha256.txt: is missing"]),
    ];
    for (change, wanted) in cases {
        let made = HandOff::of("store-rollback");
        change(&made);
        let said = made.verify();
        assert_eq!((said.code, said.err.as_str()), (1, ""), "{wanted:?}: {}", said.out);
        for words in wanted {
            assert!(said.out.contains(&format!("  {words}")), "{words}: {}", said.out);
        }
        assert!(said.out.ends_with("these are not the files that it was made of.\n"), "{}", said.out);
    }
}

#[test]
fn a_bag_in_another_programs_spelling_is_verified_as_well() {
    let made = HandOff::of("store-rollback");
    fs::write(made.root.join("data/50%\nof it.csv"), "a,b\n").unwrap();
    let line = format!("{} \t data/50%25%0aof it.csv", sha256(&made.root.join("data/50%\nof it.csv")).to_uppercase());
    // Line ends of Windows, and none at the end.
    made.edit("manifest-sha256.txt", |text| text.replace('\n', "\r\n") + &line);
    made.list_texts();
    let said = made.verify();
    // The file is new to the answer, which lists what was read, so it is no longer the same; but no list is wrong.
    assert!(said.out.starts_with("The 19 files of the folder are unchanged"), "{}", said.out);
}

/// The files of a zip by their names.
fn members(zip: &Path) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut member = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            member.read_to_end(&mut bytes).unwrap();
            (member.name().to_owned(), bytes)
        })
        .collect()
}

/// Writes a zip, as others would.
fn write_zip(path: &Path, members: &[(String, Vec<u8>)]) {
    let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in members {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn a_minimal_hand_off_verifies_names_the_whole_and_proves_no_more_than_the_whole() {
    let made = HandOff::with("keys-exhausted", &["--minimal", "--zip"]);
    let lines: Vec<&str> = made.said.out.lines().collect();
    let [whole, _, whole_seal, part, part_seal, zip] = lines[..] else { panic!("{lines:?}") };
    assert_eq!((part, zip), (&*format!("{whole}-minimal"), &*format!("{whole}-minimal.zip")));
    for (folder, seal) in [(whole, whole_seal), (part, part_seal), (zip, part_seal)] {
        let verified = run(["verify", folder]);
        assert_eq!((verified.code, verified.err.as_str()), (0, ""), "{folder}: {}", verified.out);
        assert!(verified.out.contains(seal) && verified.out.contains("byte for byte"), "{folder}: {}", verified.out);
    }
    let answer = |folder: &str| fs::read_to_string(Path::new(folder).join("answer.json")).unwrap();
    let settled = |folder: &str| -> Vec<String> {
        verdicts(&answer(folder)).into_iter().filter(|line| !line.starts_with("\"unknown")).collect()
    };
    let of_whole = settled(whole);
    assert!(settled(part).iter().all(|line| of_whole.contains(line)), "{:?} {of_whole:?}", settled(part));

    let manifest: Value =
        serde_json::from_slice(&fs::read(Path::new(part).join("data/manifest.json")).unwrap()).unwrap();
    let minimal = &manifest["minimal"];
    assert!(whole_seal.contains(minimal["sealOfWhole"].as_str().unwrap()), "{whole_seal}");
    let cuts = minimal["cuts"].as_array().unwrap();
    assert!(!cuts.is_empty());
    for cut in cuts {
        let name = cut["name"].as_str().unwrap();
        assert_eq!(cut["sha256"], sha256(&Path::new(whole).join("data").join(name)), "{name}");
        let size = |folder: &str| fs::metadata(Path::new(folder).join("data").join(name)).unwrap().len();
        assert!(size(part) < size(whole), "{name}");
    }
    let mode = |path: &str| fs::metadata(Path::new(part).join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(""), mode("data"), mode("data/manifest.json")], [0o700, 0o700, 0o600]);
    let readme = fs::read_to_string(Path::new(part).join("README.txt")).unwrap();
    assert!(readme.contains("What is left out on purpose"), "{readme}");
}

#[test]
fn a_zip_has_the_folder_in_it_and_is_verified_as_the_folder_is() {
    let made = HandOff::with("store-rollback", &["--zip"]);
    assert_eq!((made.said.code, made.said.err.as_str()), (1, ""));
    let lines: Vec<&str> = made.said.out.lines().collect();
    let zip = PathBuf::from(lines[3]);
    assert_eq!((lines.len(), zip.as_path()), (4, made.root.with_extension("zip").as_path()), "{lines:?}");
    assert_eq!(fs::metadata(&zip).unwrap().permissions().mode() & 0o777, 0o600);
    let folder = text(&made.root).rsplit('/').next().unwrap().to_owned();
    let wanted: Vec<_> = made
        .files()
        .into_iter()
        .map(|name| (format!("{folder}/{name}"), fs::read(made.root.join(name)).unwrap()))
        .collect();
    assert!(members(&zip) == wanted, "it has the folder's files and nothing else");
    let checked = Command::new("python3").args(["-m", "zipfile", "-t", text(&zip)]).output().unwrap();
    assert!(checked.status.success(), "another program reads it: {}", String::from_utf8_lossy(&checked.stderr));
    let of_folder = made.verify();
    assert_eq!(of_folder.code, 0, "{}", of_folder.out);
    fs::remove_dir_all(&made.root).unwrap();
    let of_zip = run(["verify", text(&zip)]);
    assert_eq!((of_zip.code, of_zip.out, of_zip.err.as_str()), (0, of_folder.out, ""));
}

#[test]
fn whatever_is_wrong_with_a_zip_is_named() {
    type Change = fn(&str, &mut Vec<(String, Vec<u8>)>);
    let cases: [(Change, &[&str]); 7] = [
        (|_, files| files[0].1.push(b' '), &["README.txt: has changed"]),
        (|_, files| drop(files.remove(1)), &["answer.html: is missing"]),
        (|folder, files| files.push((format!("{folder}/data/x"), vec![])), &["data/x: was added"]),
        (
            |_, files| files.push(("other/x".into(), vec![])),
            &["other/x: does not lie in the one folder that a zip of a bag has"],
        ),
        (|_, files| files.push(("x".into(), vec![])), &["x: does not lie in the one folder"]),
        (
            |folder, files| files.push((format!("{folder}/data/../../x"), vec![])),
            &["/data/../../x: does not lie in the one folder"],
        ),
        // Sixty-four megabytes in as many kilobytes.
        (
            |_, files| {
                files
                    .iter_mut()
                    .filter(|file| file.0.ends_with("/tagmanifest-sha256.txt"))
                    .for_each(|file| file.1 = vec![0; 64 << 20])
            },
            &["tagmanifest-sha256.txt: cannot be read: it has more than 16777216 bytes"],
        ),
    ];
    let made = HandOff::with("store-rollback", &["--zip"]);
    let whole = members(&made.root.with_extension("zip"));
    let folder = text(&made.root).rsplit('/').next().unwrap();
    for (change, wanted) in cases {
        let mut files = whole.clone();
        change(folder, &mut files);
        let path = made.out.path().join("changed.zip");
        write_zip(&path, &files);
        let said = run(["verify", text(&path)]);
        assert_eq!((said.code, said.err.as_str()), (1, ""), "{wanted:?}: {}", said.out);
        for words in wanted {
            assert!(said.out.contains(words), "{words}: {}", said.out);
        }
        assert!(said.out.ends_with("these are not the files that it was made of.\n"), "{}", said.out);
    }
    let path = made.out.path().join("broken.zip");
    fs::write(&path, &fs::read(made.root.with_extension("zip")).unwrap()[..5000]).unwrap();
    let said = run(["verify", text(&path)]);
    assert_eq!((said.code, said.out.as_str()), (3, ""));
    assert!(said.err.contains("broken.zip cannot be verified: "), "{}", said.err);
}

#[test]
fn hostile_lists_are_read_to_their_end_and_lead_nowhere() {
    let hash = "0".repeat(64);
    for (line, wanted) in [
        (format!("{hash}  ../../etc/passwd"), "../../etc/passwd: leads out of the folder"),
        (format!("{hash}  /etc/passwd"), "/etc/passwd: leads out of the folder"),
        (format!("{hash}  data/../../../etc/passwd"), "leads out of the folder"),
        (format!("{hash}  answer.md"), "answer.md: does not belong into manifest-sha256.txt"),
        (format!("{hash}  data/peer.har"), "data/peer.har: is listed twice"),
        (format!("{hash}  data/\u{1b}[2Jgone"), "data/[U+001B][2Jgone: is missing"),
        ("no hash at all".to_owned(), "manifest-sha256.txt, entry 9: is no SHA-256"),
    ] {
        let made = HandOff::of("store-rollback");
        made.edit("manifest-sha256.txt", |text| text + &line);
        made.list_texts();
        let said = made.verify();
        assert_eq!(said.code, 1, "{line}: {}", said.out);
        assert!(said.out.contains(wanted), "{line}: {}", said.out);
        assert_eq!(said.out.lines().count(), 2, "nothing else is wrong: {}", said.out);
        assert!(!said.out.contains(|character: char| character.is_control() && character != '\n'), "{}", said.out);
    }
}

#[test]
fn a_list_without_end_is_not_read_to_its_end() {
    let made = HandOff::of("store-rollback");
    // It has no bytes on the disk.
    fs::File::create(made.root.join("tagmanifest-sha256.txt")).unwrap().set_len(1 << 40).unwrap();
    let said = made.verify();
    assert_eq!(said.code, 1);
    assert!(said.out.contains("tagmanifest-sha256.txt: cannot be read: it has more than"), "{}", said.out);
}

#[test]
fn an_answer_that_its_files_do_not_give_is_found_though_all_lists_are_made_anew() {
    let made = HandOff::of("store-rollback");
    made.edit("answer.json", |text| text.replacen("\"is\": \"proven\"", "\"is\": \"refuted\"", 1));
    made.list_texts();
    let said = made.verify();
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(said.out.contains("answer.json: is not what crypto-diag"), "{}", said.out);
    assert!(said.out.contains(": was refuted, is proven now\n"), "{}", said.out);
    assert!(!said.out.contains(made.said.out.lines().nth(2).unwrap()), "and it has another seal");
}

#[test]
fn what_another_version_judged_otherwise_is_told_and_is_no_failure() {
    let made = HandOff::of("store-rollback");
    let version = concat!("crypto-diag ", env!("CARGO_PKG_VERSION"));
    made.edit("bag-info.txt", |text| text.replace(version, "crypto-diag 0.0.1"));
    made.list_texts();
    let said = made.verify();
    assert_eq!(said.code, 0, "{}", said.out);
    let same = format!("The answer was made by crypto-diag 0.0.1; {version} gives the same one, byte for byte.\n");
    assert!(said.out.ends_with(&same), "{}", said.out);

    made.edit("answer.json", |text| text.replacen("\"is\": \"proven\"", "\"is\": \"unknown\"", 1));
    made.list_texts();
    let said = made.verify();
    assert_eq!(said.code, 0, "{}", said.out);
    let other = format!("The answer was made by crypto-diag 0.0.1; this is {version}, whose verdicts differ thus:\n");
    let differences = said.out.split(&other).nth(1).expect("one sentence says so");
    assert!(
        differences.lines().count() == 1 && differences.ends_with(": was unknown, is proven now\n"),
        "{differences}"
    );
}

#[test]
fn what_is_no_folder_of_run_is_3() {
    let folder = tempdir().unwrap();
    let collected = bundle("store-rollback");
    for path in [text(folder.path()), text(&collected), "/nowhere"] {
        let said = run(["verify", path]);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{path}");
        assert!(said.err.contains(&format!("{path} cannot be verified: ")), "{}", said.err);
    }
    for arguments in [&["run"][..], &["run", "/nowhere.json"], &["run", "--out", "x"], &["verify"]] {
        let said = run(arguments);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn the_whole_folder_is_judged_as_its_payload_is() {
    let made = HandOff::of("store-rollback");
    let whole = run(["triage", text(&made.root), "--format", "json"]).out;
    let answer = fs::read_to_string(made.root.join("answer.json")).unwrap();
    assert_eq!(verdicts(&whole), verdicts(&answer));
    let problems = |json: &str| serde_json::from_str::<Value>(json).unwrap()["problems"].as_array().unwrap().len();
    assert_eq!(problems(&whole), problems(&answer), "what a bag has beside its payload is no evidence: {whole}");
}

#[test]
fn every_recorded_bundle_is_handed_on_with_the_verdicts_that_triage_gives_and_verified() {
    let out = tempdir().unwrap();
    let all = fs::read_dir(bundle("")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let all: Vec<PathBuf> = all.collect();
    assert!(all.len() > 20, "{all:?}");
    for folder in all {
        let made = run(["run", text(&folder), "--out", text(out.path())]);
        let direct = run(["triage", text(&folder), "--format", "json"]);
        assert_eq!(made.code, direct.code, "{}: {}", folder.display(), made.err);
        let root = made.out.lines().next().expect("a folder");
        let answer = fs::read_to_string(Path::new(root).join("answer.json")).unwrap();
        assert_eq!(verdicts(&answer), verdicts(&direct.out), "{}", folder.display());
        let verified = run(["verify", root]);
        assert_eq!(verified.code, 0, "{}: {}", folder.display(), verified.out);
    }
}

#[test]
fn a_console_a_rageshake_and_a_zip_are_judged_as_triage_judges_them() {
    let given = tempdir().unwrap();
    let at = |name: &str| given.path().join(name);
    fs::create_dir(at("shake")).unwrap();
    let shake = r#"{"user_text":"my diary","data":{"user_id":"@a:x","device_id":"DEVICE"}}"#;
    fs::write(at("shake/details.json"), shake).unwrap();
    let wild = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/wild");
    fs::copy(wild.join("f03-elementx-logs.2026-11-23-08.log"), at("shake/logs-0.log")).unwrap();
    fs::copy(wild.join("f01-console-export-2026-11-23_9-36-3.txt"), at("console.txt")).unwrap();
    let zipped = Command::new("python3")
        .args([
            "-m",
            "zipfile",
            "-c",
            text(&at("reports.zip")),
            text(&bundle("store-rollback").join("victim.report.json")),
        ])
        .status()
        .unwrap();
    assert!(zipped.success());
    let out = tempdir().unwrap();
    let said = run(["run", text(given.path()), "--out", text(out.path())]);
    let root = PathBuf::from(said.out.lines().next().expect("a folder"));
    let files = files_below(&root.join("data"), "");
    assert_eq!(
        files,
        ["console.txt", "manifest.json", "shake/details.json", "shake/logs-0.log", "victim.report.json"],
        "{}",
        said.err
    );
    assert!(!fs::read_to_string(root.join("data/shake/details.json")).unwrap().contains("diary"));
    let direct = run(["triage", text(given.path()), "--format", "json"]).out;
    let answer = fs::read_to_string(root.join("answer.json")).unwrap();
    assert_eq!(verdicts(&answer), verdicts(&direct));
    assert_eq!(run(["verify", text(&root)]).code, 0);
}

#[test]
fn files_that_are_named_without_an_option_are_told_by_their_content_and_read_once() {
    let out = tempdir().unwrap();
    let file = |name: &str| bundle("store-rollback").join(name).display().to_string();
    let collect = |arguments: &[&str], files: &[String]| -> Vec<(String, String)> {
        let out = ["--out", text(out.path())];
        let said = run(["collect"]
            .into_iter()
            .chain(files.iter().map(String::as_str))
            .chain(arguments.iter().copied())
            .chain(out));
        assert_eq!(said.code, 0, "{}", said.err);
        let folder = PathBuf::from(said.out.trim_end());
        files_below(&folder, "").into_iter().map(|name| (sha256(&folder.join(&name)), name)).collect()
    };
    let (report, har, log) = (file("victim.report.json"), file("victim.har"), file("homeserver.log.txt"));
    let by_options = collect(&["--report", &report, "--har", &har, "--log", &log], &[]);
    assert_eq!(collect(&[], &[log.clone(), har.clone(), report.clone()]), by_options);
    assert_eq!(
        collect(&["--report", &report, "--har", &har], &[report.clone(), log]),
        by_options,
        "none is read twice"
    );
}

#[test]
fn what_is_nothing_that_can_be_used_is_named_and_stands_in_the_folder() {
    let given = tempdir().unwrap();
    let holiday = given.path().join("holiday.jpg");
    fs::write(&holiday, [0xff, 0xd8, 0xff, 0xe0]).unwrap();
    let out = tempdir().unwrap();
    let report = bundle("store-rollback").join("peer.report.json");
    let said = run(["run", text(&report), text(&holiday), "--out", text(out.path())]);
    assert!(said.err.contains("not collected: holiday.jpg"), "{}", said.err);
    let root = PathBuf::from(said.out.lines().next().unwrap());
    assert!(fs::read_to_string(root.join("README.txt")).unwrap().contains("holiday.jpg"));
    assert!(!root.join("data/holiday.jpg").exists());
}

#[test]
fn an_interrupted_run_leaves_a_folder_that_can_be_verified() {
    let out = tempdir().unwrap();
    let mut child = binary()
        .args(["run", "--user", "@alice:localhost", "--log", "-", "--out", text(out.path())])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let line =
        "2026-11-23 08:36:03,871 - synapse.http.server - 131 - INFO - POST-48 - @alice:localhost did something\n";
    input.write_all(line.repeat(4_000).as_bytes()).unwrap();
    // Signals are waited for before the folder is made.
    while fs::read_dir(out.path()).unwrap().next().is_none() {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = said(child.wait_with_output().unwrap());
    drop(input);
    assert_eq!(said.code, 130, "{}", said.err);
    let root = said.out.lines().next().expect("a folder").to_owned();
    assert_eq!(run(["verify", &root]).code, 0);
}

#[test]
fn no_part_of_a_hand_off_is_written_through_a_link() {
    let (out, elsewhere) = (tempdir().unwrap(), tempdir().unwrap());
    let made = HandOff::of("store-rollback");
    let name = made.root.file_name().unwrap();
    symlink(elsewhere.path(), out.path().join(name)).unwrap();
    let manifest: Value = serde_json::from_slice(&fs::read(made.root.join("data/manifest.json")).unwrap()).unwrap();
    let since = manifest["from"].to_string();
    let report = bundle("store-rollback").join("victim.report.json");
    let said = run(["run", text(&report), "--since", &since, "--out", text(out.path())]);
    assert_eq!(said.out.lines().next().unwrap(), format!("{}-2", text(&out.path().join(name))), "{}", said.err);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
