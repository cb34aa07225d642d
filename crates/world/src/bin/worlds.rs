//! `npm run worlds -- [--depth N] [--minutes M]`: looks for counter-histories, prints them as stories and keeps their files.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crypto_diag_world::keys::Keys;
use crypto_diag_world::search::{Bounds, Model, Search};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, otherwise: f64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let (depth, minutes) = (number("--depth", 6.0) as usize, number("--minutes", 2.0));
    let seed = number("--seed", 1.0) as u64;
    let found = run(Keys, depth, Duration::from_secs_f64(minutes * 60.0), seed);
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Half of the time exhaustively, half of it by chance; how many counter-histories there are.
fn run<M: Model>(model: M, depth: usize, time: Duration, seed: u64) -> usize {
    let begun = Instant::now();
    let mut search = Search::new(model);
    println!("{}", search.model.name());
    let bounds = Bounds { depth, distinct: usize::MAX, time: time / 2 };
    search.exhaustively(bounds, |search| {
        println!(
            "  all histories of {} steps; {} sets of files judged; {:.0} s",
            search.depth,
            search.judge.distinct(),
            begun.elapsed().as_secs_f64()
        );
    });
    let exhaustive = search.depth;
    let walks = search.by_chance(seed, Bounds { depth: 60, distinct: usize::MAX, time: time.saturating_sub(begun.elapsed()) });
    println!(
        "  {} states, {} histories and views, {} distinct sets of files, exhaustive to {exhaustive} steps, {walks} walks, {:.0} s",
        search.states,
        search.judged,
        search.judge.distinct(),
        begun.elapsed().as_secs_f64()
    );
    for (name, told) in search.completeness() {
        println!("  {name}: told {} of {} that can be told; {} undecidable", told.is, told.can_be, told.undecidable);
    }
    for ((name, word), counter) in &search.counters {
        println!("\n{}", search.story(counter));
        println!("  {} such histories and views", search.counts[&(name.clone(), *word)]);
        let folder = PathBuf::from("target/worlds").join(format!("{name}-{}", word.text()));
        let written = std::fs::create_dir_all(&folder).and_then(|()| {
            std::fs::write(folder.join("STORY.txt"), search.story(counter))?;
            search.files(counter).iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
        });
        match written {
            Ok(()) => println!("  files: {}", folder.display()),
            Err(error) => println!("  files cannot be kept in {}: {error}", folder.display()),
        }
    }
    search.counters.len()
}
