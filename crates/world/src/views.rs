//! What the views of several models have in common.

use crate::search::{Step, earlier};

/// From which step on something was recorded, and until which. The last of all numbers stands for minutes after the end.
pub type Span = (Step, Step);

/// From the beginning until minutes after the end.
pub const WHOLE: Span = (0, Step::MAX);

/// The same span of a history that lacks a step.
pub fn span_without((from, to): Span, step: Step) -> Span {
    (earlier(from, step), earlier(to, step))
}

/// What there is of a browser's HAR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
