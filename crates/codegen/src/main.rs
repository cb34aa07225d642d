//! Writes what JavaScript and the docs need to know of the Rust types: `crypto-diag-codegen OUT_DIR DOCS_DIR CONSOLES_DIR`.
//!
//! - `facts.js`: the prefilter, chosen by what recorded consoles (`*.jsonl`) say, the names of the classes, an empty report;
//! - `invisible.js`: the characters that nobody sees, for the triage page;
//! - `report.schema.json`, `triage.schema.json`, `analysis-types.schema.json`: JSON Schemas of the report, of an answer and of what
//!   `crypto-diag/analysis` gives, from which the TypeScript types are made;
//! - `signatures.md` and `rules.md`, among the docs: the table of signatures, and what proves what.

mod prefilter;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

use crypto_diag_analysis::queries::Printed;
use crypto_diag_core::{INVISIBLE, Ke, Meaning, Report, RequestRoute, SIGNATURES, classify, signatures_markdown};
use crypto_diag_triage::Triage;
use crypto_diag_triage::analysis::Analysis;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let mut folders = env::args_os().skip(1);
    let (Some(out), Some(docs), Some(consoles)) = (folders.next(), folders.next(), folders.next()) else {
        eprintln!("usage: crypto-diag-codegen OUT_DIR DOCS_DIR CONSOLES_DIR");
        return ExitCode::from(2);
    };
    let (out, docs, consoles) = (Path::new(&out), Path::new(&docs), Path::new(&consoles));
    match write_all(out, consoles).and_then(|()| write_docs(docs)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let folders = [out, docs, consoles].map(|folder| folder.display().to_string());
            eprintln!("crypto-diag-codegen: {}: {error}", folders.join(" or "));
            ExitCode::FAILURE
        }
    }
}

fn write_all(out: &Path, consoles: &Path) -> io::Result<()> {
    fs::create_dir_all(out)?;
    fs::write(out.join("facts.js"), facts(&quiet_lines(consoles)?)?)?;
    fs::write(out.join("invisible.js"), invisible())?;
    write_schema::<Report>(&out.join("report.schema.json"))?;
    write_schema::<Triage>(&out.join("triage.schema.json"))?;
    write_schema::<AnalysisTypes>(&out.join("analysis-types.schema.json"))
}

/// What the functions of `crypto-diag/analysis` give.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its shape is wanted")]
struct AnalysisTypes {
    analysis: Analysis,
    queries: Printed,
}

fn write_schema<T: JsonSchema>(path: &Path) -> io::Result<()> {
    let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    fs::write(path, serde_json::to_string_pretty(&schema)? + "\n")
}

fn write_docs(docs: &Path) -> io::Result<()> {
    fs::write(docs.join("signatures.md"), signatures_markdown())?;
    fs::write(docs.join("rules.md"), crypto_diag_triage::rules::markdown())
}

/// The recorded lines in which no signature stands, of the methods that the page hooks: what it prints most of the time.
fn quiet_lines(consoles: &Path) -> io::Result<Vec<String>> {
    let mut files: Vec<_> = fs::read_dir(consoles)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let mut lines = Vec::new();
    for file in files {
        for line in fs::read_to_string(file)?.lines() {
            let call: Value = serde_json::from_str(line)?;
            if call["level"] != "warn" && call["level"] != "error" {
                continue;
            }
            let words = call["args"].as_array().into_iter().flatten();
            let words: Vec<_> = words.map(|word| word.as_str().map_or(word.to_string(), str::to_owned)).collect();
            lines.push(words.join(" "));
        }
    }
    lines.retain(|line| classify(line).is_none());
    Ok(lines)
}

/// The JavaScript module of constants.
fn facts(quiet: &[String]) -> io::Result<String> {
    let needles: Vec<_> = SIGNATURES.iter().map(|row| row.needle).collect();
    let literals = prefilter::cheapest(&needles, quiet);
    let constants = [
        ("PREFILTER", literals.iter().map(|one| one.literal).collect()),
        ("NEEDLES", literals.iter().map(|one| json!(one.needles)).collect()),
        ("KES", json!(Ke::ALL.map(Ke::id))),
        ("MEANINGS", json!(Meaning::ALL.map(Meaning::word))),
        ("ROUTES", RequestRoute::ALL.iter().map(|route| route.template()).collect()),
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
