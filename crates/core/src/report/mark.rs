//! Moments of a call that the user marked: what was heard and seen, which no line tells.

use serde::{Deserialize, Serialize};

use crate::entry::Millis;

/// A moment that the user marked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Mark {
    /// When, in milliseconds since the epoch, by the page's clock.
    pub ts: Millis,
    /// What the moment is.
    pub kind: MarkKind,
    /// The user's words, such as "no sound from Bob"; empty for what the kind says already.
    pub label: String,
}

/// What a marked moment is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// The capture session begins.
    Start,
    /// Something was wrong.
    #[default]
    Symptom,
    /// The capture session ends.
    End,
}

impl Mark {
    /// The mark in words.
    pub fn text(&self) -> String {
        let what = match self.kind {
            MarkKind::Start => "session begins",
            MarkKind::Symptom if self.label.is_empty() => "marked",
            MarkKind::Symptom => return self.label.clone(),
            MarkKind::End => "session ends",
        };
        if self.label.is_empty() { what.to_owned() } else { format!("{what}: {}", self.label) }
    }
}
