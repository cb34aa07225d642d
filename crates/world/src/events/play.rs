//! What happens in a room, step by step: what is stored, what is served and what is printed. Times are milliseconds since the first page
//! began, as nobody's clock shows them.

use super::{Action, Fate};
use crate::model::Step;

/// A step.
pub const STEP_MS: i64 = 10_000;
/// When the first step begins.
const FIRST_MS: i64 = 10_000;
/// A page's client asks for news so long after its page began.
const ASKS_AFTER_MS: i64 = 900;
/// The answer to its first question takes so long.
const FIRST_ANSWER_MS: i64 = 300;
/// A question for news is answered after this if there is none.
const NEWS_MS: i64 = 3_950;
/// What happens on the server is in an answer so long afterwards.
const SERVED_MS: i64 = 70;
/// The client asks again so long after an answer.
const AGAIN_MS: i64 = 80;
/// It prints what it cannot read so long after an answer.
const PRINTED_MS: i64 = 60;
/// Bob sends an event so long after a step began.
const SENT_MS: i64 = 1_000;
/// A late room key comes so long after its event.
const KEY_LATE_MS: i64 = 5_000;
/// Bob's client says that it keeps a key back so long before or after it sent the event.
const SAID_BEFORE_MS: i64 = 300;
const SAID_AFTER_MS: i64 = 8_000;

/// When a step begins.
pub fn begins(step: usize) -> i64 {
    FIRST_MS + STEP_MS * step as i64
}

/// When a bound of a view is: the beginning of a step.
pub fn bound(step: Step) -> i64 {
    match step {
        0 => i64::MIN,
        Step::MAX => i64::MAX,
        step => begins(usize::from(step)),
    }
}

/// An event of Bob's.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// What becomes of it.
    pub fate: Fate,
    /// When he sent it.
    pub sent: i64,
    /// When he redacted it.
    pub redacted: Option<i64>,
    /// When Synapse rewrote what it stored.
    pub rewritten: Option<i64>,
}

/// A content as it is stored or served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whole.
    Whole,
    /// Without `algorithm`.
    Without,
    /// With a `sender_key` that is too short.
    Broken,
    /// Without any field.
    Empty,
    /// Without any field, and with the redaction.
    Redacted,
}

impl Event {
    /// Whether it can be redacted or expire.
    pub fn is_untouched(&self) -> bool {
        self.redacted.is_none() && self.rewritten.is_none()
    }

    /// Whether it was redacted and not rewritten.
    pub fn is_to_be_rewritten(&self) -> bool {
        self.redacted.is_some() && self.rewritten.is_none()
    }

    /// As Bob's client sent it.
    fn sent_as(&self) -> Form {
        match self.fate {
            Fate::SentWithout => Form::Without,
            Fate::SentBroken => Form::Broken,
            _ => Form::Whole,
        }
    }

    /// As the database holds it at a time.
    pub fn stored(&self, at: i64) -> Form {
        if self.rewritten.is_some_and(|rewritten| rewritten <= at) { Form::Empty } else { self.sent_as() }
    }

    /// As it comes in an answer to a /sync at a time.
    fn synced(&self, at: i64) -> Form {
        match (self.served(at), self.fate) {
            (Form::Whole, Fate::Stripped) => Form::Without,
            (Form::Whole, Fate::Spoiled) => Form::Broken,
            (form, _) => form,
        }
    }

    /// As the homeserver serves it at a time.
    fn served(&self, at: i64) -> Form {
        if self.redacted.is_some_and(|redacted| redacted <= at) {
            Form::Redacted
        } else if self.fate == Fate::Erased {
            Form::Empty
        } else {
            self.stored(at)
        }
    }

    /// When Bob's client says something of its room key, and what.
    fn notice(&self) -> Option<(i64, &'static str)> {
        match self.fate {
            Fate::KeptBack => Some((self.sent - SAID_BEFORE_MS, "m.unverified")),
            Fate::LostThenKeptBack => Some((self.sent + SAID_AFTER_MS, "m.unverified")),
            Fate::LostThenUnavailable => Some((self.sent + SAID_AFTER_MS, "m.unavailable")),
            _ => None,
        }
    }

    /// What the client says of it at a time, as it came in this form.
    fn error(&self, form: Form, at: i64) -> Option<Error> {
        match form {
            Form::Redacted => None,
            Form::Empty | Form::Without => Some(Error::Missing("algorithm")),
            Form::Broken => Some(Error::NoPublicKey),
            Form::Whole => match self.fate {
                Fate::ClientLoses => Some(Error::Missing("algorithm")),
                Fate::ClientSpoils => Some(Error::NoPublicKey),
                Fate::Plaintext => Some(Error::Missing("type")),
                Fate::KeyLate => (at < self.sent + KEY_LATE_MS).then_some(Error::NoKey),
                Fate::KeyNever => Some(Error::NoKey),
                // The client believes what Bob's client said last.
                Fate::LostThenKeptBack | Fate::LostThenUnavailable if at < self.sent + SAID_AFTER_MS => {
                    Some(Error::NoKey)
                }
                Fate::LostThenUnavailable => Some(Error::NoKey),
                Fate::KeptBack | Fate::LostThenKeptBack => Some(Error::KeptBack),
                Fate::FromLater => Some(Error::FromLater),
                Fate::Historical => Some(Error::Historical),
                Fate::Untrusted => Some(Error::Untrusted),
                _ => None,
            },
        }
    }
}

/// What a client says of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A field is missing.
    Missing(&'static str),
    /// A key cannot be decoded.
    NoPublicKey,
    /// The room key has not come.
    NoKey,
    /// The sender keeps it back.
    KeptBack,
    /// It begins later.
    FromLater,
    /// The event is older than this device.
    Historical,
    /// Its sender is not trusted enough.
    Untrusted,
}

/// A line that a page printed of an event.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// When.
    pub at: i64,
    /// Of which event, by its number.
    pub event: usize,
    /// In which form it had come.
    pub form: Form,
    /// What it says.
    pub error: Error,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// All news.
    Everything,
    /// News since a token.
    News,
    /// The room's history.
    History,
}

/// A request and what its answer brings.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked.
    pub asks: Asks,
    /// A request for news: the number of the answer since which it asks.
    pub since: usize,
    /// When it was sent and answered.
    pub span: (i64, i64),
    /// The events that it brings, by number.
    pub events: Vec<(usize, Form)>,
    /// Notices about the room keys of events, by number, with their codes.
    pub notices: Vec<(usize, &'static str)>,
}

/// A page of Alice's.
#[derive(Clone, Debug)]
pub struct Page {
    /// When it began.
    pub began: i64,
    /// What it printed.
    pub lines: Vec<Line>,
}

/// A history as it went.
#[derive(Clone, Debug)]
pub struct Played {
    /// The events.
    pub events: Vec<Event>,
    /// The pages, one after the other.
    pub pages: Vec<Page>,
    /// The answers.
    pub answers: Vec<Answer>,
    /// When Clear was pressed last.
    pub cleared: Option<i64>,
    /// What the clock is ahead, from when on.
    pub clock: Vec<(i64, i64)>,
    /// When it ends.
    pub end: i64,
}

/// The events that were sent, and what became of what was stored.
pub fn events(actions: &[Action]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (step, action) in actions.iter().enumerate() {
        let at = begins(step) + SENT_MS;
        match action {
            Action::Send(fate) => events.push(Event { fate: *fate, sent: at, redacted: None, rewritten: None }),
            Action::Redact => {
                if let Some(event) = events.last_mut() {
                    event.redacted = Some(at);
                }
            }
            Action::Expire => {
                if let Some(event) = events.last_mut() {
                    event.rewritten = Some(at);
                }
            }
            Action::Rewrite => {
                if let Some(event) = events.iter_mut().rev().find(|event| event.is_to_be_rewritten()) {
                    event.rewritten = Some(at);
                }
            }
            _ => {}
        }
    }
    events
}

/// Plays a history.
pub fn play(actions: &[Action]) -> Played {
    let mut played = Played {
        events: events(actions),
        pages: Vec::new(),
        answers: Vec::new(),
        cleared: None,
        clock: Vec::new(),
        end: begins(actions.len()),
    };
    let mut pages: Vec<(i64, Asks)> = vec![(0, Asks::Everything)];
    let mut ahead = 0;
    for (step, action) in actions.iter().enumerate() {
        match action {
            Action::Reload => pages.push((begins(step), Asks::Everything)),
            Action::ReloadWithOldToken => pages.push((begins(step), Asks::News)),
            Action::Clear => played.cleared = Some(begins(step)),
            Action::SetClock(by) => {
                ahead += by;
                played.clock.push((begins(step), ahead));
            }
            _ => {}
        }
    }
    for (number, (began, first)) in pages.iter().enumerate() {
        let end = pages.get(number + 1).map_or(played.end, |(next, _)| *next);
        let page = page(&mut played, actions, (*began, end), *first);
        played.pages.push(page);
    }
    played
}

fn has_come(answers: &[Answer], notice: usize) -> bool {
    answers.iter().flat_map(|answer| &answer.notices).any(|(number, _)| *number == notice)
}

/// Plays what one page asks, gets and prints.
fn page(played: &mut Played, actions: &[Action], (began, end): (i64, i64), first: Asks) -> Page {
    let mut known: Vec<(usize, Form)> = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    let (mut asked, mut asks, mut until) = (began + ASKS_AFTER_MS, first, i64::MIN);
    let of_event = |event: &Event| [Some(event.sent), event.notice().map(|(at, _)| at)];
    let happened: Vec<i64> = played.events.iter().flat_map(of_event).flatten().collect();
    while asked < end {
        let next = happened.iter().copied().filter(|at| *at > until).min();
        let is_first = until == i64::MIN;
        let answered = match next {
            _ if is_first => asked + FIRST_ANSWER_MS,
            Some(at) if at < asked + NEWS_MS - SERVED_MS => asked.max(at) + SERVED_MS,
            _ => asked + NEWS_MS,
        };
        // What goes on when the page ends brings nothing.
        if answered >= end {
            break;
        }
        let served = answered - SERVED_MS;
        let is_news = |at: i64| at > until && at <= served;
        let events: Vec<(usize, Form)> = (0..)
            .zip(&played.events)
            .filter(|(_, event)| is_news(event.sent))
            .map(|(number, event)| (number, event.synced(served)))
            .collect();
        let notices: Vec<(usize, &str)> = (0..)
            .zip(&played.events)
            .filter_map(|(number, event)| event.notice().map(|(at, code)| (number, at, code)))
            // A message to the device is given out once.
            .filter(|(number, at, _)| is_news(*at) && !has_come(&played.answers, *number))
            .map(|(number, _, code)| (number, code))
            .collect();
        let printed = answered + PRINTED_MS;
        for (number, form) in &events {
            known.push((*number, *form));
            if let Some(error) = played.events[*number].error(*form, printed) {
                lines.push(Line { at: printed, event: *number, form: *form, error });
            }
        }
        // The old token is that of the first page's first answer.
        let since = if is_first { 1 } else { played.answers.len() };
        played.answers.push(Answer { asks, since, span: (asked, answered), events, notices });
        (asked, asks, until) = (answered + AGAIN_MS, Asks::News, served);
    }
    for (step, action) in actions.iter().enumerate().filter(|(step, _)| (began..end).contains(&begins(*step))) {
        let at = begins(step) + 2_500;
        match action {
            Action::Scroll => {
                let sent = played.events.iter().enumerate().filter(|(_, event)| event.sent < at);
                let events = sent.map(|(number, event)| (number, event.served(at))).collect();
                let since = played.answers.len();
                let answer = Answer { asks: Asks::History, since, span: (at, at + 120), events, notices: Vec::new() };
                played.answers.push(answer);
            }
            Action::Retry => {
                for (number, form) in &known {
                    let event = &played.events[*number];
                    let is_there = event.sent < at && event.redacted.is_none_or(|redacted| redacted > at);
                    if let Some(error) = event.error(*form, at).filter(|_| is_there) {
                        lines.push(Line { at, event: *number, form: *form, error });
                    }
                }
            }
            _ => {}
        }
    }
    lines.retain(|line| line.at < end);
    lines.sort_by_key(|line| line.at);
    Page { began, lines }
}
