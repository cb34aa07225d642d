//! `npm run worlds -- [--model keys|delayed|delivery|events|media] [--depth N] [--minutes M] [--seed S] [--mutants]`: looks for counter-histories of each
//! model, prints them as stories and keeps their files. With `--mutants`, it then looks among the same histories for some that catch
//! mutants of the rules that no kept history catches, and adds them to `crates/world/tests/witnesses`.
//!
//! `--export DIR [--seed S]` writes the public benchmark, `--answer DIR PROGRAM ANSWERS` the answers of a `crypto-diag` to it, and
//! `--score DIR ANSWERS` scores those of any program. `--next [--seed S]` measures whether an *unknown* asks for the right artefact.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crypto_diag_world::delayed::Delayed;
use crypto_diag_world::delivery::Delivery;
use crypto_diag_world::events::Events;
use crypto_diag_world::export::{self, BUNDLES, LABELS};
use crypto_diag_world::keys::Keys;
use crypto_diag_world::media::Media;
use crypto_diag_world::model::Model;
use crypto_diag_world::next;
use crypto_diag_world::score::{self, Answer, Answers};
use crypto_diag_world::search::mutants::{self, Witnesses};
use crypto_diag_world::search::{Bounds, Search, Told};
use serde_json::Value;

/// The models by the names that they are asked for by.
const MODELS: [&str; 5] = ["keys", "delayed", "delivery", "events", "media"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, otherwise: f64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let (depth, minutes) = (number("--depth", 6.0) as usize, number("--minutes", 2.0));
    let seed = number("--seed", 1.0) as u64;
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        Some(arguments[at + 1..].iter().map(String::as_str).collect::<Vec<_>>())
    };
    let done = if let Some(given) = after("--export") {
        Some(write_benchmark(&given, seed))
    } else if let Some(given) = after("--answer") {
        Some(answer(&given))
    } else if let Some(given) = after("--score") {
        Some(print_score(&given))
    } else {
        after("--next").map(|_| {
            print!("{}", next::measure(seed, next::WHOLE).markdown());
            Ok(())
        })
    };
    if let Some(done) = done {
        return done.map_or_else(
            |error| {
                eprintln!("{error}");
                ExitCode::from(2)
            },
            |()| ExitCode::SUCCESS,
        );
    }
    let time = Duration::from_secs_f64(minutes * 60.0);
    let at = arguments.iter().position(|argument| argument == "--model");
    let model = at.and_then(|at| arguments.get(at + 1)).map(String::as_str);
    let mutants = arguments.iter().any(|argument| argument == "--mutants");
    let asked = Asked { depth, seed, time: time / if model.is_some() { 1 } else { 5 }, mutants };
    if let Some(other) = model.filter(|model| !MODELS.contains(model)) {
        eprintln!("There is no model {other}. There are {}.", MODELS.join(", "));
        return ExitCode::from(2);
    }
    let mut found = 0;
    for name in MODELS.into_iter().filter(|name| model.is_none_or(|model| model == *name)) {
        found += match name {
            "keys" => search(name, Keys::SMALL, Keys::LARGE, asked),
            "delayed" => search(name, Delayed::SMALL, Delayed::LARGE, asked),
            "delivery" => search(name, Delivery::SMALL, Delivery::LARGE, asked),
            "events" => search(name, Events, Events, asked),
            _ => search(name, Media, Media, asked),
        };
    }
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write_benchmark(given: &[&str], seed: u64) -> Result<(), String> {
    let [folder, ..] = given else { return Err("Usage: --export DIR [--seed S]".to_owned()) };
    let bundles = export::labelled(seed, export::PUBLIC)?;
    export::write(Path::new(folder), seed, &bundles)?;
    println!("{} bundles in {folder}/{BUNDLES}, what is true of them in {folder}/{LABELS}", bundles.len());
    Ok(())
}

/// Lets a `crypto-diag` judge each bundle, and writes its answers in the benchmark's form.
fn answer(given: &[&str]) -> Result<(), String> {
    let [folder, program, to, ..] = given else { return Err("Usage: --answer DIR PROGRAM ANSWERS".to_owned()) };
    let bundles = Path::new(folder).join(BUNDLES);
    let mut answers = Answers::new();
    for entry in std::fs::read_dir(&bundles).map_err(|error| format!("{}: {error}", bundles.display()))? {
        let path = entry.map_err(|error| format!("{}: {error}", bundles.display()))?.path();
        let run = Command::new(program).args(["triage", "--format", "json"]).arg(&path).output();
        let run = run.map_err(|error| format!("{program}: {error}"))?;
        let triage = serde_json::from_slice(&run.stdout).map_err(|error| {
            let said = String::from_utf8_lossy(&run.stderr);
            format!("{program} gave no JSON of {}: {error}. {said}", path.display())
        })?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        answers.insert(name, Answer::of_triage(&triage));
    }
    std::fs::write(to, score::written("crypto-diag", &answers)).map_err(|error| format!("{to}: {error}"))
}

fn print_score(given: &[&str]) -> Result<(), String> {
    let [folder, answers, ..] = given else { return Err("Usage: --score DIR ANSWERS".to_owned()) };
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let labels = Path::new(folder).join(LABELS);
    let of = |path: &Path, error: String| format!("{}: {error}", path.display());
    let answers = Path::new(answers);
    let scored = score::score(
        &score::read_labels(&read(&labels)?).map_err(|error| of(&labels, error))?,
        &score::read_answers(&read(answers)?).map_err(|error| of(answers, error))?,
    )?;
    print!("{}", scored.table());
    Ok(())
}

/// How far a search is to go.
#[derive(Clone, Copy)]
struct Asked {
    depth: usize,
    seed: u64,
    /// For each model.
    time: Duration,
    mutants: bool,
}

/// Searches a model, within small bounds for all histories and within large ones by chance; how many counter-histories there are.
fn search<M: Model>(name: &str, small: M, large: M, asked: Asked) -> usize {
    let mut small = Search::new(small);
    exhaustive(&mut small, asked.depth, asked.time / 2);
    let mut found = show(&mut small);
    let mut large = Search::new(large);
    by_chance(&mut large, asked.seed, asked.time / 2);
    found += show(&mut large);
    if asked.mutants
        && let Err(error) = witnesses(name, &[&small, &large], asked)
    {
        eprintln!("Histories that catch mutants cannot be kept: {error}");
        return found + 1;
    }
    found
}

fn exhaustive<M: Model>(search: &mut Search<M>, depth: usize, time: Duration) {
    println!("{}, all histories", search.model.name());
    let begun = Instant::now();
    let bounds = Bounds { depth, quiet_depth: 3, distinct: usize::MAX, time };
    search.exhaustively(bounds, |search| {
        println!("  of {} steps: {}", search.depth, sums(search, begun));
    });
    println!("  {}", sums(search, begun));
    let nearby = search.look_nearby(time / 2);
    println!("  {nearby} histories that differ in one step leave the same files as one of which something is not told");
}

fn by_chance<M: Model>(search: &mut Search<M>, seed: u64, time: Duration) {
    println!("{}, histories of up to 60 steps by chance, seed {seed}", search.model.name());
    let begun = Instant::now();
    let walks = search.by_chance(seed, Bounds { depth: 60, quiet_depth: 60, distinct: usize::MAX, time });
    println!("  {walks} walks, {}", sums(search, begun));
}

/// Keeps histories that catch mutants of the rules which no kept one catches, and prints which mutants are left.
fn witnesses<M: Model>(name: &str, searches: &[&Search<M>; 2], asked: Asked) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/witnesses");
    let mut caught: Vec<String> = Vec::new();
    for model in MODELS {
        for line in std::fs::read_to_string(folder.join(format!("{model}.jsonl")))?.lines() {
            let witness: Value = serde_json::from_str(line)?;
            let catches = witness["catches"].as_array().into_iter().flatten().filter_map(Value::as_str);
            caught.extend(catches.map(str::to_owned));
        }
    }
    let mut left = mutants::all();
    let all = left.len();
    left.retain(|mutant| !caught.contains(&mutants::name(*mutant)));
    let before = left.len();
    let path = folder.join(format!("{name}.jsonl"));
    let known = std::fs::read_to_string(&path)?;
    let mut known: Witnesses<M> = known.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut file = OpenOptions::new().append(true).open(path)?;
    let mut keep = |found: &Witnesses<M>| -> std::io::Result<()> {
        found.iter().try_for_each(|witness| writeln!(file, "{}", serde_json::to_string(witness)?))
    };
    for search in searches {
        let found = search.witnesses(&mut left);
        keep(&found)?;
        known.extend(found);
    }
    keep(&searches[1].witnesses_near(&known, &mut left, (asked.seed, asked.time)))?;
    println!("\n{name}: {} of {all} mutants are caught, {} of them newly", all - left.len(), before - left.len());
    for mutant in left {
        println!("  not caught: {}", mutants::name(mutant));
    }
    Ok(())
}

fn shares(told: Told) -> String {
    format!("told {} of {} that can be told; {} undecidable", told.is, told.can_be, told.undecidable)
}

fn sums<M: Model>(search: &Search<M>, begun: Instant) -> String {
    format!(
        "{} states, {} histories and views judged, {} distinct sets of files, {:.0} s",
        search.states,
        search.judged,
        search.judge.distinct(),
        begun.elapsed().as_secs_f64()
    )
}

/// Prints what was found; how many counter-histories there are.
fn show<M: Model>(search: &mut Search<M>) -> usize {
    let by_artefacts = search.completeness();
    for (name, told) in search.completeness_of_all() {
        println!("  {name}: {}", shares(told));
        for ((_, artefacts), told) in by_artefacts.iter().filter(|((of, _), _)| *of == name) {
            println!("      {artefacts}: {}", shares(*told));
        }
    }
    search.shrink_all();
    let mut found = 0;
    for ((name, word), counters) in &search.counters {
        println!("\n{name}, falsely {}: {} histories and views", word.text(), search.counts[&(name.clone(), *word)]);
        for (number, counter) in counters.iter().enumerate() {
            found += 1;
            println!("\n{}", search.story(counter));
            let folder = PathBuf::from("target/worlds").join(search.model.name().replace(' ', "-")).join(format!(
                "{name}-{}-{}",
                word.text(),
                number + 1
            ));
            let written = std::fs::create_dir_all(&folder).and_then(|()| {
                std::fs::write(folder.join("STORY.txt"), search.story(counter))?;
                search.files(counter).iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
            });
            match written {
                Ok(()) => println!("  files: {}", folder.display()),
                Err(error) => println!("  files cannot be kept in {}: {error}", folder.display()),
            }
        }
    }
    found
}
