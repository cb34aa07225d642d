//! What the triage says of files: bytes in, JSON out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::rules;
use crypto_diag_triage::{Mutation, Triage};
use serde_json::Value;

use crate::forms::File;

/// What a verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// It is true.
    Proven,
    /// It is false.
    Refuted,
    /// It cannot be told.
    Unknown,
}

impl Word {
    /// As the answer has it.
    pub fn text(self) -> &'static str {
        match self {
            Word::Proven => "proven",
            Word::Refuted => "refuted",
            Word::Unknown => "unknown",
        }
    }
}

/// A claim by the name that it has in the answer, and what it is about.
pub type Claim = (String, String);

/// One verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Of what.
    pub claim: Claim,
    /// What.
    pub word: Word,
    /// In words.
    pub statement: String,
    /// The artefacts that would settle what is unknown, in the answer's order: their kind, and how to get them.
    pub fetch: Vec<(String, String)>,
}

/// The whole answer of the triage as JSON. Files are given in the order in which the command gives them.
pub fn answer(files: &[File]) -> Value {
    serde_json::to_value(Triage::of(&bundle(files))).expect("an answer is JSON")
}

fn bundle(files: &[File]) -> Bundle {
    let mut sorted: Vec<(ArtefactKind, &File)> =
        files.iter().map(|file| (ArtefactKind::guess(&file.0, &file.1[..file.1.len().min(4096)]), file)).collect();
    sorted.sort_by_key(|(kind, file)| (kind.order(), &file.0));
    let mut bundle = Bundle::new();
    for (kind, (name, bytes)) in sorted {
        bundle.add(name, Some(kind), &bytes[..]);
    }
    bundle
}

/// Files that were read once, to be judged by many mutants.
#[derive(Debug)]
pub struct Read(Bundle);

impl Read {
    /// Reads files.
    pub fn of(files: &[File]) -> Read {
        Read(bundle(files))
    }

    /// What the rules say of them with one premise changed, for each of these changes; `None` where nothing changes in what they say.
    pub fn mutated(&self, mutations: &[Mutation]) -> Vec<Option<Vec<Said>>> {
        let json = |verdicts| serde_json::to_value(verdicts).expect("verdicts are JSON");
        Triage::mutated(&self.0, mutations).into_iter().map(|verdicts| Some(said(&json(verdicts?)))).collect()
    }
}

/// The premises of all rules, by id, with the names of the conclusions that rest on each.
pub fn premises() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut premises: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for rule in rules::ALL {
        let name = serde_json::to_value(rule.conclusion).expect("a name");
        for premise in rule.proven_by.iter().chain(rule.refuted_by) {
            premises.entry(premise.id).or_default().insert(name.as_str().unwrap_or_default().to_owned());
        }
    }
    premises
}

/// The verdicts of the triage.
pub fn verdicts(files: &[File]) -> Vec<Said> {
    all_said(files, false)
}

/// The verdicts, and, if asked for, what is said of each hop of media keys: `hop-queued` of a message or an index and the page that
/// needs the key.
pub fn all_said(files: &[File], hops: bool) -> Vec<Said> {
    let triage = Triage::of(&bundle(files));
    // Not the whole answer: the rest is large, and nothing here reads it.
    let json = |value: serde_json::Result<Value>| value.expect("an answer is JSON");
    let mut all = said(&json(serde_json::to_value(&triage.verdicts)));
    if hops {
        all.extend(said_of_hops(&json(serde_json::to_value(&triage.media_keys))));
    }
    all
}

fn word(answer: &Value) -> Word {
    match answer["is"].as_str() {
        Some("proven") => Word::Proven,
        Some("refuted") => Word::Refuted,
        _ => Word::Unknown,
    }
}

/// What is said of each hop.
fn said_of_hops(keys: &Value) -> Vec<Said> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_path = |path: &Value| -> Vec<Said> {
        let subject = &path["subject"];
        let key = match subject["messageIds"][0].as_str() {
            Some(id) => id.to_owned(),
            None => format!("index {} of {}", subject["keyIndex"], text(&subject["participant"])),
        };
        let about = format!("{key} {}", text(&subject["report"]));
        let of_step = |step: &Value| Said {
            claim: (format!("hop-{}", text(&step["hop"])), about.clone()),
            word: word(step),
            statement: format!("{}: {}", text(&path["about"]), text(&step["says"])),
            fetch: Vec::new(),
        };
        path["steps"].as_array().into_iter().flatten().map(of_step).collect()
    };
    keys["paths"].as_array().into_iter().flatten().flat_map(of_path).collect()
}

/// One verdict for each thing that is spoken of: an answer says the same of several keys in one sentence.
fn said(verdicts: &Value) -> Vec<Said> {
    let text = |verdict: &Value, name: &str| verdict[name].as_str().unwrap_or_default().to_owned();
    let of_verdict = |verdict: &Value| -> Vec<Said> {
        let about = text(verdict, "about");
        let things: Vec<String> = match about.split_once(' ') {
            // An event is named by itself, whatever page could not read it.
            _ if about.starts_with('$') => about.split(", ").map(str::to_owned).collect(),
            Some((device, keys)) => keys.split(", ").map(|key| format!("{device} {key}")).collect(),
            None => vec![about],
        };
        let word = word(verdict);
        let wanted = verdict["fetch"].as_array().into_iter().flatten();
        let fetch: Vec<_> = wanted.map(|wanted| (text(wanted, "artefact"), text(wanted, "how"))).collect();
        let said = |about| Said {
            claim: (text(verdict, "claim"), about),
            word,
            statement: text(verdict, "statement"),
            fetch: fetch.clone(),
        };
        things.into_iter().map(said).collect()
    };
    verdicts.as_array().into_iter().flatten().flat_map(of_verdict).collect()
}

/// A hash that tells different files apart.
pub fn hash(files: &[File]) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

/// Verdicts by files: each distinct set of files is judged once.
#[derive(Debug, Default)]
pub struct Judge {
    /// What is proven or refuted of a set of files, by its hash.
    known: HashMap<u64, Vec<Said>>,
}

impl Judge {
    /// How many distinct sets of files have been judged.
    pub fn distinct(&self) -> usize {
        self.known.len()
    }

    /// What is proven or refuted of files, with or without hops, and their hash.
    pub fn settled(&mut self, files: &[File], hops: bool) -> (u64, &[Said]) {
        let hash = hash(files);
        let said = self.known.entry(hash).or_insert_with(|| {
            let mut said = all_said(files, hops);
            said.retain(|verdict| verdict.word != Word::Unknown);
            said
        });
        (hash, said)
    }

    /// What is called proven of files that were judged, by their hash.
    pub fn proven(&self, hash: u64) -> BTreeSet<&Claim> {
        let said = self.known.get(&hash).into_iter().flatten();
        said.filter(|verdict| verdict.word == Word::Proven).map(|verdict| &verdict.claim).collect()
    }
}
