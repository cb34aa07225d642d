//! A history in words.

use super::state::{Outcome, State};
use super::{Action, Asked, View};
use crate::model::Step;
use crate::views::WHOLE;

const TABS: [&str; 2] = ["the first tab", "the second tab"];
const MACHINES: [&str; 2] = ["the desktop", "the laptop"];

/// What happens when an action is taken.
pub(super) fn tell(state: &State, action: Action) -> String {
    match action {
        Action::Open(tab, profile) => {
            let store = match state.profiles[profile].disk {
                Some(account) => {
                    let next = account.pending.map_or(account.next, |key| state.id(key));
                    format!("its store offers key {next} next")
                }
                None => "there is no store, so a new identity is made".to_owned(),
            };
            format!("{} opens the app on {}: {store}", TABS[tab], MACHINES[profile])
        }
        Action::Leave(tab) => format!("{} leaves its page, after its report was made", TABS[tab]),
        Action::Stop(tab) => format!("the client in {} closes its store; the page stays", TABS[tab]),
        Action::Start(tab) => format!("{} starts a client again in the same page, which opens the store", TABS[tab]),
        Action::Upload(tab) => format!("{} uploads: {}", TABS[tab], would(state, tab)),
        Action::UploadUnsaved(tab) => {
            format!("{} uploads: {}, and what it saves afterwards never reaches the disk", TABS[tab], would(state, tab))
        }
        Action::UploadUnanswered(tab) => {
            format!("{} uploads: {}, and the answer is lost", TABS[tab], would(state, tab))
        }
        Action::UploadLost(tab) => format!("{} uploads, and the request never reaches the server", TABS[tab]),
        Action::Send(tab) => format!("{} sends an upload, which is held up on its way", TABS[tab]),
        Action::Arrive(tab) => format!("the upload of {} reaches the server", TABS[tab]),
        Action::Save(tab) => format!("{} saves its whole account over what is on the disk", TABS[tab]),
        Action::Claim => "Bob claims a key of the device and writes with it".to_owned(),
        Action::Receive(tab) => format!("{} is given Bob's message", TABS[tab]),
        Action::BackUp(profile) => format!("the store of {} is backed up", MACHINES[profile]),
        Action::SetBack(profile) => format!("the store of {} is set back to its backup", MACHINES[profile]),
        Action::Evict(profile) => format!("the store of {} vanishes", MACHINES[profile]),
        Action::Copy => "the profile is copied to the laptop".to_owned(),
        Action::BackUpServer => "the server's database is backed up".to_owned(),
        Action::SetBackServer => "the server's database is set back to its backup".to_owned(),
        Action::DeleteOldKeys => "the server deletes the device's one-time keys as too old".to_owned(),
        Action::NewDevice => "the device is deleted, and made anew under its id with an empty store".to_owned(),
        Action::NewLogin => "the device is deleted, and made anew under its id with its old store".to_owned(),
        Action::Clear(tab) => format!("Clear is pressed in {}", TABS[tab]),
        Action::Ask => "the operator asks the database".to_owned(),
        Action::SetClock(profile, minutes) => {
            let way = if minutes < 0 { "back" } else { "forward" };
            format!("the clock of {} is set {way} by {} minutes", MACHINES[profile], minutes.abs())
        }
        Action::SetServerClock => "the server's clock is set back by two minutes".to_owned(),
        Action::RestartServer => "the server is started anew".to_owned(),
        Action::Wait => "nothing happens".to_owned(),
    }
}

/// What comes of an upload.
fn would(state: &State, tab: usize) -> String {
    let mut after = state.clone();
    let Some(upload) = after.send(tab) else { return "nothing".to_owned() };
    after.arrive(upload);
    let key = after.uploads[upload].key;
    let outcome = match after.uploads[upload].arrived {
        Some((_, Outcome::Refused(held))) => {
            let whose =
                if after.identity(held) == after.identity(key) { "the same identity" } else { "another identity" };
            format!("is refused, since the server holds another key under it, of {whose}")
        }
        _ => "is accepted".to_owned(),
    };
    format!("key {} {outcome}", after.id(key))
}

/// Which artefacts there are.
pub(super) fn tell_view(state: &State, view: &View) -> String {
    let mut parts = Vec::new();
    let reports: Vec<String> = (0..state.pages.len())
        .filter(|page| view.reports & 1 << page != 0)
        .map(|page| super::files::report_name(state, page))
        .collect();
    if !reports.is_empty() {
        let late = if view.late { " (captures began in the middle of the page's life)" } else { "" };
        parts.push(format!("{}{late}{}", reports.join(", "), view.lines.tell()));
    }
    if view.hars != 0 {
        let from = if view.hars_from > 0 { format!(" from step {} on", view.hars_from + 1) } else { String::new() };
        let bodies = if view.bodies { "" } else { " without bodies" };
        parts.push(format!("HARs{bodies}{from}"));
    }
    match view.log {
        Some(WHOLE) => parts.push("the whole log".to_owned()),
        Some((from, Step::MAX)) => parts.push(format!("the log from step {} on", from + 1)),
        Some((_, to)) => parts.push(format!("the log before step {}", to + 1)),
        None => {}
    }
    match view.tables {
        Some(Asked::Then) => parts.push("the answers of the operator's query".to_owned()),
        Some(Asked::AtTheEnd) => parts.push("answers of the database at the end".to_owned()),
        None => {}
    }
    parts.join("; ")
}
