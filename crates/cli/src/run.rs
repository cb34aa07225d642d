//! `crypto-diag run`: `collect` and `triage` one after the other, and a bag around what they give.

use std::path::Path;

use crypto_diag_core::visible_line;
use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::Manifest;

use crate::args::{Format, RunArguments};
use crate::inputs::Inputs;
use crate::pseudonyms::Pseudonyms;
use crate::readme::{Ids, readme};
use crate::{bag, collect, exit, minimal, output, triage};

/// The answer in the form in which `verify` compares it.
pub const ANSWER: &str = "answer.json";

/// The answer in every form in which it is handed on.
const ANSWERS: [(&str, Format); 5] = [
    (ANSWER, Format::Json),
    ("answer.md", Format::Markdown),
    ("answer.html", Format::Html),
    ("answer.sarif", Format::Sarif),
    ("timeline.svg", Format::Svg),
];

/// Gathers, judges what was gathered and nothing else, packs, and prints the folder, the answer's sentence, the seal; where a part of it
/// or pseudonyms are wanted, a folder and a seal for each; and the zip where one is wanted: of what is to be handed on.
///
/// # Errors
/// In words, if there is no folder, or it is not complete.
pub fn run(arguments: RunArguments) -> Result<u8, String> {
    let pseudonyms = arguments.pseudonyms.as_deref();
    let pseudonyms = pseudonyms.map(|file| Pseudonyms::new(file, arguments.pseudonym_key.as_deref())).transpose()?;
    let Some(collected) = collect::gather(arguments.collect, Some(bag::PAYLOAD))? else { return Ok(exit::INTERRUPTED) };
    let mut root = collected.folder.parent().unwrap_or(&collected.folder).to_owned();
    let (triage, seal) = finish(&root, &collected.manifest, Ids::AsTheyAre)?;
    output::print(&format!("{}\n{}\n{seal}", root.display(), visible_line(&triage.summary)))?;
    if arguments.minimal {
        let (folder, manifest) = minimal::payload(&root)?;
        let (_, seal) = finish(&folder, &manifest, Ids::AsTheyAre)?;
        output::print(&format!("{}\n{seal}", folder.display()))?;
        root = folder;
    }
    if let Some(pseudonyms) = pseudonyms {
        let hidden = pseudonyms.payload(&root)?;
        let (_, seal) = finish(&hidden.folder, &hidden.manifest, Ids::Pseudonyms)?;
        pseudonyms.compare(&root, &hidden)?;
        output::print(&format!("{}\n{seal}", hidden.folder.display()))?;
        root = hidden.folder;
    }
    if arguments.zip {
        output::print(&format!("{}\n", bag::zip(&root)?.display()))?;
    }
    Ok(if collected.interrupted { exit::INTERRUPTED } else { triage.exit_code })
}

/// Judges the payload of a folder, writes what is said of it, and packs both. Returns the answer and the seal, as it is printed.
fn finish(root: &Path, manifest: &Manifest, ids: Ids) -> Result<(Triage, String), String> {
    // The zone is not given: what was stated stands in the bundle's manifest, so that the folder alone gives the same answer.
    let (bundle, triage) = triage::judge(Inputs::find(&[root.join(bag::PAYLOAD)]), None);
    for (name, format) in ANSWERS {
        output::write_new(&root.join(name), &triage::written(&triage, format)?)?;
    }
    output::write_new(&root.join("README.txt"), &readme(&triage, &bundle, manifest, ids))?;
    bag::pack(root)?;
    let files = bag::files(root)?;
    let seal = bag::seal_line(&files)?;
    Ok((triage, seal))
}
