//! `crypto-diag run --pseudonyms`: a hand-off in which nobody is named, and `crypto-diag reveal`, which names them again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crypto_diag_pseudonym::{Dictionary, Key, Names, Replacing};
use crypto_diag_triage::bundle::Manifest;
use serde_json::Value;

use crate::args::RevealArguments;
use crate::run::ANSWER;
use crate::{bag, exit, output, payload};

/// Bytes of a key that is made.
const KEY_BYTES: usize = 32;

/// A file that every bag has.
const OF_A_BAG: &str = "bagit.txt";

/// What the pseudonyms of a run are made by, and where they are written down.
#[derive(Debug)]
pub struct Pseudonyms {
    key: Key,
    dictionary: PathBuf,
}

/// The payload of a hand-off without its ids, and what was replaced in it.
#[derive(Debug)]
pub struct Hidden {
    /// The folder that has it.
    pub folder: PathBuf,
    /// Its list.
    pub manifest: Manifest,
    dictionary: Dictionary,
    /// Names of files, as they were and as they are.
    files: BTreeMap<String, String>,
}

impl Pseudonyms {
    /// Looks whether the dictionary can be written where it is wanted, before anything is gathered.
    ///
    /// # Errors
    /// In words, if it cannot, or would be handed on; or if there is no key.
    pub fn new(dictionary: &Path, key: Option<&Path>) -> Result<Pseudonyms, String> {
        output::check_new(dictionary)?;
        let shown = dictionary.display();
        let parent = dictionary.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
        let parent = fs::canonicalize(parent).map_err(|error| format!("{shown} cannot be written: {error}"))?;
        if let Some(hand_off) = parent.ancestors().find(|folder| folder.join(OF_A_BAG).exists()) {
            let why = "whoever gets that could undo the pseudonyms; give a place outside of it";
            return Err(format!("{shown} would lie in the hand-off {}: {why}", hand_off.display()));
        }
        let key = match key {
            Some(path) => {
                let bytes = fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
                Key::new(&bytes).map_err(|why| format!("{}: {why}", path.display()))?
            }
            None => random_key()?,
        };
        Ok(Pseudonyms { key, dictionary: dictionary.to_owned() })
    }

    /// Writes the payload of a hand-off without its ids into a new folder beside it, and the dictionary.
    ///
    /// # Errors
    /// In words, if a file cannot be read or written, or is packed.
    pub fn payload(&self, root: &Path) -> Result<Hidden, String> {
        let files = bag::files(root)?;
        let (whole, manifest) = payload::read(root, &files)?;
        let mut names = Names::new();
        let mut texts = Vec::new();
        for (name, bytes) in whole {
            let why = |_| format!("data/{name} is no text in UTF-8, so that ids in it cannot be replaced");
            let text = String::from_utf8(bytes).map_err(why)?;
            names.read(&text);
            texts.push((name, text));
        }
        let dictionary = Dictionary::new(&self.key, &names).map_err(|why| why.to_string())?;
        let hiding = dictionary.hiding();
        let mut renamed = BTreeMap::new();
        let mut hidden = Vec::new();
        for (name, text) in texts {
            let new = dictionary.hide_in_file_name(&name);
            hidden.push((new.clone(), hiding.text(&text).into_bytes()));
            renamed.insert(name, new);
        }
        let mut manifest = serde_json::to_value(&manifest).map_err(|error| error.to_string())?;
        rename(&mut manifest, &renamed, &hiding);
        let mut manifest: Manifest = serde_json::from_value(manifest).map_err(|error| error.to_string())?;
        payload::list(&mut manifest, &hidden);
        output::write_new(&self.dictionary, &dictionary.print())?;
        let folder = payload::write_beside(root, "pseudonyms", hidden, &manifest)?;
        Ok(Hidden { folder, manifest, dictionary, files: renamed })
    }

    /// Compares the verdicts of a hand-off with those that its files without ids give. Where they differ, nothing is left that
    /// could be handed on.
    ///
    /// # Errors
    /// In words, naming those that differ.
    pub fn compare(&self, root: &Path, hidden: &Hidden) -> Result<(), String> {
        let folder = &hidden.folder;
        let read = |folder: &Path| {
            let path = folder.join(ANSWER);
            fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
        };
        let renamed = hidden.files.iter().fold(read(root)?, |answer, (name, new)| answer.replace(name, new));
        let wanted = verdicts(&hidden.dictionary.hiding().text(&renamed));
        let given = verdicts(&read(folder)?);
        if wanted == given {
            return Ok(());
        }
        let gone = wanted.iter().filter(|verdict| !given.contains(verdict));
        let new = given.iter().filter(|verdict| !wanted.contains(verdict));
        let differ: BTreeSet<&str> = gone.chain(new).map(|(claim, ..)| claim.as_str()).collect();
        let differ: Vec<&str> = differ.into_iter().collect();
        // Both were made here.
        fs::remove_dir_all(folder)
            .and_then(|()| fs::remove_file(&self.dictionary))
            .map_err(|error| format!("{} cannot be removed: {error}", folder.display()))?;
        Err(format!(
            "{} is complete, but has no second folder with pseudonyms: its files would not prove the same ({}). An id in them is a \
             word that means something else there, too.",
            root.display(),
            differ.join(", ")
        ))
    }
}

/// Conclusion, word, and what is said, in words that are sorted: ids that are listed stand in another order.
fn verdicts(answer: &str) -> Vec<(String, String, Vec<String>)> {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let text = |verdict: &Value, name: &str| verdict[name].as_str().unwrap_or_default().to_owned();
    let list = answer["verdicts"].as_array().cloned().unwrap_or_default();
    let mut list: Vec<_> = list
        .iter()
        .map(|one| {
            let said = format!("{} {}", text(one, "about"), text(one, "statement"));
            let words = said.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
            let mut words: Vec<String> = words.map(str::to_owned).collect();
            words.sort();
            (text(one, "claim"), text(one, "is"), words)
        })
        .collect();
    list.sort();
    list
}

/// Replaces ids in the bundle's list, and the names of files.
fn rename(value: &mut Value, files: &BTreeMap<String, String>, hiding: &Replacing<'_>) {
    match value {
        Value::String(text) => *text = files.get(text).cloned().unwrap_or_else(|| hiding.text(text)),
        Value::Array(list) => list.iter_mut().for_each(|value| rename(value, files, hiding)),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, value)| rename(value, files, hiding)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn random_key() -> Result<Key, String> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random key can be made: {error}"))?;
    // White space at the end of a key does not count.
    Key::new(bag::hex(&bytes).as_bytes()).map_err(|why| why.to_string())
}

/// Puts the ids of a dictionary back into the text on standard input.
///
/// # Errors
/// In words, if either cannot be read.
pub fn reveal(arguments: &RevealArguments) -> Result<u8, String> {
    let path = &arguments.dictionary;
    let text = fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let dictionary = Dictionary::read(&text).map_err(|why| format!("{}: {why}", path.display()))?;
    let mut input = String::new();
    io::stdin().lock().read_to_string(&mut input).map_err(|error| format!("standard input cannot be read: {error}"))?;
    output::print(&dictionary.revealing().text(&input))?;
    Ok(exit::NOTHING_WRONG)
}
