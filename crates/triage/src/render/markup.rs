//! Markup of fixed parts and foreign text, for pages and pictures. Foreign text enters through one method that escapes; markup is only
//! what the file of a format spells out.

use std::fmt::{Display, Write};

use super::plain;

/// HTML or XML that is being written.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Markup that is spelled out where it is written: a string from elsewhere is not `'static`.
    pub fn markup(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Foreign text, in an element or in a quoted attribute.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for character in plain(text, true).chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // XML has no such characters (1.0, 2.2): one of them, and a picture would not open.
                '\u{fffe}' | '\u{ffff}' => self.0.push(char::REPLACEMENT_CHARACTER),
                character => self.0.push(character),
            }
        }
        self
    }

    /// A number.
    pub fn number(&mut self, number: impl Display + Into<f64>) -> &mut Self {
        // Writing to a string does not fail.
        let _ = write!(self.0, "{number}");
        self
    }

    /// A heading, a paragraph or the like: fixed markup around foreign text.
    pub fn within(&mut self, open: &'static str, text: &str, close: &'static str) -> &mut Self {
        self.markup(open).text(text).markup(close)
    }

    /// All that was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
