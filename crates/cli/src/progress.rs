//! How far it is. On a terminal only: nothing is drawn into a file or a pipe.

use std::io::{self, IsTerminal, Read};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar over that many bytes.
    pub fn new(bytes: u64) -> Progress {
        let target = if io::stderr().is_terminal() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(bytes), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {bytes}/{total_bytes} {wide_msg}") {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// Counts what is read.
    pub fn of<R: Read + Send + 'static>(&self, input: R) -> impl Read + Send + use<R> {
        self.0.wrap_read(input)
    }

    /// What it is at. The name may be hostile.
    pub fn at(&self, name: &str) {
        self.0.set_message(name.chars().filter(|character| !character.is_control()).take(60).collect::<String>());
    }

    /// Leaves the terminal as it was.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
