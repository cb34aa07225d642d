//! Whole histories, for the tests of rules: the files that a history leaves, and what may and must be said of them.
//!
//! They come from `tests/fixtures/worlds` (a folder each, with `WORLD.md` and `label.json`), from recorded bundles that are
//! changed in one point, and from pages made up line by line.

use std::path::{Path, PathBuf};

use crypto_diag_core::{
    Capture, CaptureState, Client, EarlierPage, FrameState, FrameWatch, HookState, Host, Level, Line, Millis, Recorder,
};
use serde_json::Value;

use crate::artefact::ArtefactKind;
use crate::bundle::Bundle;
use crate::conclusion::Conclusion;
use crate::verdict::Verdict;

pub(crate) mod call;

/// What may and must be said of a history: pairs of a conclusion's name and a part of what it is about, empty for anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Label {
    pub never_proven: Vec<(String, String)>,
    pub never_refuted: Vec<(String, String)>,
    pub must_prove: Vec<(String, String)>,
    pub must_refute: Vec<(String, String)>,
    /// The exit codes that are right; empty where any may be.
    pub exit: Vec<u8>,
}

/// A history.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub name: String,
    pub files: Vec<(String, Vec<u8>)>,
    pub label: Label,
}

/// The fixtures of the repository.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

impl History {
    /// A history without files.
    pub fn new(name: &str) -> History {
        History { name: name.to_owned(), files: Vec::new(), label: Label::default() }
    }

    /// The history in a folder, with its label where it has one.
    pub fn read(folder: &Path) -> History {
        let mut history = History::new(&folder.file_name().expect("a folder's name").to_string_lossy());
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("a readable folder").path())
            .collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().expect("a file's name").to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("a readable file");
            match name.as_str() {
                "WORLD.md" => {}
                "label.json" => history.label = Label::read(&serde_json::from_slice(&bytes).expect("a label")),
                _ => history.files.push((name, bytes)),
            }
        }
        history
    }

    /// All of `tests/fixtures/worlds`.
    pub fn worlds() -> Vec<History> {
        let folder = fixtures().join("worlds");
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
        folders.retain(|path| path.join("label.json").is_file());
        folders.sort();
        folders.iter().map(|folder| History::read(folder)).collect()
    }

    /// A recorded bundle of `tests/fixtures/bundles` under a new name, to be changed.
    pub fn recorded(bundle: &str, name: &str) -> History {
        History { name: name.to_owned(), ..History::read(&fixtures().join("bundles").join(bundle)) }
    }

    /// A world of `tests/fixtures/worlds` under a new name and without its label, to be changed.
    pub fn world(world: &str, name: &str) -> History {
        let found = History::read(&fixtures().join("worlds").join(world));
        History { name: name.to_owned(), label: Label::default(), ..found }
    }

    pub fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> History {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    pub fn without(mut self, name: &str) -> History {
        let before = self.files.len();
        self.files.retain(|(file, _)| file != name);
        assert_ne!(self.files.len(), before, "{} has no file {name}", self.name);
        self
    }

    /// A copy of a file under another name.
    pub fn copy(mut self, from: &str, to: &str) -> History {
        let bytes = self.bytes(from).clone();
        self.files.push((to.to_owned(), bytes));
        self
    }

    /// Keeps these files and no other.
    pub fn only(mut self, names: &[&str]) -> History {
        self.files.retain(|(file, _)| names.contains(&file.as_str()));
        assert_eq!(self.files.len(), names.len(), "{} lacks some of {names:?}", self.name);
        self
    }

    /// Changes a JSON file.
    pub fn edit(mut self, name: &str, change: impl FnOnce(&mut Value)) -> History {
        let bytes = self.bytes(name);
        let mut value: Value = serde_json::from_slice(bytes).expect("a JSON file");
        change(&mut value);
        *bytes = value.to_string().into_bytes();
        self
    }

    /// Changes a text file; the change must do something.
    pub fn rewrite(mut self, name: &str, change: impl FnOnce(&str) -> String) -> History {
        let bytes = self.bytes(name);
        let text = String::from_utf8(bytes.clone()).expect("a text file");
        let changed = change(&text);
        assert_ne!(text, changed, "the change of {name} changes nothing");
        *bytes = changed.into_bytes();
        self
    }

    fn bytes(&mut self, name: &str) -> &mut Vec<u8> {
        let history = self.name.clone();
        let found = self.files.iter_mut().find(|(file, _)| file == name);
        &mut found.unwrap_or_else(|| panic!("{history} has no file {name}")).1
    }

    pub fn never_proves(mut self, conclusion: &str, about: &str) -> History {
        self.label.never_proven.push((conclusion.to_owned(), about.to_owned()));
        self
    }

    pub fn never_refutes(mut self, conclusion: &str, about: &str) -> History {
        self.label.never_refuted.push((conclusion.to_owned(), about.to_owned()));
        self
    }

    pub fn proves(mut self, conclusion: &str, about: &str) -> History {
        self.label.must_prove.push((conclusion.to_owned(), about.to_owned()));
        self
    }

    pub fn refutes(mut self, conclusion: &str, about: &str) -> History {
        self.label.must_refute.push((conclusion.to_owned(), about.to_owned()));
        self
    }

    pub fn exits(mut self, codes: &[u8]) -> History {
        self.label.exit = codes.to_vec();
        self
    }

    /// The files, read as the command reads them.
    pub fn bundle(&self) -> Bundle {
        let mut files: Vec<(ArtefactKind, &str, &[u8])> = self
            .files
            .iter()
            .map(|(name, bytes)| {
                (ArtefactKind::guess(name, &bytes[..bytes.len().min(4096)]), name.as_str(), &bytes[..])
            })
            .collect();
        files.sort_by_key(|(kind, name, _)| (kind.order(), *name));
        let mut bundle = Bundle::new();
        for (kind, name, bytes) in files {
            bundle.add(name, Some(kind), bytes);
        }
        bundle
    }

    /// What is wrong with the answer on this history, a line each; nothing if it is right.
    pub fn faults(&self, verdicts: &[Verdict], exit_code: u8) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |pairs: &[(String, String)], is: fn(&Verdict) -> bool, wanted: bool, what: &str| {
            for (conclusion, about) in pairs {
                assert!(
                    Conclusion::ALL.iter().any(|known| name(*known) == *conclusion),
                    "{}: no conclusion is called {conclusion}",
                    self.name
                );
                let of = |verdict: &&Verdict| {
                    name(verdict.conclusion) == *conclusion && verdict.about.contains(about.as_str())
                };
                let found = verdicts.iter().filter(of).find(|verdict| is(verdict));
                if found.is_some() != wanted {
                    let said = found.map_or(String::new(), |verdict| format!(": {}", verdict.statement));
                    wrong.push(format!("{}: {what} {conclusion} {about}{said}", self.name));
                }
            }
        };
        check(&self.label.never_proven, Verdict::is_proven, false, "falsely proves");
        check(&self.label.never_refuted, Verdict::is_refuted, false, "falsely refutes");
        check(&self.label.must_prove, Verdict::is_proven, true, "does not prove");
        check(&self.label.must_refute, Verdict::is_refuted, true, "does not refute");
        if !self.label.exit.is_empty() && !self.label.exit.contains(&exit_code) {
            wrong.push(format!("{}: exits with {exit_code}", self.name));
        }
        wrong
    }
}

impl Label {
    fn read(value: &Value) -> Label {
        // What a careful reader might defend does not count as false.
        let arguable: Vec<&str> =
            value["arguable"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let all = |name: &str| -> Vec<(String, String)> {
            let list = value[name].as_array().into_iter().flatten();
            list.map(|pair| {
                let text = |at: usize| pair[at].as_str().unwrap_or_default().to_owned();
                (text(0), text(1))
            })
            .collect()
        };
        let strict = |name: &str| -> Vec<(String, String)> {
            all(name).into_iter().filter(|(conclusion, _)| !arguable.contains(&conclusion.as_str())).collect()
        };
        Label {
            never_proven: strict("never_proven"),
            never_refuted: strict("never_refuted"),
            must_prove: all("must_prove"),
            must_refute: all("must_refute"),
            exit: value["exit"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|code| u8::try_from(code.as_u64()?).ok())
                .collect(),
        }
    }
}

/// The name that a conclusion has in JSON.
pub(crate) fn name(conclusion: Conclusion) -> String {
    serde_json::to_value(conclusion).expect("a name").as_str().expect("a text").to_owned()
}

/// A change of a report before it is written.
type Change = Box<dyn FnOnce(&mut crypto_diag_core::Report)>;

/// A page whose capture was whole: warn, error and info hooked, frames watched, awake all the time. Its report is written by
/// the core, as a real one is.
pub(crate) struct MadeUpPage {
    recorder: Recorder,
    user_id: String,
    device_id: String,
    from: u64,
    to: u64,
    changes: Vec<Change>,
}

impl MadeUpPage {
    /// A page that began, with its capture, and made its report at these times, in milliseconds since the epoch.
    pub fn new((user_id, device_id): (&str, &str), from: u64, to: u64) -> MadeUpPage {
        MadeUpPage {
            recorder: Recorder::new(),
            user_id: user_id.to_owned(),
            device_id: device_id.to_owned(),
            from,
            to,
            changes: Vec::new(),
        }
    }

    /// A page that printed the warnings and errors of a recorded console of `tests/fixtures/console`, or those of them that
    /// are to be kept, and made its report a minute after the last.
    pub fn recorded(console: &str, ids: (&str, &str), keep: impl Fn(&str) -> bool) -> MadeUpPage {
        let path = fixtures().join("console").join(console);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a console line")).collect();
        let time = |line: &Value| line["ts"].as_u64().expect("a time");
        let (first, last) = (lines.first().map_or(0, time), lines.last().map_or(0, time));
        lines.iter().fold(MadeUpPage::new(ids, first - 1_000, last + 60_000), |page, line| {
            let args: Vec<&str> = line["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let text = args.join(" ");
            match line["level"].as_str() {
                Some("warn" | "warning") if keep(&text) => page.line(time(line), Level::Warn, &text),
                Some("error") if keep(&text) => page.line(time(line), Level::Error, &text),
                _ => page,
            }
        })
    }

    /// A line of the console.
    pub fn line(mut self, ts: u64, level: Level, text: &str) -> MadeUpPage {
        self.recorder.record(&Line::new(Millis(ts), level, text));
        self
    }

    /// A change of the report before it is written.
    pub fn but(mut self, change: impl FnOnce(&mut crypto_diag_core::Report) + 'static) -> MadeUpPage {
        self.changes.push(Box::new(change));
        self
    }

    /// A page that was open in the tab before, and was stored when it would have made its report.
    pub fn earlier(self, page: MadeUpPage) -> MadeUpPage {
        let stored = EarlierPage {
            time_origin: Some(Millis(page.from)),
            stored_at: Millis(page.to),
            user_id: Some(page.user_id),
            device_id: Some(page.device_id),
            tallies: page.recorder.counts().rows(),
            entries: page.recorder.entries(),
            ..EarlierPage::default()
        };
        self.but(|report| report.earlier_pages.push(stored))
    }

    /// The report's JSON.
    pub fn json(self) -> Vec<u8> {
        let hook = |method: &str| HookState { method: method.into(), in_place: true, reason: None };
        let document = FrameState { hooked: true, ..FrameState::default() };
        let capture = Capture {
            state: CaptureState::Capturing,
            installed_at: Some(Millis(self.from + 5)),
            time_origin: Some(Millis(self.from)),
            installed_after: Some(5),
            hooks: ["warn", "error", "info"].map(hook).to_vec(),
            lines_seen: 4_000,
            frames: FrameWatch { watching: true, documents: vec![document], ..FrameWatch::default() },
            ..Capture::default()
        };
        let client = Client {
            user_id: Some(self.user_id),
            device_id: Some(self.device_id),
            sync_state: Some("SYNCING".into()),
            crypto_ready: Some(true),
            ..Client::default()
        };
        let host = Host { generated_at: Millis(self.to), client, capture, ..Host::default() };
        let mut report = self.recorder.report(host);
        for change in self.changes {
            change(&mut report);
        }
        report.to_json().into_bytes()
    }
}

/// The row of the event in a recorded bundle's `queries.json`.
pub(crate) fn event_row(queries: &mut Value) -> &mut Value {
    let of_event = |query: &&mut Value| query["name"] == "event";
    let query = queries.as_array_mut().expect("a list of queries").iter_mut().find(of_event);
    &mut query.expect("the bundle asks for its event")["rows"][0]
}

/// A line of matrix-sdk-crypto: a message cannot be opened, since the one-time key that it names is not in the store.
pub(crate) fn lost(
    one_time_key: &str,
    (sender, sender_key): (&str, &str),
    message_id: &str,
    session_id: &str,
) -> String {
    format!(
        "WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(MissingOneTimeKey(\"curve25519:{one_time_key}\"))\n    in x with sender=\"{sender}\" sender_key=\"curve25519:{sender_key}\" session_id=\"{session_id}\" chain_index=0\n    in y with sender=\"{sender}\" event_type=\"m.room.encrypted\" message_id=\"{message_id}\""
    )
}

/// A line of matrix-sdk-crypto: a media key came and was opened.
pub(crate) fn delivered((sender, sender_key): (&str, &str), message_id: &str) -> String {
    format!(
        "WARN matrix_sdk_crypto::machine: Received an unexpected encrypted to-device event\n    in x with sender_key=\"curve25519:{sender_key}\" event_type=\"io.element.call.encryption_keys\"\n    in y with sender=\"{sender}\" event_type=\"m.room.encrypted\" message_id=\"{message_id}\""
    )
}

/// A line of livekit-client: a frame came whose key is not there.
pub(crate) fn missing(participant: &str, index: u64) -> String {
    format!("CryptorError: missing key at index {index} for participant {participant}")
}
