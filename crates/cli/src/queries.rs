//! `crypto-diag queries`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crypto_diag_analysis::queries::PREAMBLE;
use crypto_diag_analysis::{QueryOptions, Report, server_queries};
use crypto_diag_triage::intake;

use crate::args::QueriesArguments;
use crate::{exit, output};

/// Prints what to ask the server, report by report. A report that cannot be read does not keep others from being asked
/// about.
///
/// # Errors
/// In words, if nothing could be written.
pub fn run(arguments: &QueriesArguments) -> Result<u8, String> {
    let mut options = QueryOptions::default();
    if let Some(log) = &arguments.log {
        options.log.clone_from(log);
    }
    let mut code = exit::NOTHING_WRONG;
    let mut first = true;
    for path in &arguments.reports {
        let queries = match read(path) {
            Ok(report) => server_queries(&report, &options),
            Err(why) => {
                output::complain(&format!("{}: {why}", path.display()));
                code = exit::UNUSABLE;
                continue;
            }
        };
        let text = if arguments.markdown { queries.to_markdown() } else { queries.to_text() };
        // What to know before asking is said once.
        output::print(if first { &text } else { text.strip_prefix(PREAMBLE).unwrap_or(&text) })?;
        first = false;
        if queries.queries.is_empty() {
            output::complain(&format!("{}: it holds no failure that a server could tell more of", path.display()));
        }
    }
    Ok(code)
}

fn read(path: &Path) -> Result<Report, String> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|e| e.to_string())?)
    };
    let text = intake::document(input).map_err(|error| error.to_string())?;
    Report::from_json(&text).map_err(|error| error.to_string())
}
