//! Writes the man pages and the shells' completions of a release, out of the definition that `--help` comes from. It is an example, so that
//! the program itself carries none of it.

#[allow(dead_code, missing_docs)]
#[path = "../src/args.rs"]
mod args;

use std::error::Error;
use std::fs;
use std::path::Path;

use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;

/// Into the folder that is named: `man/*.1`, a page for each command, and `completions/*`, a file for each shell.
fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("Usage: reference FOLDER")?;
    let (man, completions) = (Path::new(&out).join("man"), Path::new(&out).join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    // `help` says nothing that its own page would not.
    let mut command = args::Arguments::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command.clone(), man)?;
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command, "crypto-diag", &completions)?;
    }
    Ok(())
}
