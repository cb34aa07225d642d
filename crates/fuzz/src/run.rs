//! The loop: break an input, give it to the target, look where it led.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fastrand::Rng;

use crate::mutate::mutate;
use crate::seeds::{SEED_BYTES_MAX, Seeds, root};

/// Inputs that are kept because they led somewhere new, at most.
const CORPUS_MAX: usize = 4_000;

/// A target that has not answered after this long hangs. Answers take milliseconds.
const HANGS_AFTER: Duration = Duration::from_secs(60);

/// Where an input led, in so far as the target can tell: inputs that lead to the same are of one kind.
#[derive(Debug, Default)]
pub struct Reached(DefaultHasher);

impl Reached {
    /// Adds something that tells kinds of inputs apart.
    #[must_use]
    pub fn by(mut self, what: impl Hash) -> Self {
        what.hash(&mut self.0);
        self
    }

    /// Adds a message without its numbers and quoted parts, which differ with every input.
    #[must_use]
    pub fn message(mut self, text: &str) -> Self {
        let words = text.split(|character: char| !character.is_ascii_lowercase());
        words.filter(|word| word.len() > 2).take(8).for_each(|word| word.hash(&mut self.0));
        self
    }

    /// Adds how many there are, roughly.
    #[must_use]
    pub fn about(self, count: usize) -> Self {
        self.by(count.checked_ilog2())
    }
}

/// Runs a target on broken forms of its seeds for `FUZZ_SECONDS`.
///
/// # Panics
/// With what the target panicked with; the input is then in `target/fuzz`, and the message says how to try it again.
pub fn fuzz(name: &str, seeds: Seeds, words: &[&str], target: fn(&[u8]) -> Reached) {
    let name = name.to_owned();
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let (tries, over) = mpsc::channel();
    let (watched, started) = mpsc::channel::<Vec<u8>>();
    let title = name.clone();
    let worker = std::thread::spawn(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let count = run(&name, seeds.inputs, &words, target, &watched);
        let _ = tries.send(count);
        count
    });
    // The last input that was begun; a new one shows that the one before came to an end.
    let mut current = Vec::new();
    let mut since = Instant::now();
    loop {
        match over.recv_timeout(Duration::from_millis(200)) {
            Ok(_) | Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if let Some(input) = started.try_iter().last() {
                    (current, since) = (input, Instant::now());
                } else if since.elapsed() > HANGS_AFTER && !current.is_empty() {
                    panic!("no answer in {} s; {}", HANGS_AFTER.as_secs(), keep(&title, &current));
                }
            }
        }
    }
    match worker.join() {
        Ok(count) => println!("{title}: {count} inputs"),
        Err(panic) => resume_unwind(panic),
    }
}

fn run(
    name: &str,
    mut corpus: Vec<Vec<u8>>,
    words: &[&str],
    target: fn(&[u8]) -> Reached,
    watched: &mpsc::Sender<Vec<u8>>,
) -> u64 {
    if let Ok(path) = std::env::var("FUZZ_INPUT") {
        let input = fs::read(&path).unwrap_or_else(|error| panic!("FUZZ_INPUT {path}: {error}"));
        target(&input);
        return 1;
    }
    assert!(!corpus.is_empty(), "{name} has no seeds");
    let seconds = std::env::var("FUZZ_SECONDS").map_or(1.0, |text| {
        text.parse().unwrap_or_else(|error| panic!("FUZZ_SECONDS is a number of seconds, not {text}: {error}"))
    });
    let mut rng = Rng::with_seed(first_number());
    let mut seen = HashSet::new();
    let mut count = 0;
    for input in corpus.iter().filter(|input| input.len() <= SEED_BYTES_MAX) {
        seen.insert(attempt(name, input, target, watched));
        count += 1;
    }
    let begin = Instant::now();
    while begin.elapsed().as_secs_f64() < seconds {
        let (one, two) = (rng.usize(..corpus.len()), rng.usize(..corpus.len()));
        let (from, other) = (part(&mut rng, &corpus[one]), part(&mut rng, &corpus[two]));
        let input = mutate(&mut rng, &corpus[one][from], words, &corpus[two][other]);
        let reached = attempt(name, &input, target, watched);
        count += 1;
        if corpus.len() < CORPUS_MAX && input.len() <= SEED_BYTES_MAX && seen.insert(reached) {
            corpus.push(input);
        }
    }
    count
}

fn attempt(name: &str, input: &[u8], target: fn(&[u8]) -> Reached, watched: &mpsc::Sender<Vec<u8>>) -> u64 {
    let _ = watched.send(input.to_vec());
    match catch_unwind(AssertUnwindSafe(|| target(input))) {
        Ok(reached) => reached.0.finish(),
        Err(panic) => {
            eprintln!("{}", keep(name, input));
            resume_unwind(panic)
        }
    }
}

/// Of a long text a part that begins and ends with a line: whole logs would take seconds at each try.
fn part(rng: &mut Rng, input: &[u8]) -> std::ops::Range<usize> {
    if input.len() <= SEED_BYTES_MAX {
        return 0..input.len();
    }
    let begin = rng.usize(..input.len() - SEED_BYTES_MAX / 8);
    let from = input[begin..].iter().position(|byte| *byte == b'\n').map_or(begin, |found| begin + found + 1);
    from..(from + SEED_BYTES_MAX / 8).min(input.len())
}

fn first_number() -> u64 {
    match std::env::var("FUZZ_SEED").as_deref() {
        Err(_) => 0,
        Ok("clock") => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64);
            eprintln!("FUZZ_SEED={now}");
            now
        }
        Ok(text) => {
            text.parse().unwrap_or_else(|error| panic!("FUZZ_SEED is a number or `clock`, not {text}: {error}"))
        }
    }
}

/// Writes an input down. Says where, and how to try it again.
fn keep(name: &str, input: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let folder = root().join("target/fuzz");
    let path: PathBuf = folder.join(format!("{name}-{:016x}", hasher.finish()));
    match fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input)) {
        Ok(()) => format!(
            "this input broke it: {path}\n  again: FUZZ_INPUT={path} cargo test -p crypto-diag-fuzz {name}\n  \
             once it is mended, keep it: mv it to crates/fuzz/seeds/{name}/",
            path = path.display()
        ),
        Err(error) => format!("the input that broke it could not be written to {}: {error}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a byte that nobody expected")]
    fn what_breaks_a_target_is_found() {
        fuzz("self_test", Seeds::default().text("seed"), &[], |bytes| {
            assert!(!bytes.contains(&0xff), "a byte that nobody expected");
            Reached::default()
        });
    }

    #[test]
    fn an_input_that_leads_elsewhere_is_broken_further() {
        // Four words in a row are out of reach of one mutation, but not of one that begins where another ended.
        let words = ["alpha", "beta", "gamma", "delta"];
        static FOUND: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        fuzz("self_test_depth", Seeds::default().text("-"), &words, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let depth = ["alpha", "alphabeta", "alphabetagamma", "alphabetagammadelta"]
                .iter()
                .filter(|words| text.contains(**words))
                .count();
            FOUND.fetch_max(depth, std::sync::atomic::Ordering::Relaxed);
            Reached::default().by(depth)
        });
        assert_eq!(FOUND.load(std::sync::atomic::Ordering::Relaxed), 4);
    }
}
