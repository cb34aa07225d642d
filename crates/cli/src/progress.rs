//! How far it is. On a terminal only: nothing is drawn into a file or a pipe.

use std::io::{self, IsTerminal, Read};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error, over bytes.
#[derive(Clone, Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// An empty bar.
    pub fn new() -> Bar {
        let is_terminal = io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes} {wide_msg}") {
            bar.set_style(style);
        }
        Bar(bar)
    }

    /// So many bytes more are to come.
    pub fn expect(&self, bytes: u64) {
        self.0.inc_length(bytes);
    }

    /// Counts what is read.
    pub fn of<R: Read + Send + 'static>(&self, input: R) -> impl Read + Send + use<R> {
        self.0.wrap_read(input)
    }

    /// What it is at. The name may be hostile.
    pub fn at(&self, name: &str) {
        self.0.set_message(shown(name).chars().take(60).collect::<String>());
    }

    /// Leaves the terminal as it was.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl crypto_diag_collect::Progress for Bar {
    fn file_started(&self, name: &str, size: Option<u64>) {
        self.expect(size.unwrap_or(0));
        self.at(name);
    }

    fn bytes_read(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    fn note(&self, text: &str) {
        self.0.println(shown(text));
    }
}

/// Without what a terminal acts upon.
fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).collect()
}
