//! `crypto-diag triage`.

use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::problem::{Place, Problem};
use crypto_diag_triage::{Triage, render};

use crate::args::{Format, TriageArguments};
use crate::inputs::Inputs;
use crate::progress::Bar;
use crate::{exit, output};

/// Reads, judges, writes.
///
/// # Errors
/// In words, if the answer could not be written.
pub fn run(arguments: &TriageArguments) -> Result<u8, String> {
    if let Some(output) = &arguments.output {
        output::check_new(output)?;
    }
    let triage = judge(arguments);
    let by_ending = arguments.output.as_deref().and_then(Format::of_file);
    let text = match arguments.format.or(by_ending).unwrap_or(Format::Text) {
        Format::Text => render::text(&triage),
        Format::Markdown => render::markdown(&triage),
        Format::Html => render::html(&triage),
        Format::Json => render::json(&triage).map_err(|error| format!("the answer cannot be written: {error}"))?,
    };
    match &arguments.output {
        Some(path) => {
            output::write_new(path, &text)?;
            output::print(&format!("{}\n", triage.summary))?;
        }
        None => output::print(&text)?,
    }
    Ok(triage.exit_code)
}

fn judge(arguments: &TriageArguments) -> Triage {
    let mut inputs = Inputs::find(&arguments.inputs);
    let mut bundle = Bundle::new();
    bundle.log_options.zone_minutes = arguments.zone;
    let mut unread = inputs.problems.len();
    bundle.problems.append(&mut inputs.problems);
    bundle.problems.append(&mut inputs.passed);
    let progress = Bar::new();
    progress.expect(inputs.bytes);
    for input in inputs.list {
        let (name, kind) = (input.name.clone(), input.kind);
        progress.at(&name);
        match input.open(&progress) {
            Ok(text) => bundle.add(&name, Some(kind), text),
            Err(error) => {
                unread += 1;
                let what = format!("cannot be opened: {error}");
                bundle.problems.push(Problem { artefact: name, place: Place::Whole, what });
            }
        }
    }
    progress.end();
    let mut triage = Triage::of(&bundle);
    // "Nothing is wrong" would be said of artefacts that nobody could look into.
    if triage.exit_code == exit::NOTHING_WRONG && unread > 0 {
        triage.exit_code = exit::UNKNOWN;
        triage.summary.push_str(" Some of what was given could not be opened.");
    }
    triage
}
