//! Parses each line of standard input as JSON and does nothing else. `npm run bench:fleet` compares `crypto-diag rows` with it.

use std::io::{self, BufRead};

use serde_json::Value;

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    let mut read = 0_u64;
    while input.read_until(b'\n', &mut line)? > 0 {
        let value: Value = serde_json::from_slice(&line)?;
        read += u64::from(value.is_object());
        line.clear();
    }
    println!("{read}");
    Ok(())
}
