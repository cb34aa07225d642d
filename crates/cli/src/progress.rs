//! How far it is. On a terminal only: nothing is drawn into a file or a pipe.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex};

use crypto_diag_core::{showable, visible_line};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, over bytes.
#[derive(Clone, Debug)]
pub struct Bar {
    bar: ProgressBar,
    noted: Arc<Mutex<BTreeSet<String>>>,
}

impl Bar {
    /// An empty bar.
    pub fn new() -> Bar {
        let is_terminal = io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes} {wide_msg}") {
            bar.set_style(style);
        }
        Bar { bar, noted: Arc::default() }
    }

    /// So many bytes more are to come.
    pub fn expect(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    /// So many bytes more were read.
    pub fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// What it is at. The name may be hostile.
    pub fn at(&self, name: &str) {
        self.bar.set_message(visible_line(&showable(name)).chars().take(60).collect::<String>());
    }

    /// Whether a person was told that already.
    pub fn has_noted(&self, text: &str) -> bool {
        self.noted.lock().is_ok_and(|noted| noted.contains(&showable(text)))
    }

    /// Leaves the terminal as it was.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl crypto_diag_collect::Progress for Bar {
    fn file_started(&self, name: &str, size: Option<u64>) {
        self.expect(size.unwrap_or(0));
        self.at(name);
    }

    fn bytes_read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn note(&self, text: &str) {
        self.bar.println(format!("crypto-diag: {}", showable(text)));
        if let Ok(mut noted) = self.noted.lock() {
            noted.insert(showable(text));
        }
    }
}
