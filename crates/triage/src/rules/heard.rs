//! What the page of a report gets of each other participant of its call: what the rules on media have in common.

use crypto_diag_analysis::call::flow::{self, Arrival, Flow};
use crypto_diag_analysis::call::{Call, InCall};
use crypto_diag_core::{CallFactKind, CallFacts, MediaKind, MediaStream, StreamSample};

use crate::case::measure::HOSTS_APART_MS;
use crate::case::{Case, Page};
use crate::clock;
use crate::moment::Moment;
use crate::need::{Need, ReportTime, Whose};
use crate::problem::Place;
use crate::proof::Premise;
use crate::stamp;
use crate::subject::{Device, Subject};
use crate::verdict::{ClockOf, Evidence};

pub(super) const ONE_CALL: Premise = Premise {
    id: "heard/one-call",
    says: "All streams that the report lists are of one document inside the page, and no other document with its address is there.",
    rules_out: "The page is in two calls: members, keys and errors that the report shows are those of one of them, and the stream is the other's.",
};

/// Whether the streams of a page's report are those of one call: neither members nor keys say of which frame they are.
pub(super) fn is_one_call(case: &Case<'_>, page: &Page) -> bool {
    let report = case.report(page);
    let paths = || report.call.iter().flat_map(|call| &call.streams).filter_map(|stream| stream.path.as_deref());
    let Some(path) = paths().next() else { return true };
    let documents = report.capture.frames.documents.iter();
    let of_call = documents.filter(|document| !document.removed && document.path.as_deref() == Some(path));
    paths().all(|other| other == path) && of_call.count() <= 1
}

/// What becomes of a participant's media, by the statistics alone. Each has one rule, so that there is one statement for each
/// participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is decoded, or that cannot be told.
    DecodedOrUntold,
    /// Packets come, and nothing comes out of decryption.
    Stuck,
    /// No packet comes.
    Silent,
}

/// A participant, as a page gets its media.
pub(super) struct Heard<'c> {
    pub page: &'c Page,
    pub call: &'c Call,
    pub participant: &'c InCall,
    pub said: &'c CallFacts,
    pub streams: Vec<&'c MediaStream>,
    pub state: State,
}

/// Every participant that some page could get media of.
pub(super) fn all<'c>(case: &'c Case<'_>, state: State) -> Vec<Heard<'c>> {
    let mut all = Vec::new();
    for page in &case.pages {
        let (Some(call), Some(said)) = (&case.readings[page.report].facts.call, &case.report(page).call) else {
            continue;
        };
        let heard = call.others.iter().map(|participant| {
            let streams: Vec<_> = participant.streams.iter().filter_map(|at| said.streams.get(*at)).collect();
            Heard { page, call, participant, said, state: state_of(&streams), streams }
        });
        let heard: Vec<Heard<'c>> = heard.filter(Heard::is_there).collect();
        // A device that left without a word and joined anew has two names, of which one is silent for good.
        let heard_devices: Vec<Device> =
            heard.iter().filter(|heard| heard.state != State::Silent).filter_map(Heard::device).collect();
        let is_left = |heard: &Heard<'c>| {
            heard.state == State::Silent && heard.device().is_some_and(|device| heard_devices.contains(&device))
        };
        all.extend(heard.into_iter().filter(|heard| heard.state == state && !is_left(heard)));
    }
    all
}

fn state_of(streams: &[&MediaStream]) -> State {
    if streams.iter().any(|stream| flow::came_out(stream).is_some_and(|out| out > 0.0)) {
        State::DecodedOrUntold
    } else if streams.iter().filter(|stream| flow::comes(stream)).any(|stream| flow::came_out(stream) == Some(0.0)) {
        State::Stuck
    } else if streams.iter().all(|stream| matches!(flow::arrival(stream), Arrival::Nothing { .. })) {
        State::Silent
    } else {
        State::DecodedOrUntold
    }
}

impl Heard<'_> {
    /// Whether the participant is in the call: receivers outlive those who left.
    fn is_there(&self) -> bool {
        let listed = self.participant.identity.is_some() && !self.streams.is_empty();
        self.participant.is_member
            || (listed && !self.call.has_members)
            || self.streams.iter().any(|stream| flow::comes(stream))
    }

    /// Whether the page sees members of its call, and not this one.
    pub fn is_unseen(&self, case: &Case<'_>) -> bool {
        let device = self.device();
        self.call.has_members
            && !self.participant.is_member
            && device.is_some_and(|device| !sees(case, self.page, &device))
    }

    /// The participant in words.
    pub fn who(&self) -> String {
        self.device().map_or_else(|| self.name().to_owned(), |device| device.label())
    }

    /// Its device, where the membership or its name says it.
    pub fn device(&self) -> Option<Device> {
        let ids = self.participant.user_id.as_deref().zip(self.participant.device_id.as_deref());
        ids.map(|(user, device)| Device::new(user, device))
    }

    /// Its name at the media server.
    fn name(&self) -> &str {
        let sid = self.participant.sids.first().map(String::as_str);
        self.participant.identity.as_deref().or(sid).unwrap_or_default()
    }

    /// What a verdict on it is about.
    pub fn about(&self, case: &Case<'_>) -> (String, Subject) {
        let subject = Subject {
            device: self.page.device.clone(),
            report: Some(case.report_name(self.page.report).to_owned()),
            peer: self.device(),
            peer_user_id: self.participant.user_id.clone(),
            participant: Some(self.name().to_owned()),
            ..Subject::default()
        };
        (format!("{} from {}", case.label(self.page), self.who()), subject)
    }

    /// When the statistics were asked last, in words; of a page that has none, when its report was made.
    pub fn when(&self, case: &Case<'_>) -> String {
        let times = self.streams.iter().filter_map(|stream| stream.samples.last()).map(|sample| sample.ts.0);
        let of_all = self.said.streams.iter().filter_map(|stream| stream.samples.last()).map(|sample| sample.ts.0);
        let last = times.max().or(of_all.max()).unwrap_or(case.report(self.page).generated_at.0);
        stamp::print(i64::try_from(last).unwrap_or(i64::MAX))
    }

    /// "sound", "picture" or "sound and picture": of those streams for which something holds.
    pub fn kinds(&self, holds: impl Fn(&MediaStream) -> bool) -> Option<&'static str> {
        let has = |kind| self.streams.iter().any(|stream| stream.kind == kind && holds(stream));
        match (has(MediaKind::Audio), has(MediaKind::Video)) {
            (true, true) => Some("sound and picture"),
            (true, false) => Some("sound"),
            (false, true) => Some("picture"),
            (false, false) => None,
        }
    }

    /// The statistics of its streams as evidence.
    pub fn evidence(&self, case: &Case<'_>) -> Vec<Evidence> {
        self.streams
            .iter()
            .map(|stream| quoted(case, self.page, stream, "what the statistics of this stream say"))
            .collect()
    }

    /// Another report of this page, made at a better moment.
    pub fn again(&self, case: &Case<'_>, why: &str) -> Vec<Need> {
        let whose = self.page.device.clone().map_or_else(|| Whose::Somebody(case.label(self.page)), Whose::Device);
        vec![Need::report(whose, ReportTime::SameCall, why)]
    }

    /// Another report of this page, made while it is in no other call.
    pub fn alone(&self, case: &Case<'_>) -> Vec<Need> {
        self.again(case, "what becomes of this participant's media: made while the page is in one call alone")
    }

    /// From when until when no packet of the participant's sound came. `None` if some did, or since when is not told.
    pub fn quiet_sound(&self) -> Option<(Moment, Moment)> {
        let sound = || self.streams.iter().filter(|stream| stream.kind == MediaKind::Audio);
        let quiet: Option<Vec<f64>> = sound()
            .map(|stream| match flow::arrival(stream) {
                Arrival::Nothing { quiet_ms } => quiet_ms,
                _ => None,
            })
            .collect();
        let quiet = quiet?.into_iter().reduce(f64::min)?;
        let until = sound().filter_map(|stream| stream.samples.last()).map(|sample| sample.ts.0).min()?;
        // Where none ever came: since the track was subscribed to.
        let subscribed = self.said.facts.iter().filter(|fact| {
            fact.what == CallFactKind::Subscribed
                && fact.kind == Some(MediaKind::Audio)
                && fact.participant == self.participant.identity
        });
        let from = match quiet.is_finite() {
            true => until.checked_sub(quiet.ceil() as u64)?,
            false => subscribed.map(|fact| fact.ts.0).max()?,
        };
        let at = |ms: u64| Some(Moment::at(self.page.clock(), i64::try_from(ms).ok()?));
        Some((at(from)?, at(until)?))
    }

    /// The participant's own page in this very call: joined to the same room under the same name.
    pub fn own_pages<'c>(&self, case: &'c Case<'_>) -> Vec<&'c Page> {
        own_pages(case, self.device().as_ref(), (self.page, self.participant.identity.as_deref()))
    }

    /// The participant's own report.
    pub fn theirs(&self, why: &str) -> Vec<Need> {
        let whose =
            self.device().map_or_else(|| Whose::Somebody(format!("the participant {}", self.name())), Whose::Device);
        vec![Need::report(whose, ReportTime::SameCall, why)]
    }

    /// Everybody in the call whose stream this may be: only the participant, if a line says whose it is.
    pub fn may_be(&self) -> impl Iterator<Item = &InCall> {
        let is_known = self.participant.identity.is_some();
        self.call.others.iter().filter(move |other| !is_known || std::ptr::eq(*other, self.participant))
    }

    /// What is open of who the participant is; `None` where that is known.
    pub fn whose(&self) -> Option<String> {
        if self.participant.user_id.is_some() {
            return None;
        }
        if self.participant.identity.is_some() {
            return Some("Who it is: no membership that the report shows has this name.".to_owned());
        }
        let mut open =
            "Who it is: no line of the report says to whom this session of the media server belongs.".to_owned();
        let unheard = |other: &&InCall| other.is_member && other.streams.is_empty();
        let mut left = self.call.others.iter().filter(unheard);
        if let (Some(InCall { user_id: Some(user), .. }), None) = (left.next(), left.next()) {
            open.push_str(&format!(
                " Of the members {user} alone has no stream; the media server may hold others, too."
            ));
        }
        Some(open)
    }
}

/// The room of the call that a page has joined itself. `None` if it is in two calls, or only observes one.
pub(super) fn joined_room<'c>(case: &'c Case<'_>, page: &Page) -> Option<&'c str> {
    let session = case.report(page).call.as_ref()?.session.as_ref()?;
    let is_joined = session.own && session.joined == Some(true) && is_one_call(case, page);
    session.room_id.as_deref().filter(|_| is_joined)
}

/// Whether a device had joined the call of a page by a time of that page's clock. A membership has the time of its member's homeserver.
/// So the page's time goes by that server's clock, as far as the page has measured it; how another server's clock goes, nothing tells.
pub(super) fn had_joined(case: &Case<'_>, page: &Page, device: &Device, by: i64) -> bool {
    let report = case.report(page);
    let server = |user_id: &str| user_id.split_once(':').map(|(_, server)| server.to_owned());
    let is_of_server = page
        .device
        .as_ref()
        .and_then(|own| server(&own.user_id))
        .is_some_and(|own| server(&device.user_id) == Some(own));
    let by_server =
        report.server_minus_page.map(|ahead| by.saturating_add(clock::of_events(ahead).low) - HOSTS_APART_MS);
    is_of_server
        && !case.clocks.is_stepped(page.clock())
        && joined_at(report.call.as_ref(), device).zip(by_server).is_some_and(|(joined, by)| joined <= by)
}

/// When a device joined last: one that left without a word and came back is a member twice. `None` if a membership does not say.
fn joined_at(call: Option<&CallFacts>, device: &Device) -> Option<i64> {
    let memberships = call?.session.iter().flat_map(|session| &session.memberships);
    let of_device = memberships.filter(|one| device.is(one.user_id.as_deref(), one.device_id.as_deref()));
    let times: Option<Vec<i64>> = of_device.map(|one| i64::try_from(one.created_at?.0).ok()).collect();
    times?.into_iter().max()
}

/// Whether a page sees a device as a member of its call.
pub(super) fn sees(case: &Case<'_>, page: &Page, device: &Device) -> bool {
    let session = case.report(page).call.as_ref().and_then(|call| call.session.as_ref());
    let mut members = session.into_iter().flat_map(|session| &session.memberships);
    members.any(|one| device.is(one.user_id.as_deref(), one.device_id.as_deref()))
}

/// The pages of a device that take part in the call of another one's page, under a name.
pub(super) fn own_pages<'c>(
    case: &'c Case<'_>,
    device: Option<&Device>,
    (page, identity): (&Page, Option<&str>),
) -> Vec<&'c Page> {
    let session = case.report(page).call.as_ref().and_then(|call| call.session.as_ref());
    let room = session.and_then(|session| session.room_id.as_deref());
    let is_it = |theirs: &&Page| {
        let own = case.readings[theirs.report].facts.call.as_ref().and_then(|call| call.own.as_ref());
        room.is_some()
            && joined_room(case, theirs) == room
            && identity.is_some()
            && own.and_then(|own| own.identity.as_deref()) == identity
    };
    case.pages.iter().filter(|theirs| device.is_some() && theirs.device.as_ref() == device).filter(is_it).collect()
}

/// The statistics of a stream as evidence.
pub(super) fn quoted(case: &Case<'_>, page: &Page, stream: &MediaStream, says: &str) -> Evidence {
    let kind = if stream.kind == MediaKind::Audio { "audio" } else { "video" };
    let mut text = format!("{kind} {}", stream.participant_sid.as_deref().unwrap_or("sent"));
    let mut add = |words: String| {
        text.push_str(", ");
        text.push_str(&words);
    };
    if let Some(state) = stream.connection_state.as_deref().filter(|state| *state != "connected") {
        add(format!("connection {state}"));
    }
    for (name, flag) in [("muted", stream.muted), ("enabled", stream.enabled)] {
        if let Some(flag) = flag {
            add(format!("{name} {flag}"));
        }
    }
    let flow = Flow::of(stream);
    type Counter = (&'static str, fn(&StreamSample) -> Option<f64>);
    let counters: [Counter; 8] = [
        ("packets", |sample| sample.packets),
        ("emitted", |sample| sample.emitted),
        ("samples", |sample| sample.samples),
        ("concealed", |sample| sample.concealed),
        ("energy", |sample| sample.energy),
        ("frames", |sample| sample.frames),
        ("decoded", |sample| sample.decoded),
        ("plis", |sample| sample.plis),
    ];
    for (name, counter) in counters {
        if let Some(grown) = flow.and_then(|flow| flow.grown(counter)) {
            add(format!("{name} +{}", (grown * 1_000.0).round() / 1_000.0));
        }
    }
    let last = stream.samples.last();
    for (name, age) in [
        ("last packet", last.and_then(|sample| sample.packet_age)),
        ("last played", last.and_then(|sample| sample.played_age)),
    ] {
        if let Some(age) = age {
            add(format!("{name} {age:.0} ms ago"));
        }
    }
    match flow {
        Some(flow) => add(format!("in {} ms", flow.last.ts.0 - flow.first.ts.0)),
        None => add("no two samples".to_owned()),
    }
    let at = last.and_then(|sample| i64::try_from(sample.ts.0).ok());
    Evidence::new(case.report_name(page.report), Place::Whole, at, ClockOf::Client, &text, says)
}
