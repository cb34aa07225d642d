//! What happens in a history. Times are milliseconds since its beginning, as nobody's clock shows them.

use super::{Action, EVERYBODY, Fate, News, State, Step, Who};

/// When the first step begins.
pub const SETUP_MS: i64 = 30_000;
/// A step's length.
pub const STEP_MS: i64 = 35_000;
/// When each page begins.
pub const BEGAN_MS: [i64; 3] = [0, 200, 400];
/// The page that is shown of Bob, and the other tab.
const SHOWN: usize = 0;
const OTHER: usize = 1;

/// When things happen within a step.
const NEWS_MS: i64 = 1_000;
const ROTATED_MS: i64 = 2_000;
const LOGGED_MS: i64 = 5_000;
const ONE_ANSWER_MS: i64 = 8_000;
const RESTARTED_MS: i64 = 9_000;
const FROZEN_MS: i64 = 10_000;
const SUBSCRIBED_MS: i64 = 12_000;
const CLEARED_MS: i64 = 15_000;
const CLOCK_SET_MS: i64 = 20_000;
/// When the database is asked in a step.
pub const LOOKED_MS: i64 = 30_000;

/// Before the first step: Carol's key, Bob's first key, and when Alice first hears Bob.
const CAROLS_KEY_MS: i64 = 5_000;
const FIRST_KEY_MS: i64 = 6_000;
const FIRST_FRAME_MS: i64 = 8_000;

/// A request's way, how long the homeserver takes, and the way back.
const WAY_MS: i64 = 12;
const SERVED_MS: i64 = 18;
const BACK_MS: i64 = 10;
/// Messages are stored so soon after their request has come.
const STORED_MS: i64 = 6;
/// A connection on which nothing comes ends after this.
const CLOSED_MS: i64 = 4_000;
/// A request for news is answered after this if there is none.
const POLL_MS: i64 = 30_000;
/// A client gives up a request for news after this.
const GIVEN_UP_MS: i64 = 110_000;
/// After a request for news that has failed, the next one follows so much later.
const RETRY_MS: i64 = 5_000;
/// A client is through with an answer after this.
const OPENED_MS: i64 = 12;
/// A key is used so long after its batch was queued.
const USED_MS: i64 = 1_000;
/// The first stream id of to-device messages.
const STREAM: i64 = 47;

/// What befalls one request with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Goes,
    Late,
    Held,
    Lost,
    AnswerLost,
    Refused,
    LoggedOut,
}

impl Way {
    fn of(fate: Fate) -> Way {
        match fate {
            Fate::InTime | Fate::NoTarget | Fate::Unopenable | Fate::OldFallback | Fate::OpenedLate => Way::Goes,
            Fate::Late => Way::Late,
            Fate::Held => Way::Held,
            Fate::Lost => Way::Lost,
            Fate::AnswerLost => Way::AnswerLost,
            Fate::Refused => Way::Refused,
            Fate::LoggedOut => Way::LoggedOut,
        }
    }
}

/// A request with a batch.
#[derive(Clone, Debug)]
pub struct Try {
    /// When it was sent.
    pub sent: i64,
    /// When the homeserver got it, and the status that it gave.
    pub arrived: Option<(i64, u16)>,
    /// When the client had the answer or an end, and the status; 0 for none.
    pub done: (i64, u16),
    /// The stream id of its messages, if it stored any.
    pub stored: Option<i64>,
    /// For whose devices it dropped messages.
    pub dropped: Vec<Who>,
}

/// A batch of to-device messages: one media key for several devices.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Whose.
    pub by: Who,
    /// In which tab.
    pub tab: usize,
    /// The index of its key.
    pub key: u8,
    /// When it was queued.
    pub queued: i64,
    /// What becomes of it.
    pub fate: Fate,
    /// Whom it is for.
    pub targets: Vec<Who>,
    /// Its requests.
    pub tries: Vec<Try>,
}

impl Batch {
    /// When the server refused it for good, and the status.
    pub fn refused(&self) -> Option<(i64, u16)> {
        self.tries.iter().map(|one| one.done).find(|(_, status)| (400..500).contains(status))
    }

    /// When the homeserver first took it.
    pub fn accepted(&self) -> Option<i64> {
        let taken = self.tries.iter().filter_map(|one| one.arrived).filter(|(_, status)| *status == 200);
        taken.map(|(at, _)| at).min()
    }

    /// Whether it is shown by the page of Bob of which there are files.
    pub fn is_shown(&self) -> bool {
        self.tab == SHOWN
    }

    /// Whether it waits in its sender's queue.
    fn waits(&self) -> bool {
        self.tries.last().is_none_or(|last| last.done.1 == 0)
    }
}

/// A message in an inbox.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Of which batch.
    pub batch: usize,
    /// For whom.
    pub to: Who,
    /// Its position.
    pub stream: i64,
    /// When it was stored.
    pub stored: i64,
    /// When it was deleted; the last of all times stands for never.
    pub removed: i64,
}

impl Row {
    /// Whether it waits at a time.
    pub fn is_there(&self, at: i64) -> bool {
        (self.stored..self.removed).contains(&at)
    }
}

/// A request for news.
#[derive(Clone, Debug)]
pub struct Sync {
    /// Whose.
    pub who: Who,
    /// When it was sent.
    pub sent: i64,
    /// Its token: how many answers there were before, and the to-device position.
    pub token: (usize, i64),
    /// When the homeserver got it, and when it had done with it.
    pub served: Option<(i64, Option<i64>)>,
    /// When the client had an answer or an end, and the status.
    pub done: (i64, u16),
    /// The messages that its answer brought, and the token of the next one.
    pub brought: Vec<Row>,
    /// The position after it.
    pub next: i64,
}

/// What became of a message that a client has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It was opened.
    Opened,
    /// It came a second time.
    Again,
    /// The store lacks its one-time key.
    Unopened,
}

/// A message that a client has.
#[derive(Clone, Copy, Debug)]
pub struct Had {
    /// Who has it.
    pub who: Who,
    /// Of which batch it is.
    pub batch: usize,
    /// When the client was through with it.
    pub at: i64,
    /// What became of it.
    pub became: Became,
}

/// What becomes of a request for news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Works,
    /// It fails before it reaches the homeserver.
    Fails,
    /// It does not end, and never reaches the homeserver.
    Hangs,
    AnswerLost,
}

/// A whole history.
#[derive(Clone, Debug, Default)]
pub struct Played {
    /// When the last step ends.
    pub end: i64,
    /// All batches, in the order of queueing.
    pub batches: Vec<Batch>,
    /// All rows of inboxes.
    pub rows: Vec<Row>,
    /// All requests for news.
    pub syncs: Vec<Sync>,
    /// What came of messages.
    pub had: Vec<Had>,
    /// Frames of Bob for which Alice's page had no key: when, and at which index.
    pub missing: Vec<(i64, u8)>,
    /// When the homeserver was started anew.
    pub restarts: Vec<i64>,
    /// When Alice logged out.
    pub left: Option<i64>,
    /// When she logged in again.
    pub back: Option<i64>,
    /// When Alice's page was frozen, each time from and to.
    pub frozen: Vec<(i64, i64)>,
    /// When Clear was pressed last.
    pub cleared: [Option<i64>; 3],
    /// What each one's clock is ahead, from when on.
    pub clocks: [Vec<(i64, i64)>; 3],
    /// The same of the server's.
    pub server_clock: Vec<(i64, i64)>,
    /// What Alice's requests for news meet, from when on.
    line: Vec<(i64, Line)>,
    /// Whether Bob's shown page is in another call than Alice's.
    pub is_other_call: bool,
    subscribed: Vec<i64>,
    key: u8,
}

/// When a step begins.
pub fn begins(step: Step) -> i64 {
    match step {
        0 => i64::MIN,
        Step::MAX => i64::MAX,
        step => SETUP_MS + i64::from(step) * STEP_MS,
    }
}

/// Plays a history, and goes on after it for so long.
pub fn play(state: &State) -> Played {
    let ahead = |ahead: i64| vec![(i64::MIN, ahead)];
    let clocks = [ahead(70_000), ahead(-70_000), ahead(0)];
    let mut played = Played {
        end: SETUP_MS + state.actions.len() as i64 * STEP_MS,
        clocks,
        server_clock: ahead(0),
        line: vec![(i64::MIN, Line::Works)],
        is_other_call: state.start.other_tab,
        ..Played::default()
    };
    played.set_up(state);
    for (step, action) in state.actions.iter().enumerate() {
        played.take(SETUP_MS + step as i64 * STEP_MS, *action, state);
    }
    played.serve();
    for who in EVERYBODY {
        played.ask_for_news(who);
    }
    played.open();
    played.hear(state);
    played
}

impl Played {
    /// Whether something waits in Bob's queue.
    pub fn waits(&self) -> bool {
        self.batches.iter().any(Batch::waits)
    }

    /// When Alice has a key of Bob's.
    pub fn set(&self, key: u8) -> Option<i64> {
        let opened = self.had.iter().filter(|had| had.who == Who::Alice && had.became == Became::Opened);
        let of_bob = opened.filter(|had| self.batches[had.batch].by == Who::Bob && self.batches[had.batch].key == key);
        of_bob.map(|had| had.at + 20).min()
    }

    fn queue(&mut self, (by, tab): (Who, usize), key: u8, queued: i64, fate: Fate, targets: Vec<Who>) -> usize {
        self.batches.push(Batch { by, tab, key, queued, fate, targets, tries: Vec::new() });
        self.batches.len() - 1
    }

    fn send(&mut self, batch: usize, sent: i64, way: Way) {
        let quick = WAY_MS + SERVED_MS + BACK_MS;
        let (arrived, done) = match way {
            Way::Goes => (Some((sent + WAY_MS, 200)), (sent + quick, 200)),
            Way::Late => (Some((sent + USED_MS + 300, 200)), (sent + USED_MS + 300 + quick, 200)),
            Way::Held => (Some((sent + 40_000, 200)), (sent + 40_000 + quick, 200)),
            Way::Lost => (None, (sent + CLOSED_MS, 0)),
            Way::AnswerLost => (Some((sent + WAY_MS, 200)), (sent + CLOSED_MS, 0)),
            Way::Refused => (Some((sent + WAY_MS, 403)), (sent + quick, 403)),
            Way::LoggedOut => (Some((sent + WAY_MS, 401)), (sent + quick, 401)),
        };
        self.batches[batch].tries.push(Try { sent, arrived, done, stored: None, dropped: Vec::new() });
    }

    /// What is there before the first step.
    fn set_up(&mut self, state: &State) {
        let carols = self.queue((Who::Carol, SHOWN), 0, CAROLS_KEY_MS, Fate::InTime, vec![Who::Alice, Who::Bob]);
        self.send(carols, CAROLS_KEY_MS + 20, Way::Goes);
        if state.start.other_tab {
            let other_call = self.queue((Who::Bob, SHOWN), 0, CAROLS_KEY_MS + 500, Fate::InTime, vec![Who::Carol]);
            self.send(other_call, CAROLS_KEY_MS + 520, Way::Goes);
            return;
        }
        let targets = if state.start.has_key { vec![Who::Alice, Who::Carol] } else { vec![Who::Carol] };
        let first = self.queue((Who::Bob, SHOWN), 0, FIRST_KEY_MS, Fate::InTime, targets);
        self.send(first, FIRST_KEY_MS + 20, Way::Goes);
    }

    fn take(&mut self, begins: i64, action: Action, state: &State) {
        match action {
            Action::Wait => {}
            Action::Rotate(fate) => self.rotate(begins + ROTATED_MS, fate, state),
            Action::SendAgain => {
                self.send_again(begins + ROTATED_MS, Way::Goes);
            }
            Action::Resubscribe => self.subscribed.push(begins + SUBSCRIBED_MS),
            Action::News(news) => {
                let at = begins + NEWS_MS;
                match news {
                    News::Works => self.line.push((at, Line::Works)),
                    News::Stuck => self.line.push((at, Line::Fails)),
                    News::AnswersLost => self.line.push((at, Line::AnswerLost)),
                    News::OneAnswer => {
                        let at = begins + ONE_ANSWER_MS;
                        self.line.push((at - 1_000, Line::Fails));
                        self.line.push((at, Line::Works));
                        self.line.push((at + 60, Line::Hangs));
                    }
                }
            }
            Action::Freeze => self.frozen.push((begins + FROZEN_MS, i64::MAX)),
            Action::Thaw => {
                if let Some((_, to)) = self.frozen.last_mut() {
                    *to = begins + FROZEN_MS;
                }
            }
            Action::LogOut => self.left = Some(begins + LOGGED_MS),
            Action::LogIn => self.back = Some(begins + LOGGED_MS),
            Action::RestartServer => self.restarts.push(begins + RESTARTED_MS),
            Action::Clear(who) => self.cleared[who as usize] = Some(begins + CLEARED_MS),
            Action::SetClock(who, ahead) => set(&mut self.clocks[who as usize], begins + CLOCK_SET_MS, ahead),
            Action::SetServerClock(ahead) => set(&mut self.server_clock, begins + CLOCK_SET_MS, ahead),
        }
    }

    /// Sends what waits in Bob's queue, one after the other; whether all of it went, and when the queue is free. What meets the first
    /// request that is lost keeps the others back.
    fn send_again(&mut self, at: i64, way: Way) -> (bool, i64) {
        let busy = self.batches.iter().filter(|batch| batch.by == Who::Bob).flat_map(|batch| &batch.tries);
        let mut next = busy.map(|one| one.done.0).fold(at, i64::max) + 20;
        let waiting: Vec<usize> = (0..self.batches.len()).filter(|batch| self.batches[*batch].waits()).collect();
        for batch in waiting {
            self.send(batch, next, way);
            if way != Way::Goes {
                return (false, next);
            }
            next += 60;
        }
        (true, next)
    }

    fn rotate(&mut self, at: i64, fate: Fate, state: &State) {
        let way = Way::of(fate);
        let before = if matches!(way, Way::Lost | Way::AnswerLost) { way } else { Way::Goes };
        let (goes, next) = self.send_again(at, before);
        self.key += 1;
        let (tab, targets) = match (state.start.other_tab, fate) {
            (true, _) => (OTHER, vec![Who::Alice]),
            (false, Fate::NoTarget) => (SHOWN, vec![Who::Carol]),
            (false, _) => (SHOWN, vec![Who::Alice, Who::Carol]),
        };
        let batch = self.queue((Who::Bob, tab), self.key, at, fate, targets);
        if goes {
            self.send(batch, next, way);
        }
    }

    /// Whether the homeserver knows somebody's device.
    pub fn has_device(&self, who: Who, at: i64) -> bool {
        let is_gone = self.left.is_some_and(|left| left <= at) && self.back.is_none_or(|back| at < back);
        who != Who::Alice || !is_gone
    }

    /// What the homeserver does with each request that brings a batch.
    fn serve(&mut self) {
        let mut arrivals: Vec<(i64, usize, usize)> = Vec::new();
        for (batch, found) in self.batches.iter().enumerate() {
            let tries = found.tries.iter().enumerate();
            arrivals.extend(tries.filter_map(|(one, found)| Some((found.arrived?.0, batch, one))));
        }
        arrivals.sort_unstable();
        let mut stream = STREAM;
        // When each batch was taken last: within a run of the server, a transaction is taken once.
        let mut taken: Vec<Option<i64>> = vec![None; self.batches.len()];
        for (at, batch, one) in arrivals {
            let was_started = |since: i64| self.restarts.iter().any(|start| (since..at).contains(start));
            let is_known = taken[batch].is_some_and(|since| !was_started(since));
            if self.batches[batch].tries[one].arrived != Some((at, 200)) || is_known {
                continue;
            }
            taken[batch] = Some(at);
            let stored = at + STORED_MS;
            let (known, unknown): (Vec<Who>, Vec<Who>) =
                self.batches[batch].targets.iter().copied().partition(|who| self.has_device(*who, at));
            if !known.is_empty() {
                stream += 1;
                // Whoever logs out loses what waits.
                let left = self.left.filter(|left| stored < *left).unwrap_or(i64::MAX);
                self.rows.extend(known.iter().map(|who| Row {
                    batch,
                    to: *who,
                    stream,
                    stored,
                    removed: if *who == Who::Alice { left } else { i64::MAX },
                }));
            }
            let found = &mut self.batches[batch].tries[one];
            found.stored = (!known.is_empty()).then_some(stream);
            found.dropped = unknown;
        }
    }

    /// When the page of somebody stops asking for news: it does so for minutes after the last step.
    fn until(&self, who: Who) -> i64 {
        self.left.filter(|_| who == Who::Alice).unwrap_or(self.end + 330_000)
    }

    /// The next change of what a page meets after a time: its line changes, it is frozen, or it is left.
    fn disturbed(&self, who: Who, at: i64) -> i64 {
        let line = self.line.iter().map(|(from, _)| *from);
        let changes = line.chain(self.frozen.iter().map(|(from, _)| *from)).chain(self.left);
        changes.filter(|from| who == Who::Alice && *from > at).min().unwrap_or(i64::MAX)
    }

    /// All requests of somebody's client for news, one after the other.
    fn ask_for_news(&mut self, who: Who) {
        let until = self.until(who);
        let (mut at, mut answers, mut position) = (BEGAN_MS[who as usize] + 1_000, 0, STREAM);
        while at < until {
            if let Some((_, to)) = self.frozen.iter().find(|(from, to)| who == Who::Alice && (*from..*to).contains(&at))
            {
                at = to.saturating_add(20);
                continue;
            }
            let line = self.line.iter().rev().find(|(from, _)| who == Who::Alice && *from <= at);
            let line = line.map_or(Line::Works, |(_, line)| *line);
            let disturbed = self.disturbed(who, at);
            let mut sync = Sync {
                who,
                sent: at,
                token: (answers, position),
                served: None,
                done: (at + 250, 0),
                brought: Vec::new(),
                next: position,
            };
            if matches!(line, Line::Fails | Line::Hangs) {
                if line == Line::Hangs {
                    sync.done.0 = disturbed.min(at + GIVEN_UP_MS);
                }
                at = (sync.done.0 + RETRY_MS).min(disturbed.saturating_add(20));
                self.syncs.push(sync);
                continue;
            }
            let arrived = at + WAY_MS;
            for row in self.rows.iter_mut().filter(|row| row.to == who && row.stream <= position) {
                row.removed = row.removed.min(arrived);
            }
            let new = |row: &&Row| row.to == who && row.stream > position && row.removed > arrived;
            let first = self.rows.iter().filter(new).map(|row| row.stored.max(arrived)).min();
            let ready = first.unwrap_or(i64::MAX).min(arrived + POLL_MS);
            let killed = self.restarts.iter().copied().find(|start| (arrived..ready).contains(start));
            let ended = ready + 8;
            sync.served = Some((arrived, killed.is_none().then_some(ended)));
            sync.done = match killed {
                Some(start) => (start + 20, 502),
                None => (ended + BACK_MS, 200),
            };
            if line == Line::AnswerLost {
                sync.done = (sync.done.0, 0);
            }
            // The connection breaks, or the page does not see what comes.
            if disturbed < sync.done.0 {
                sync.done = (disturbed, 0);
            }
            at = match sync.done {
                (done, 200) => {
                    sync.brought = self.rows.iter().filter(|row| new(row) && row.stored <= ready).copied().collect();
                    position = sync.brought.iter().map(|row| row.stream).fold(position, i64::max);
                    sync.next = position;
                    answers += 1;
                    done + 30
                }
                (done, _) => (done + RETRY_MS).min(self.disturbed(who, done).saturating_add(20)),
            };
            self.syncs.push(sync);
        }
    }

    /// What clients do with the messages that they have.
    fn open(&mut self) {
        let mut known: Vec<(Who, usize)> = Vec::new();
        for sync in &self.syncs {
            for row in &sync.brought {
                let (who, fetched) = (sync.who, sync.done.0);
                let batch = &self.batches[row.batch];
                let became = match batch.fate {
                    Fate::Unopenable | Fate::OldFallback if who == Who::Alice => Became::Unopened,
                    _ if known.contains(&(who, row.batch)) => Became::Again,
                    _ => Became::Opened,
                };
                let is_late = batch.fate == Fate::OpenedLate && who == Who::Alice && became == Became::Opened;
                let mut at = fetched + OPENED_MS + if is_late { 12_000 } else { 0 };
                if who == Who::Alice {
                    let frozen = self.frozen.iter().find(|(from, to)| (*from..*to).contains(&at));
                    at = frozen.map_or(at, |(_, to)| to.saturating_add(10));
                }
                known.push((who, row.batch));
                if at < self.until(who) {
                    self.had.push(Had { who, batch: row.batch, at, became });
                }
            }
        }
    }

    /// What Alice hears of Bob: where frames come and there is no key at their index, her page says so once.
    fn hear(&mut self, state: &State) {
        let of_call = |batch: &&Batch| batch.by == Who::Bob && (batch.tab == OTHER) == state.start.other_tab;
        let first = (0, FIRST_FRAME_MS);
        let rotations = self.batches.iter().filter(of_call).filter(|batch| batch.key > 0);
        let used: Vec<(u8, i64)> =
            [first].into_iter().chain(rotations.map(|batch| (batch.key, batch.queued + USED_MS))).collect();
        let at_index = |at: i64| used.iter().rev().find(|(_, from)| *from <= at).map_or(0, |(key, _)| *key);
        let is_frozen = |at: i64| self.frozen.iter().any(|(from, to)| (*from..*to).contains(&at));
        let mut heard: Vec<(i64, u8)> = used.iter().map(|(key, at)| (at + 30, *key)).collect();
        heard.extend(self.subscribed.iter().map(|at| (*at, at_index(*at))));
        heard.retain(|(at, _)| !is_frozen(*at));
        for (from, to) in self.frozen.iter().filter(|(_, to)| *to < i64::MAX) {
            let now = at_index(*to);
            let came_meanwhile = used.iter().any(|(key, at)| *key == now && (*from..*to).contains(&(at + 30)));
            heard.extend(came_meanwhile.then_some((to + 1_000, now)));
        }
        heard.sort_unstable();
        let lacks = |(at, key): &(i64, u8)| {
            self.set(*key).is_none_or(|set| set > *at) && self.left.is_none_or(|left| *at < left)
        };
        self.missing = heard.into_iter().filter(lacks).collect();
    }
}

fn set(clock: &mut Vec<(i64, i64)>, at: i64, by: i64) {
    let now = clock.last().map_or(0, |(_, ahead)| *ahead);
    clock.push((at, now + by));
}
