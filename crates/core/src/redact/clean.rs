//! A text that has gone through the redactor.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

use super::redact;

/// A text without secrets: only the redactor makes one. What takes a `Clean` cannot be given a text that nobody looked at.
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

    /// What the redactor itself has made.
    pub(crate) fn made(text: String) -> Self {
        Clean(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The beginning of the text.
    pub fn truncate(&mut self, bytes: usize) {
        self.0.truncate(crate::cut::floor_boundary(&self.0, bytes));
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
