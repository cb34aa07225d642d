//! What the views of several models have in common.

use serde::{Deserialize, Serialize};

use crate::model::{Step, earlier};

/// From which step on something was recorded, and until which. The last of all numbers stands for minutes after the end.
pub type Span = (Step, Step);

/// From the beginning until minutes after the end.
pub const WHOLE: Span = (0, Step::MAX);

/// The same span of a history that lacks a step.
pub fn span_without((from, to): Span, step: Step) -> Span {
    (earlier(from, step), earlier(to, step))
}

/// What there is of a browser's HAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HarView {
    /// When it was recorded.
    pub span: Span,
    /// A step in which the recorder was paused.
    pub paused: Option<Step>,
    /// Whether it has bodies.
    pub bodies: bool,
}

impl HarView {
    /// All of it.
    pub const ALL: HarView = HarView { span: WHOLE, paused: None, bodies: true };

    /// The same of a history that lacks a step.
    pub fn without(self, step: Step) -> HarView {
        let paused = self.paused.map(|paused| earlier(paused, step));
        HarView { span: span_without(self.span, step), paused, ..self }
    }
}

/// Which of the lines that pages printed reached the captures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lines {
    /// The number of a line that each capture missed, as its report says.
    pub missed: Option<u8>,
    /// Whether the crypto library's warnings were printed; a client's log level can keep them from the console.
    pub library: bool,
}

impl Lines {
    /// The captures had all lines.
    pub const ALL: Lines = Lines { missed: None, library: true };
    /// The client's log level keeps the crypto library's lines from the console.
    pub const QUIET: Lines = Lines { library: false, ..Lines::ALL };

    /// In words, after what else a report is.
    pub fn tell(self) -> String {
        let missed = self.missed.map_or(String::new(), |number| format!(", line {} missed", number + 1));
        let quiet = if self.library { "" } else { ", without the crypto library's lines" };
        format!("{missed}{quiet}")
    }
}
