//! `crypto-diag queries`.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crypto_diag_analysis::queries::PREAMBLE;
use crypto_diag_analysis::queries::quote;
use crypto_diag_analysis::{QueryOptions, Report, server_queries};
use crypto_diag_server_log::synapse::levels;
use crypto_diag_triage::unpack;

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
    let mut is_asked = false;
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
        is_asked |= !queries.queries.is_empty();
        if queries.queries.is_empty() {
            output::complain(&format!("{}: it holds no failure that a server could tell more of", path.display()));
        }
    }
    if is_asked {
        output::print(&log_levels(&options.log, arguments.markdown))?;
    }
    Ok(code)
}

/// How to have Synapse print more during a call, how to end that, and how to see that it has ended.
fn log_levels(log: &str, is_markdown: bool) -> String {
    let check = quote::shell(log).map_or_else(|_| "LOG".to_owned(), |log| levels::check_command(&log));
    let reload = format!("{}   # in a container: {}\n", levels::RELOAD_COMMAND, levels::RELOAD_CONTAINER_COMMAND);
    let steps = [
        (
            "Raise it before the call, in the file that log_config of homeserver.yaml names, below its `loggers:`.",
            "yaml",
            levels::yaml(true),
        ),
        ("Make Synapse read that file. Every worker is a process with a log of its own.", "sh", reload.clone()),
        (
            "Go back after the call: say INFO. To take the entry out is not enough, since Python leaves a logger as it was that \
             the file does not name.",
            "yaml",
            levels::yaml(false),
        ),
        ("Make Synapse read that as well.", "sh", reload),
        ("See that it is back, some messages later: 0, in the log of each process.", "sh", check + "\n"),
    ];
    let title = format!("Log levels, for to-device messages with their ids ({})", levels::TO_DEVICE_LOGGER);
    let mut text = if is_markdown { format!("\n### {title}\n") } else { format!("\n# {title}\n") };
    for (number, (what, language, body)) in (1..).zip(steps) {
        text.push_str(&match is_markdown {
            true => format!("\n{number}. {what}\n\n```{language}\n{body}```\n"),
            false => format!("# {number}. {what}\n{body}"),
        });
    }
    text
}

fn read(path: &Path) -> Result<Report, String> {
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|e| e.to_string())?)
    };
    let text = unpack::document(input).map_err(|error| error.to_string())?;
    Report::from_json(&text).map_err(|error| error.to_string())
}
