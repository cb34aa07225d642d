//! `crypto-diag triage`.

use crypto_diag_core::Clean;
use crypto_diag_triage::bundle::Bundle;
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
    let (_, triage) = judge(Inputs::find(&arguments.inputs), arguments.zone);
    let by_ending = arguments.output.as_deref().and_then(Format::of_file);
    let text = written(&triage, arguments.format.or(by_ending).unwrap_or(Format::Text))?;
    match &arguments.output {
        Some(path) => {
            output::write_new(path, &text)?;
            output::print(&format!("{}\n", triage.summary))?;
        }
        None => output::print(&text)?,
    }
    Ok(triage.exit_code)
}

/// An answer in a format.
///
/// # Errors
/// In words; none in practice.
pub fn written(triage: &Triage, format: Format) -> Result<Clean, String> {
    let text = match format {
        Format::Text => Ok(render::text(triage)),
        Format::Markdown => Ok(render::markdown(triage)),
        Format::Html => Ok(render::html(triage)),
        Format::Svg => Ok(render::svg(triage)),
        Format::Json => render::json(triage),
        Format::Sarif => render::sarif(triage),
    };
    text.map_err(|error| format!("the answer cannot be written: {error}"))
}

/// What files prove. `zone`: minutes ahead of UTC, where a log's times have no zone.
pub fn judge(inputs: Inputs, zone: Option<i32>) -> (Bundle, Triage) {
    let progress = Bar::new();
    progress.expect(inputs.bytes);
    let sources = &inputs.list;
    let judged = intake::run(sources, inputs.problems, zone, &mut |index, step| {
        if step == Step::Begun {
            progress.at(sources[index].name());
            sources[index].bar.set(Some(progress.clone()));
        }
    });
    progress.end();
    judged
}
