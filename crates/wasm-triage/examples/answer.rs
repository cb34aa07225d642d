//! `cargo run -p crypto-diag-wasm-triage --example answer -- json NAME=FILE…`: what the page would say to these files,
//! computed natively. The page's tests compare.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use crypto_diag_triage::render;
use crypto_diag_wasm_triage::session::{self, Source};

struct OnDisk {
    name: String,
    path: String,
}

impl Source for OnDisk {
    type Input = File;

    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let format = arguments.next().unwrap_or_default();
    let sources: Vec<OnDisk> = arguments
        .map(|argument| match argument.split_once('=') {
            Some((name, path)) => OnDisk { name: name.to_owned(), path: path.to_owned() },
            None => OnDisk { name: argument.clone(), path: argument },
        })
        .collect();
    let (_, triage) = session::run(&sources, None, &mut |_, _| {});
    let text = match format.as_str() {
        "json" => render::json(&triage).unwrap_or_default(),
        "html" => render::html(&triage),
        "markdown" => render::markdown(&triage),
        _ => {
            eprintln!("answer json|html|markdown NAME=FILE…");
            return ExitCode::from(2);
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
