//! Deflates a file as small as it gets, raw (RFC 1951): `deflate IN OUT`. A build does it once, and every page loads less.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use zopfli::{Format, Options};

fn main() -> ExitCode {
    let mut files = env::args_os().skip(1);
    let (Some(from), Some(to)) = (files.next(), files.next()) else {
        eprintln!("usage: deflate IN OUT");
        return ExitCode::from(2);
    };
    let (from, to) = (Path::new(&from), Path::new(&to));
    match deflate(from, to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deflate: {} or {}: {error}", from.display(), to.display());
            ExitCode::FAILURE
        }
    }
}

fn deflate(from: &Path, to: &Path) -> io::Result<()> {
    let mut packed = Vec::new();
    zopfli::compress(Options::default(), Format::Deflate, fs::File::open(from)?, &mut packed)?;
    fs::write(to, packed)
}
