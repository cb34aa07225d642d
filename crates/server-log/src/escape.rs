//! A terminal's colours and the line ends of Windows, which stand in a text and are none of it. They are taken off a file as it is
//! read, and off a line that came as a value of JSON, where they are written as `\u001b`.

use std::borrow::Cow;

/// Where in a line end or an escape sequence of a terminal (ECMA-48) a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// In none.
    #[default]
    Text,
    /// Behind a carriage return.
    Return,
    /// Behind ESC.
    Begun,
    /// In a control sequence, ESC `[`.
    Control,
    /// In an operating system command, ESC `]`: a title, a link.
    Command,
}

impl Escape {
    /// The next bytes of the text without such sequences, and with plain line ends. `ended`: nothing follows.
    pub fn take_off(&mut self, bytes: &[u8], ended: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            *self = self.after(*byte, &mut out);
        }
        if ended && *self == Escape::Return {
            out.push(b'\r');
            *self = Escape::Text;
        }
        out
    }

    fn after(self, byte: u8, out: &mut Vec<u8>) -> Escape {
        match (self, byte) {
            (Escape::Text, b'\r') => Escape::Return,
            (Escape::Text, 0x1b) => Escape::Begun,
            (Escape::Text, _) => {
                out.push(byte);
                Escape::Text
            }
            (Escape::Return, b'\n') => {
                out.push(b'\n');
                Escape::Text
            }
            // A carriage return alone is the text's own.
            (Escape::Return, _) => {
                out.push(b'\r');
                Escape::Text.after(byte, out)
            }
            (Escape::Begun, b'[') => Escape::Control,
            (Escape::Begun, b']') => Escape::Command,
            (Escape::Begun, b' '..=b'/') => Escape::Begun,
            (Escape::Begun, b'0'..=b'~') => Escape::Text,
            (Escape::Control, b' '..=b'?') => Escape::Control,
            (Escape::Control, b'@'..=b'~') | (Escape::Command, 0x07) => Escape::Text,
            (Escape::Command, 0x1b) => Escape::Begun,
            // No sequence goes on over a line's end: what is broken costs a part of its own line.
            (Escape::Command, byte) if byte != b'\n' => Escape::Command,
            (Escape::Begun | Escape::Control | Escape::Command, _) => Escape::Text.after(byte, out),
        }
    }
}

/// A whole text without a terminal's sequences.
pub(crate) fn without_escapes(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return text;
    }
    // What is taken off is ASCII, so the rest stays UTF-8.
    let plain = Escape::default().take_off(text.as_bytes(), true);
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}
