//! `crypto-diag`: what reports of E2EE failures and a server's artefacts prove, on the command line.
//!
//! A thin shell: arguments in, files opened, text out. What is said comes from `crypto-diag-triage` and
//! `crypto-diag-analysis`, which the page uses as well.

mod args;
mod bag;
mod check;
mod collect;
mod compare;
mod exit;
mod given;
mod init;
mod inputs;
mod minimal;
mod output;
mod payload;
mod profile;
mod progress;
mod pseudonyms;
mod queries;
mod readme;
mod rows;
mod run;
mod services;
mod sources;
mod triage;
mod verify;

use std::process::ExitCode;

use args::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are errors to clap. Its own 2 for bad usage means something else here.
            let code = if error.use_stderr() { exit::UNUSABLE } else { exit::NOTHING_WRONG };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let done = match arguments.command {
        Command::Run(arguments) => run::run(*arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Reveal(arguments) => pseudonyms::reveal(&arguments),
        Command::Collect(arguments) => collect::run(*arguments),
        Command::Init(arguments) => init::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Triage(arguments) => triage::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Queries(arguments) => queries::run(&arguments),
        Command::Rows(arguments) => rows::rows(arguments),
        Command::Judge(arguments) => rows::judge(arguments),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(why) => {
            output::complain(&why);
            ExitCode::from(exit::UNUSABLE)
        }
    }
}
