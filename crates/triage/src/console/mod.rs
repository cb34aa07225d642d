//! A console that somebody saved, or that a client sent with a bug report (a rageshake), as a report.
//!
//! Nothing says which lines such a file lacks, so a report made of it proves by what stands in it and refutes nothing. Its
//! lines go through the same recorder as a page's, which keeps those of known families and closes what could be secret;
//! whatever else the file holds, a diary of its user, is dropped unread.

mod form;
mod machine;
mod rageshake;

use std::io::{self, BufRead, Read};
use std::sync::LazyLock;

use crypto_diag_analysis::evidence::{Evidence, of_line};
use crypto_diag_analysis::{Origin, Report};
use crypto_diag_core::{Host, Level, Line, Millis, Recorder, SentBatch, SentTarget};
use regex_lite::Regex;
use serde_json::Value;

use crate::problem::{Place, Problem, Problems};
use crate::subject::Device;
use crate::unpack::{DOCUMENT_BYTES_MAX, parse, whole};
use form::{Message, Printed, Start};

pub use rageshake::{Rageshake, folder};

/// Bytes of one line that are read at most.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Bytes of one message at most; of a longer one the beginning is looked at.
const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// Lines of a message without an end, in a form that marks ends only.
const LINES_MAX: usize = 200;

/// Batches of sent messages that are kept.
const BATCHES_MAX: usize = 100;

/// What a saved console says.
#[derive(Clone, Debug)]
pub struct Console {
    /// Its lines of known families; `None` if nothing in the file is a message of a console.
    pub report: Option<Report>,
    /// The device that its lines say they are of.
    pub device: Option<Device>,
    /// Whether its lines are of several devices.
    pub several: bool,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Whether a file that begins so is a console whose form shows by itself: times and levels, or a browser's own marks.
pub fn has_form(head: &[u8]) -> bool {
    form::begins_list(head)
        || texts(head).take(40).any(|line| form::start(line).is_some_and(|_| !form::is_servers(line)))
}

/// Whether a file that begins so has a line of a known family, or places of scripts at the ends of lines.
pub fn has_lines(head: &[u8]) -> bool {
    // The words of KE-1 are the server's, and stand in its log, too.
    let is_clients = |line| of_line(line).is_some_and(|facts| !matches!(facts, Evidence::Ke1(_)));
    texts(head).any(|line| form::location(line).is_some() || is_clients(line))
}

fn texts(head: &[u8]) -> impl Iterator<Item = &str> {
    head.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok())
}

/// matrix-sdk-crypto's machine says for whom it was made.
static OWN_DEVICE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\bfrom_builder with user_id="?(@[^\s"]{1,255})"? device_id="?([^\s"]{1,255})"#)
        .expect("a constant that the tests compile")
});

/// matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/ToDeviceMessageQueue.ts.
static BATCH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"Enqueuing batch of to-device messages\. type=(\S{1,255}) txnid=(\S{1,255})")
        .expect("a constant that the tests compile")
});

static TARGET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(@[^\s/]{1,255})/(\S{1,255}) \(msgid ([^\s)]{1,255})\)").expect("a constant that the tests compile")
});

impl Console {
    /// Reads a saved console to its end.
    pub fn read(name: &str, input: impl BufRead) -> Console {
        let mut reading = Reading::default();
        let mut problems = Problems::of(name);
        if let Err(error) = reading.all(input) {
            problems.add(Place::Whole, format!("it breaks here, what came before it is used: {error}"));
        }
        reading.finish(problems)
    }
}

/// A console while it is read.
#[derive(Default)]
struct Reading {
    recorder: Recorder,
    sent: Vec<SentBatch>,
    devices: Vec<Device>,
    first: Option<Millis>,
    last: Option<Millis>,
    /// Messages of any kind.
    messages: u64,
    /// Messages whose form shows by itself.
    formed: u64,
    /// Lines that are longer than what is read of them.
    cut: u64,
    /// Lines of messages that are too long already.
    passed: u64,
    pending: Option<Message>,
    /// Lines of the pending message.
    lines: usize,
}

impl Reading {
    fn all(&mut self, mut input: impl BufRead) -> io::Result<()> {
        if form::begins_list(input.fill_buf()?) {
            let list =
                whole(input, DOCUMENT_BYTES_MAX, "it is too large for one JSON document; save a message a line")?;
            let list: Vec<Value> = parse(&list)?;
            for message in list {
                // A message is as long as it likes here, and the line that it makes has no break in it.
                self.line(&message.to_string());
            }
            self.flush();
            return Ok(());
        }
        let mut fences = Fences::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut input).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line)?;
            if read == 0 {
                break;
            }
            if read == LINE_BYTES_MAX && line.last() != Some(&b'\n') {
                self.cut += 1;
                skip_line(&mut input)?;
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches('\n');
            if fences.holds(text, self.formed > 0) {
                self.line(text);
            } else if fences.began {
                // What stood before the first fence was somebody's prose about it.
                *self = Reading { cut: self.cut, ..Reading::default() };
                fences.began = false;
            }
        }
        self.flush();
        Ok(())
    }

    fn line(&mut self, line: &str) {
        if let Some(Start { at, printed, text }) = form::start(line) {
            self.flush();
            self.formed += 1;
            self.pending = Some(Message { at, printed, text });
            self.lines = 1;
            return;
        }
        let begins = self.begins_by_its_words(line);
        if begins {
            self.flush();
        }
        if self.formed > 0 && !begins {
            self.continued(line);
        } else {
            // A form without marks at the beginning of messages: Firefox puts the script's place at their end.
            let (text, ends) = form::location(line).map_or((line, false), |text| (text, true));
            match &mut self.pending {
                Some(_) => self.continued(text),
                None => self.pending = Some(Message { at: None, printed: Printed::Unknown, text: text.to_owned() }),
            }
            self.lines += 1;
            if ends || line.trim().is_empty() || self.lines > LINES_MAX {
                self.flush();
            }
        }
    }

    /// Whether a line without a mark of any form says by itself what happened: many forms are not known, and as a part of the line
    /// before it would be lost. What is indented goes on with the line before, and so does what stands behind a known level.
    fn begins_by_its_words(&self, line: &str) -> bool {
        let level = self.pending.as_ref().map_or(Printed::Unknown, |message| message.printed.or_machine(&message.text));
        level == Printed::Unknown
            && !line.starts_with(char::is_whitespace)
            && of_line(line).is_some_and(|facts| speaks(&facts))
    }

    fn continued(&mut self, line: &str) {
        let Some(message) = &mut self.pending else { return };
        if message.text.len() + line.len() < MESSAGE_BYTES_MAX {
            message.text.push('\n');
            message.text.push_str(line);
        } else {
            self.passed += 1;
        }
    }

    fn flush(&mut self) {
        self.lines = 0;
        let Some(message) = self.pending.take() else { return };
        if message.text.trim().is_empty() {
            return;
        }
        self.messages += 1;
        if let Some(at) = message.at {
            self.first = Some(self.first.map_or(at, |first| first.min(at)));
            self.last = Some(self.last.map_or(at, |last| last.max(at)));
        }
        let text = form::without_calls(form::without_source(&message.text));
        let text = match message.printed {
            Printed::Unknown => form::without_place(text),
            Printed::Quietly | Printed::At(_) => text,
        };
        let text = machine::as_in_a_page(text);
        self.note_device(&text);
        let at = message.at.unwrap_or_default();
        match message.printed.or_machine(&text) {
            Printed::Quietly => self.note_batch(at, &text),
            Printed::At(level) => drop(self.recorder.record(&Line::new(at, level, &text))),
            Printed::Unknown => {
                // The words of some failures stand in everyday lines of a lower level, too.
                if of_line(&text).is_some_and(|facts| speaks(&facts)) {
                    self.recorder.record(&Line::new(at, Level::Warn, &text));
                } else {
                    self.note_batch(at, &text);
                }
            }
        }
    }

    fn note_device(&mut self, text: &str) {
        let Some(found) = OWN_DEVICE.captures(text) else { return };
        let device = Device::new(&found[1], &found[2]);
        if !self.devices.contains(&device) && self.devices.len() < BATCHES_MAX {
            self.devices.push(device);
        }
    }

    fn note_batch(&mut self, ts: Millis, text: &str) {
        let Some(found) = BATCH.captures(text) else { return };
        if self.sent.len() == BATCHES_MAX {
            self.sent.remove(0);
        }
        let target = |found: regex_lite::Captures<'_>| SentTarget {
            user_id: found[1].to_owned(),
            device_id: found[2].to_owned(),
            message_id: Some(found[3].to_owned()),
        };
        self.sent.push(SentBatch {
            ts,
            event_type: Some(found[1].to_owned()),
            txnid: Some(found[2].to_owned()),
            targets: TARGET.captures_iter(text).take(BATCHES_MAX).map(target).collect(),
            ..SentBatch::default()
        });
    }

    fn finish(self, mut problems: Problems) -> Console {
        if self.cut > 0 {
            let what = format!("{} lines are longer than 1 MiB; only their beginnings are looked at", self.cut);
            problems.add(Place::Whole, what);
        }
        if self.passed > 0 {
            let what = format!("{} lines belong to messages of more than 256 KiB, and are not looked at", self.passed);
            problems.add(Place::Whole, what);
        }
        let device = match self.devices.as_slice() {
            [one] => Some(one.clone()),
            [] => None,
            several => {
                let what = format!("it has lines of {} devices, so none is taken for its own", several.len());
                problems.add(Place::Whole, what);
                None
            }
        };
        let several = self.devices.len() > 1;
        let is_console = self.formed > 0 || self.recorder.matched() > 0;
        if !is_console {
            problems.add(Place::Whole, "no message of a console was found in it");
            return Console { report: None, device: None, several, problems: problems.into_list() };
        }
        let timed = self.first.is_some();
        let host = Host {
            generated_at: self.last.unwrap_or_default(),
            // A batch without a time cannot be laid beside a request.
            sent: if timed { self.sent } else { Vec::new() },
            ..Host::default()
        };
        let report = Report::from_json(&self.recorder.report(host).to_json());
        let report = report.ok().map(|mut report| {
            report.origin = Origin::SavedConsole { from: self.first, to: self.last };
            report.user_id = device.as_ref().map(|device| device.user_id.clone());
            report.device_id = device.as_ref().map(|device| device.device_id.clone());
            report
        });
        Console { report, device, several, problems: problems.into_list() }
    }
}

/// Whether a line whose level nobody knows says by itself what happened.
fn speaks(facts: &Evidence) -> bool {
    match facts {
        Evidence::Ke1(refusal) => refusal.key_id.is_some(),
        Evidence::Ke4(line) => line.kind.is_some(),
        Evidence::Ke2(_) | Evidence::Ke3(_) | Evidence::Olm(_) => true,
    }
}

/// Reads past a line's end.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let (length, ended) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        input.consume(length);
        if ended {
            return Ok(());
        }
    }
}

/// The fences of a comment in Markdown: where there are any, the console is what stands between them.
#[derive(Default)]
struct Fences {
    any: bool,
    inside: bool,
    /// The first fence has just been met.
    began: bool,
}

impl Fences {
    /// Whether a line is of the console. `formed`: a message that shows by its form has been met, so that what looks like the first
    /// fence is a part of another one.
    fn holds(&mut self, line: &str, formed: bool) -> bool {
        let line = line.trim_start();
        if (line.starts_with("```") || line.starts_with("~~~")) && (self.any || !formed) {
            self.began = !self.any;
            self.any = true;
            self.inside = !self.inside;
            return false;
        }
        !self.any || self.inside
    }
}

#[cfg(test)]
mod tests;
