//! `crypto-diag run`: `collect` and `triage` one after the other, and a bag around what they give.

use crypto_diag_core::visible_line;

use crate::args::{Format, RunArguments};
use crate::inputs::Inputs;
use crate::readme::readme;
use crate::{bag, collect, exit, output, triage};

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

/// Gathers, judges what was gathered and nothing else, packs, and prints the folder, the answer's sentence, the seal, and
/// the zip where one is wanted.
///
/// # Errors
/// In words, if there is no folder, or it is not complete.
pub fn run(arguments: RunArguments) -> Result<u8, String> {
    let Some(collected) = collect::gather(arguments.collect, Some(bag::PAYLOAD))? else { return Ok(exit::INTERRUPTED) };
    let root = collected.folder.parent().unwrap_or(&collected.folder).to_owned();
    // The zone is not given: what was stated stands in the bundle's manifest, so that the folder alone gives the same answer.
    let (bundle, triage) = triage::judge(Inputs::find(std::slice::from_ref(&collected.folder)), None);
    for (name, format) in ANSWERS {
        output::write_new(&root.join(name), &triage::written(&triage, format)?)?;
    }
    output::write_new(&root.join("README.txt"), &readme(&triage, &bundle, &collected.manifest))?;
    bag::pack(&root)?;
    let files = bag::Files::of(&root).map_err(|error| format!("{} cannot be read: {error}", root.display()))?;
    let sentence = visible_line(&triage.summary);
    output::print(&format!("{}\n{sentence}\n{}", root.display(), bag::seal(&files)?))?;
    if arguments.zip {
        output::print(&format!("{}\n", bag::zip(&root)?.display()))?;
    }
    Ok(if collected.interrupted { exit::INTERRUPTED } else { triage.exit_code })
}
