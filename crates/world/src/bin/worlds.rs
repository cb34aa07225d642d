//! `npm run worlds -- [--model keys|delayed|delivery|events|media] [--depth N] [--minutes M] [--seed S] [--mutants]`: looks for counter-histories of each
//! model, prints them as stories and keeps their files. With `--mutants`, it then tries rules of which one premise is changed on the histories that were found.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crypto_diag_triage::Mutation;
use crypto_diag_world::delayed::Delayed;
use crypto_diag_world::delivery::Delivery;
use crypto_diag_world::events::Events;
use crypto_diag_world::keys::Keys;
use crypto_diag_world::media::Media;
use crypto_diag_world::search::{Bounds, Model, Search, Told};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, otherwise: f64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let (depth, minutes) = (number("--depth", 6.0) as usize, number("--minutes", 2.0));
    let seed = number("--seed", 1.0) as u64;
    let time = Duration::from_secs_f64(minutes * 60.0);
    let at = arguments.iter().position(|argument| argument == "--model");
    let model = at.and_then(|at| arguments.get(at + 1)).map(String::as_str);
    let mutants = arguments.iter().any(|argument| argument == "--mutants");
    let asked = Asked { depth, seed, time: time / if model.is_some() { 1 } else { 5 }, mutants };
    let found = match model {
        Some("keys") => search(Keys::SMALL, Keys::LARGE, asked),
        Some("delayed") => search(Delayed::SMALL, Delayed::LARGE, asked),
        Some("delivery") => search(Delivery::SMALL, Delivery::LARGE, asked),
        Some("events") => search(Events, Events, asked),
        Some("media") => search(Media, Media, asked),
        None => {
            search(Keys::SMALL, Keys::LARGE, asked)
                + search(Delayed::SMALL, Delayed::LARGE, asked)
                + search(Delivery::SMALL, Delivery::LARGE, asked)
                + search(Events, Events, asked)
                + search(Media, Media, asked)
        }
        Some(other) => {
            eprintln!("There is no model {other}. There are keys, delayed, delivery, events and media.");
            return ExitCode::from(2);
        }
    };
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
fn search<M: Model>(small: M, large: M, asked: Asked) -> usize {
    let mut small = Search::new(small);
    exhaustive(&mut small, asked.depth, asked.time / 2);
    let mut found = show(&mut small);
    let mut large = Search::new(large);
    by_chance(&mut large, asked.seed, asked.time / 2);
    found += show(&mut large);
    if asked.mutants {
        mutants(&[&small, &large]);
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
}

fn by_chance<M: Model>(search: &mut Search<M>, seed: u64, time: Duration) {
    println!("{}, histories of up to 60 steps by chance, seed {seed}", search.model.name());
    let begun = Instant::now();
    let walks = search.by_chance(seed, Bounds { depth: 60, quiet_depth: 60, distinct: usize::MAX, time });
    println!("  {walks} walks, {}", sums(search, begun));
}

/// Prints which mutants of the rules no history of either search tells from the rules.
fn mutants<M: Model>(searches: &[&Search<M>]) {
    let found: Vec<_> = searches.iter().map(|search| search.mutants()).collect();
    let is_caught = |mutation| found.iter().any(|mutants| mutants.caught.contains(mutation));
    let mut all: Vec<Mutation> = Vec::new();
    for mutation in found.iter().flat_map(|mutants| mutants.caught.iter().chain(&mutants.survived)) {
        if !all.contains(mutation) {
            all.push(*mutation);
        }
    }
    let survived: Vec<&Mutation> = all.iter().filter(|mutation| !is_caught(mutation)).collect();
    println!("\n{}: {} of {} mutants caught", searches[0].model.name(), all.len() - survived.len(), all.len());
    for mutation in survived {
        println!("  not caught: {mutation:?}");
    }
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
