//! A text that has gone through the redactor.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Redacted, redact};

/// A text without secrets. Only the redactor makes one, so a function that takes a `Clean` cannot be given a text that was not redacted.
/// Redacting it again does not change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Clean(String);

impl Clean {
    /// The text, with what could be a secret closed.
    pub fn new(text: &str) -> Self {
        Clean(redact(text).text.into_owned())
    }

    /// The text of a field: what its name says of it counts, as if both stood in a line. An id or a public key, bare, is
    /// only known for one so.
    pub fn field(name: &str, text: &str) -> Self {
        Clean(super::redact_field(name, text))
    }

    /// What the redactor has made.
    pub(crate) fn made(redacted: &Redacted<'_>) -> Self {
        Clean(redacted.text.as_ref().to_owned())
    }

    /// A text that this program wrote about what is clean already. Ids and keys that were public where they were found stay
    /// in it; what is a token by its form is closed wherever it came from.
    pub fn told(text: &str) -> Self {
        Clean(super::close_tokens(text))
    }

    /// A shorter form of the text. A cut takes away what showed that something else was public, so it is looked at again.
    pub fn cut(self, cut: impl FnOnce(&str) -> Cow<'_, str>) -> Self {
        match cut(&self.0) {
            Cow::Borrowed(same) if same.len() == self.0.len() => self,
            shorter => Clean::new(&shorter),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Leaves the beginning of the text.
    pub fn truncate(&mut self, bytes: usize) {
        if self.0.len() > bytes {
            *self = Clean::new(crate::text::part(&self.0, 0, crate::cut::floor_boundary(&self.0, bytes)));
        }
    }

    /// The text as a string that others may change.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Deref for Clean {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Clean {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Clean {
    fn from(text: &str) -> Self {
        Clean::new(text)
    }
}

impl From<String> for Clean {
    fn from(text: String) -> Self {
        Clean::new(&text)
    }
}

impl PartialEq<str> for Clean {
    fn eq(&self, other: &str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<&str> for Clean {
    fn eq(&self, other: &&str) -> bool {
        self.0 == **other
    }
}

impl PartialEq<String> for Clean {
    fn eq(&self, other: &String) -> bool {
        self.0 == *other
    }
}

/// A file may hold anything: what is read out of it goes through the redactor, too.
impl<'de> Deserialize<'de> for Clean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Clean::from(String::deserialize(deserializer)?))
    }
}
