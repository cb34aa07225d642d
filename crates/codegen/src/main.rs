//! Writes what JavaScript and the docs need to know of the Rust types: `crypto-diag-codegen OUT_DIR DOCS_DIR`.
//!
//! - `facts.js`: the prefilter's words, the names of the classes, an empty report;
//! - `invisible.js`: the characters that nobody sees, for the triage page;
//! - `report.schema.json`: JSON Schema of the report, from which the TypeScript types are made;
//! - `signatures.md`, among the docs: the table of signatures.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use crypto_diag_core::{INVISIBLE, Ke, Meaning, Report, prefilter, signatures_markdown};
use schemars::generate::SchemaSettings;
use serde_json::json;

fn main() -> ExitCode {
    let mut folders = env::args_os().skip(1);
    let (Some(out), Some(docs)) = (folders.next(), folders.next()) else {
        eprintln!("usage: crypto-diag-codegen OUT_DIR DOCS_DIR");
        return ExitCode::from(2);
    };
    let (out, docs) = (Path::new(&out), Path::new(&docs));
    match write_all(out).and_then(|()| fs::write(docs.join("signatures.md"), signatures_markdown())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crypto-diag-codegen: {} or {}: {error}", out.display(), docs.display());
            ExitCode::FAILURE
        }
    }
}

fn write_all(out: &Path) -> io::Result<()> {
    fs::create_dir_all(out)?;
    fs::write(out.join("facts.js"), facts()?)?;
    fs::write(out.join("invisible.js"), invisible())?;
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>();
    fs::write(out.join("report.schema.json"), serde_json::to_string_pretty(&schema)? + "\n")
}

/// The JavaScript module of constants.
fn facts() -> io::Result<String> {
    let classes: Vec<_> = Ke::ALL
        .iter()
        .flat_map(|ke| Meaning::ALL.iter().map(move |meaning| json!([ke.id(), meaning.word()])))
        .collect();
    let constants = [
        ("PREFILTER", json!(prefilter())),
        ("KES", json!(Ke::ALL.map(Ke::id))),
        ("MEANINGS", json!(Meaning::ALL.map(Meaning::word))),
        ("CLASSES", json!(classes)),
        // Text, not an object: each report made without the core starts from a fresh copy.
        ("EMPTY_REPORT", json!(serde_json::to_string(&Report::default())?)),
    ];
    let mut module = String::from("// Generated from the Rust types; see crates/codegen.\n");
    for (name, value) in constants {
        module.push_str(&format!("export const {name} = {value};\n"));
    }
    Ok(module)
}

/// The ranges of invisible characters, as a module.
fn invisible() -> String {
    let ranges: Vec<_> = INVISIBLE.iter().map(|(first, last)| [u32::from(*first), u32::from(*last)]).collect();
    format!("// Generated from the Rust types; see crates/codegen.\nexport const INVISIBLE = {};\n", json!(ranges))
}
