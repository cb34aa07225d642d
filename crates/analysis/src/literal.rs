//! Reads an object out of a log line: JSON, JSON that was escaped once more, or Python's `repr`.
//!
//! Synapse prints the old key as it stored it (JSON) and the new one with `%r` (Python); loggers that print a string in
//! quotes add a layer of backslashes. All of them mean the same value.

use std::borrow::Cow;
use std::iter::Peekable;
use std::str::CharIndices;

use serde_json::{Map, Number, Value};

/// Nesting that is followed at most; a signed key has three levels.
const DEPTH_MAX: u8 = 16;

/// Layers of backslashes that are taken off at most.
const ESCAPES_MAX: u8 = 3;

/// Reads the object that a text starts with, whatever stands behind it. `None` if there is none, or if it is cut off.
pub fn object(text: &str) -> Option<Value> {
    let mut text = Cow::Borrowed(text.trim_start());
    for _ in 0..ESCAPES_MAX {
        if !text.starts_with("{\\") {
            break;
        }
        text = Cow::Owned(unescape(&text));
    }
    let mut reader = Reader { chars: text.char_indices().peekable(), text: &text };
    reader.value(0).filter(Value::is_object)
}

/// Takes one layer of backslashes off quotes and backslashes; other escapes belong to the value.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(character) = chars.next() {
        let next = chars.peek().copied();
        match next {
            Some(quoted @ ('"' | '\\')) if character == '\\' => {
                plain.push(quoted);
                chars.next();
            }
            _ => plain.push(character),
        }
    }
    plain
}

struct Reader<'a> {
    chars: Peekable<CharIndices<'a>>,
    text: &'a str,
}

impl Reader<'_> {
    fn value(&mut self, depth: u8) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.spaces();
        match self.chars.peek()?.1 {
            '{' => self.map(depth),
            '[' => self.list(depth),
            '"' | '\'' => self.string().map(Value::String),
            _ => self.word(),
        }
    }

    fn spaces(&mut self) {
        while self.chars.next_if(|(_, character)| character.is_whitespace()).is_some() {}
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.spaces();
        self.chars.next_if(|(_, character)| *character == wanted).is_some()
    }

    fn map(&mut self, depth: u8) -> Option<Value> {
        self.chars.next();
        let mut map = Map::new();
        loop {
            if self.takes('}') {
                return Some(Value::Object(map));
            }
            if !map.is_empty() && !self.takes(',') {
                return None;
            }
            self.spaces();
            let name = self.string()?;
            if !self.takes(':') {
                return None;
            }
            let value = self.value(depth + 1)?;
            // Who signed a text with a name twice cannot be told.
            if map.insert(name, value).is_some() {
                return None;
            }
        }
    }

    fn list(&mut self, depth: u8) -> Option<Value> {
        self.chars.next();
        let mut list = Vec::new();
        loop {
            if self.takes(']') {
                return Some(Value::Array(list));
            }
            if !list.is_empty() && !self.takes(',') {
                return None;
            }
            list.push(self.value(depth + 1)?);
        }
    }

    fn string(&mut self) -> Option<String> {
        let (_, quote) = self.chars.next_if(|(_, character)| matches!(character, '"' | '\''))?;
        let mut string = String::new();
        loop {
            let (_, character) = self.chars.next()?;
            match character {
                _ if character == quote => return Some(string),
                '\\' => string.push(self.escape()?),
                // Neither form holds a raw line break: a terminal put it there when the line was copied.
                '\n' | '\r' => {}
                _ => string.push(character),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let (_, letter) = self.chars.next()?;
        Some(match letter {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'x' => char::from_u32(self.hex(2)?)?,
            'U' => char::from_u32(self.hex(8)?)?,
            'u' => self.utf16()?,
            '"' | '\'' | '\\' | '/' => letter,
            _ => return None,
        })
    }

    fn utf16(&mut self) -> Option<char> {
        let first = self.hex(4)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let pair = self.chars.next()?.1 == '\\' && self.chars.next()?.1 == 'u';
        let second = self.hex(4)?.checked_sub(0xdc00).filter(|second| pair && *second < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
    }

    fn hex(&mut self, digits: u8) -> Option<u32> {
        let mut number = 0;
        for _ in 0..digits {
            number = number << 4 | self.chars.next()?.1.to_digit(16)?;
        }
        Some(number)
    }

    fn word(&mut self) -> Option<Value> {
        let start = self.chars.peek()?.0;
        let belongs = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
        while self.chars.next_if(|(_, character)| belongs(*character)).is_some() {}
        let end = self.chars.peek().map_or(self.text.len(), |(at, _)| *at);
        match &self.text[start..end] {
            "true" | "True" => Some(Value::Bool(true)),
            "false" | "False" => Some(Value::Bool(false)),
            "null" | "None" => Some(Value::Null),
            // Canonical JSON knows whole numbers only.
            number => number.parse::<i64>().ok().map(|number| Value::Number(Number::from(number))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_value_in_its_three_spellings() {
        let wanted = json!({"key": "QF6S+x/5", "fallback": true, "signatures": {"@o'hara:x": {"ed25519:A": "s\\"}}});
        for text in [
            r#"{"key":"QF6S+x/5","fallback":true,"signatures":{"@o'hara:x":{"ed25519:A":"s\\"}}} tail"#,
            r#"{\"key\":\"QF6S+x\/5\",\"fallback\":true,\"signatures\":{\"@o'hara:x\":{\"ed25519:A\":\"s\\\\\"}}}; new"#,
            r#"{'key': 'QF6S+x/5', 'fallback': True, 'signatures': {"@o'hara:x": {'ed25519:A': 's\\'}}} (http"#,
            "{\"key\":\"QF6S\n+x/5\",\"fallback\":\ntrue,\"signatures\":{\"@o'hara:x\":{\"ed25519:A\":\"s\\\\\"}}}",
        ] {
            assert_eq!(object(text).as_ref(), Some(&wanted), "{text}");
        }
    }

    #[test]
    fn escapes_of_both_languages() {
        assert_eq!(object(r#"{'a': '\xe9\u00e9\U0001f600\'\n'}"#), Some(json!({"a": "éé😀'\n"})));
        assert_eq!(object(r#"{"a":"😀\/"}"#), Some(json!({"a": "😀/"})));
        assert_eq!(object(r#"{"a":"\ud83dx"}"#), None);
    }

    #[test]
    fn what_is_cut_or_is_no_object_is_none() {
        for text in ["", "x", "'text'", "{\"a\"", "{\"a\":\"b", "{\"a\":1.5}", "{\"a\":1 \"b\":2}", "{\"a\":1,\"a\":2}"]
        {
            assert_eq!(object(text), None, "{text}");
        }
        assert_eq!(object(&"{\"a\":[".repeat(5000)), None);
    }
}
