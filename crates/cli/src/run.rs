//! `crypto-diag run`: `collect` and `triage` one after the other, and a bag around what they give.

use std::path::Path;

use crypto_diag_core::visible_line;
use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::Manifest;

use crate::args::{Format, RunArguments};
use crate::inputs::Inputs;
use crate::readme::readme;
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

/// Gathers, judges only what was gathered, and packs. Prints the folder, the answer's sentence and the seal; with `--minimal` the part's
/// folder and seal as well; with `--zip` the zip of what is to be handed on.
///
/// # Errors
/// In words, if there is no folder, or it is not complete.
pub fn run(arguments: RunArguments) -> Result<u8, String> {
    let Some(collected) = collect::gather(arguments.collect, Some(bag::PAYLOAD))? else { return Ok(exit::INTERRUPTED) };
    let mut root = collected.folder.parent().unwrap_or(&collected.folder).to_owned();
    let (triage, seal) = finish(&root, &collected.manifest)?;
    output::print(&format!("{}\n{}\n{seal}", root.display(), visible_line(&triage.summary)))?;
    if arguments.minimal {
        let (folder, manifest) = minimal::payload(&root)?;
        let (_, seal) = finish(&folder, &manifest)?;
        output::print(&format!("{}\n{seal}", folder.display()))?;
        root = folder;
    }
    if arguments.zip {
        output::print(&format!("{}\n", bag::zip(&root)?.display()))?;
    }
    Ok(if collected.interrupted { exit::INTERRUPTED } else { triage.exit_code })
}

/// Judges the payload of a folder, writes the answer beside it, and packs both. Returns the answer, and the seal as it is printed.
fn finish(root: &Path, manifest: &Manifest) -> Result<(Triage, String), String> {
    // The zone that was stated is read from the bundle's manifest, so that the folder alone gives the same answer.
    let (bundle, triage) = triage::judge(Inputs::find(&[root.join(bag::PAYLOAD)]), None);
    for (name, format) in ANSWERS {
        output::write_new(&root.join(name), &triage::written(&triage, format)?)?;
    }
    output::write_new(&root.join("README.txt"), &readme(&triage, &bundle, manifest))?;
    bag::pack(root)?;
    let files = bag::Files::of(root).map_err(|error| format!("{} cannot be read: {error}", root.display()))?;
    let seal = bag::seal_line(&files)?;
    Ok((triage, seal))
}
