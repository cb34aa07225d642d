//! `crypto-diag triage`.

use crypto_diag_triage::intake::{self, Source, Step};
use crypto_diag_triage::{Triage, render};

use crate::args::{Format, TriageArguments};
use crate::inputs::Inputs;
use crate::output;
use crate::progress::Bar;

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
    let inputs = Inputs::find(&arguments.inputs);
    let progress = Bar::new();
    progress.expect(inputs.bytes);
    let sources = &inputs.list;
    let (_, triage) = intake::run(sources, inputs.problems, arguments.zone, &mut |index, step| {
        if step == Step::Begun {
            progress.at(sources[index].name());
            sources[index].bar.set(Some(progress.clone()));
        }
    });
    progress.end();
    triage
}
