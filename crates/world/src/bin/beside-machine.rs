//! `beside-machine [--seed S] [--histories N] [--minutes M]` runs histories by chance in the model and on the real crypto library, up to that
//! number or that time. The program that starts this one has the library (tests/machine). Each request to it is a line of JSON on standard
//! output, and each answer a line on standard input. The last line says what was compared, or where the two differ.

use std::io::{BufRead, Write, stdin, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crypto_diag_world::keys::machine::{Compared, Machine, any_history, compare, story};
use crypto_diag_world::model::Chance;
use serde_json::{Value, json};

/// Steps of a history at most.
const LENGTH: usize = 40;

struct Starter;

impl Machine for Starter {
    fn ask(&mut self, what: &Value) -> Result<Value, String> {
        say(what);
        let mut line = String::new();
        stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
        let answer: Value = serde_json::from_str(&line).map_err(|error| format!("{line:?} is no answer: {error}"))?;
        match answer["error"].as_str() {
            Some(error) => Err(format!("{what} failed: {error}")),
            None => Ok(answer),
        }
    }
}

fn say(line: &Value) {
    let mut out = stdout().lock();
    // If the other program has gone, reading its answer fails.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, otherwise: f64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let time = Duration::from_secs_f64(number("--minutes", 60.0) * 60.0);
    let histories = number("--histories", f64::MAX);
    let mut chance = Chance::new(number("--seed", 1.0) as u64);
    let (begun, mut count, mut compared) = (Instant::now(), 0_u32, Compared::default());
    while begun.elapsed() < time && f64::from(count) < histories {
        let path = any_history(&mut chance, LENGTH);
        match compare(&mut Starter, &path) {
            Ok(one) => compared.add(one),
            Err(_) => {
                say(&json!({"differs": story(&mut Starter, &path)}));
                return ExitCode::FAILURE;
            }
        }
        count += 1;
    }
    let Compared { steps, uploads, refusals, opened, unopened } = compared;
    say(&json!({"alike": {"histories": count, "steps": steps, "uploads": uploads, "refusals": refusals,
                          "opened": opened, "unopened": unopened}}));
    ExitCode::SUCCESS
}
