//! KE-2 on a page: media keys failed. Judged by participant and key index: LiveKit falls silent after the first errors,
//! and a rotation of a good call prints the same ones.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::Ke2;
use crypto_diag_analysis::evidence::ke2::{Ke2Kind, Participant};
use crypto_diag_core::{CallFact, CallFactKind, Ke, Meaning, Millis};

use super::rule::Rule;
use super::seen::{self, Shown};
use super::sent;
use crate::artefact::ArtefactKind;
use crate::case::watch::Sought;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::proof::{Premise, Proof};
use crate::verdict::Verdict;

/// A key that is under way comes with the next `/sync`, which returns within this, in milliseconds.
const COMES_WITHIN_MS: i64 = 30_000;

/// A key that is set this soon after an error was late, in milliseconds: `useKeyDelay` (1 s, in Element Call 5 s) and the way of its
/// message.
const SET_WITHIN_MS: u64 = 10_000;

const FAILED: Premise = Premise {
    id: "ke2-seen/line",
    says: "A line of the report says that a participant's media key is missing, or that a key was dropped or could not be \
           made.",
    rules_out: "Every line of the family is one that good calls print as well, such as that of whoever is alone in a call.",
};

const NO_DELIVERY: Premise = Premise {
    id: "ke2-seen/no-delivery",
    says: "After that error, and in the ten seconds before it, no key that may be that participant's was delivered.",
    rules_out: "The sender rotated its key, and its first frames were a moment ahead of the message that brought it.",
};

const DELIVERIES_SHOWN: Premise = Premise {
    id: "ke2-seen/deliveries-shown",
    says: "The report would show a delivery in that time: the capture watched, and none of its lines was given up.",
    rules_out: "The key came, and the report does not hold the line that says so.",
};

const WAITED: Premise = Premise {
    id: "ke2-seen/waited",
    says: "The report was made thirty seconds or more after the error, and the page was awake in that time.",
    rules_out: "The key was still under way, or lay on the server while the page slept.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Ke2Seen,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "LiveKit prints one error when it has no key for a participant's frames, marks the key index as invalid after eleven \
               frames, and then drops every frame without a word: silence after an error is no sign of health, and a key that \
               is a moment late prints the same error. What parts them is a delivery of that participant's key, or the line that \
               LiveKit's worker was given that very key moments later.",
    proven_by: &[&FAILED, &NO_DELIVERY, &DELIVERIES_SHOWN, &sent::PRINTED, &WAITED],
    refuted_by: &[&seen::QUIET, &seen::WATCHED],
    check,
    #[cfg(test)]
    histories,
};

/// An error about a participant's key.
struct Missing<'c> {
    entry: usize,
    line: &'c Ke2,
    delivered: bool,
    would_show: bool,
    waited: bool,
}

impl Missing<'_> {
    fn held(&self) -> usize {
        [!self.delivered, self.would_show, self.waited].into_iter().filter(|held| *held).count()
    }
}

fn check(case: &Case<'_>) -> Vec<Verdict> {
    seen::pages(case, Ke::Ke2).map(|page| of_page(case, page)).collect()
}

fn of_page(case: &Case<'_>, page: &Page) -> Verdict {
    let mut shown = Shown::default();
    let mut missing: Vec<Missing<'_>> = Vec::new();
    for (index, entry) in case.report(page).entries().filter(|(_, entry)| entry.ke == Ke::Ke2) {
        let Some(Facts::Ke2(line)) = &case.readings[page.report].evidence[index] else {
            if entry.meaning == Meaning::Failure {
                shown.leave_open(|| "a line about media keys has a form that is not known".to_owned());
            }
            continue;
        };
        match line.kind {
            Ke2Kind::Delivered => {}
            Ke2Kind::NoTargets => shown.harmless += 1,
            Ke2Kind::OwnKeyFailed | Ke2Kind::KeysDisabled => shown.failing.push(index),
            // Each call's transport drops the keys of all other calls with these words.
            Ke2Kind::Dropped if line.reason.as_deref() == Some("Mismatch roomId") => {
                shown.leave_open(|| {
                    "a media key of another room was dropped, as in every page with two calls".to_owned()
                });
            }
            Ke2Kind::Dropped => shown.failing.push(index),
            Ke2Kind::MissingKey if was_late(case, page, line, entry.ts) => shown.harmless += 1,
            Ke2Kind::MissingKey | Ke2Kind::ManyErrors | Ke2Kind::CallError | Ke2Kind::KeySetNotFound
                if !may_be_own(page, line) =>
            {
                missing.extend(judge(case, page, index, line));
            }
            Ke2Kind::KeyNotImported => shown.failing.push(index),
            // Element Call asks LiveKit to leave encryption off in a call without it, and LiveKit may refuse that, too.
            Ke2Kind::EncryptionNotEnabled => shown.leave_open(|| {
                "encryption was not switched on for a call, which may be one without it".to_owned()
            }),
            Ke2Kind::WrongKey => shown.leave_open(|| {
                "frames were met that the key of their index does not open, and whether the right one came is not shown".to_owned()
            }),
            _ => shown.leave_open(|| {
                "frames were met whose key was not set up yet, which is so at the start of a call".to_owned()
            }),
        }
    }
    if let Some(first) = missing.first() {
        let who = name(first.line.participant.as_ref());
        shown.leave_open(|| {
            if first.delivered {
                format!("a key of {who} was missing and one was delivered about then, and whether that healed it is not shown")
            } else {
                format!("a key of {who} was missing, and whether it came is not shown")
            }
        });
    }
    let direct = !shown.failing.is_empty();
    let prints = sent::are_printed(case, page);
    let best = missing.iter().max_by_key(|error| error.held());
    let proven = |error: &&Missing<'_>| error.held() == 3;
    let open: Vec<&Missing<'_>> = missing.iter().filter(proven).collect();
    let quoted: Vec<usize> =
        if direct { shown.failing.clone() } else { best.iter().map(|error| error.entry).collect() };
    // Of a line that says it outright, and where there is none, nothing more is asked.
    let holds = |of: fn(&Missing<'_>) -> bool| direct || best.is_none_or(of);
    let ask = || seen::ask(case, page, Ke::Ke2);
    let proof = Proof::new(case)
        .evidence(seen::quoted(case, page, &quoted, "a media key failed"))
        .premise(&FAILED, direct || best.is_some(), ask)
        .premise(&NO_DELIVERY, holds(|error| !error.delivered), ask)
        .premise(&DELIVERIES_SHOWN, holds(|error| error.would_show), ask)
        .premise(&sent::PRINTED, direct || prints || best.is_none(), ask)
        .premise(&WAITED, holds(|error| error.waited), ask);
    let saw = match open.first().copied().or(best) {
        Some(error) if !direct => format!(
            "the key {}of {} was missing, and none was delivered afterwards",
            error.line.key_index.map_or(String::new(), |index| format!("at index {index} ")),
            name(error.line.participant.as_ref())
        ),
        _ => format!("media keys were dropped or could not be made ({})", seen::lines(shown.failing.len())),
    };
    seen::decide(case, (Conclusion::Ke2Seen, Ke::Ke2), page, (shown, proof, &saw))
}

/// Whether the key may be this device's own, which no delivery brings: a sender without its own key prints "key set not
/// found" with its own identity, which may be a hash.
fn may_be_own(page: &Page, line: &Ke2) -> bool {
    let Some(participant) = &line.participant else { return line.kind == Ke2Kind::KeySetNotFound };
    match (&participant.user_id, &participant.device_id, &page.device) {
        (Some(user), Some(device), Some(own)) => *user == own.user_id && *device == own.device_id,
        (Some(_), Some(_), None) => true,
        _ => line.kind == Ke2Kind::KeySetNotFound,
    }
}

/// Whether LiveKit's worker was given the very key moments later, as in each rotation of a good call.
fn was_late(case: &Case<'_>, page: &Page, line: &Ke2, at: Millis) -> bool {
    let Some(participant) = line.participant.as_ref().filter(|_| line.key_index.is_some()) else { return false };
    let is_it = |fact: &CallFact| {
        fact.what == CallFactKind::KeySet
            && fact.participant.as_deref() == Some(&*participant.identity)
            && fact.key_index == line.key_index
            && fact.ts.0.checked_sub(at.0).is_some_and(|late| late <= SET_WITHIN_MS)
    };
    let mut facts = case.report(page).call.iter().flat_map(|call| &call.facts);
    !case.clocks.is_stepped(page.clock()) && facts.any(is_it)
}

fn judge<'c>(case: &Case<'c>, page: &Page, entry: usize, line: &'c Ke2) -> Option<Missing<'c>> {
    let at = case.printed(page.report, entry)?;
    let (_, made) = page.watched(case.report(page))?;
    let from = sent::healing_from(at);
    let waited_until = Moment::at(at.clock, at.latest + COMES_WITHIN_MS);
    let since = case.seen_from(page, from);
    let delivered = sent::deliveries_of(case, page, line.participant.as_ref(), from).next().is_some();
    Some(Missing {
        entry,
        line,
        delivered,
        would_show: case.could_have_shown(page, Sought::Line(Ke::Ke2), Some((since, made))).is_ok(),
        waited: case.clocks.is_before(waited_until, made) && case.was_awake(page, at, waited_until),
    })
}

fn name(participant: Option<&Participant>) -> String {
    participant.map_or_else(|| "a participant".to_owned(), |participant| participant.identity.clone())
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::{Level, PageEvent};

    const BEGUN: u64 = 1_795_424_000_000;
    const ERROR: u64 = BEGUN + 100_000;
    const MADE: u64 = BEGUN + 3_600_000;
    let missing = "CryptorError: missing key at index 4 for participant @bob:example.org:BOBDEVICEX";
    let delivery = |sender: &str| {
        format!(
            "WARN matrix_sdk_crypto::machine: Received an unexpected encrypted to-device event\n    in x with sender_key=\"curve25519:rgqwPuPByQk06DZaR7S1tre4ubq7vL2+v8DBwsPExcY\" event_type=\"io.element.call.encryption_keys\"\n    in y with sender=\"{sender}\" event_type=\"m.room.encrypted\" message_id=\"m1\""
        )
    };
    let page = |made: u64| {
        MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, made)
            .line(BEGUN + 50_000, Level::Warn, &delivery("@carol:example.org"))
            .line(ERROR, Level::Error, missing)
    };
    let alone = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE).line(
        ERROR,
        Level::Warn,
        "[ToDeviceKeyTransport] No targets found for sending key",
    );
    let set_up = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE).line(
        ERROR,
        Level::Error,
        "InternalError: encryption state unknown for track TR_x, dropping frame",
    );
    let about = "@alice:example.org/ALICE (alice.report.json)";
    let late = |name: &str, index, after: u64| {
        use crate::history::call::{BOB, Held, history, missing_bob};
        history(name, Held::default().line(60_000, &missing_bob(4)).key_set(60_000 + after, BOB, index))
    };
    let damaged = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE)
        .line(BEGUN + 50_000, Level::Warn, &delivery("@carol:example.org"))
        .line(ERROR, Level::Error, "InvalidKey: valid key missing for participant @bob:example.org:BOBDEVICEX");
    vec![
        History::new("one frame of Bob was damaged, an hour ago")
            .file("alice.report.json", damaged.json())
            .never_proves("ke2-seen", ""),
        late("Bob's key was a third of a second late, and the page says so", 4, 320).refutes("ke2-seen", about),
        late("Bob's key was two minutes late", 4, 120_000).never_refutes("ke2-seen", ""),
        late("another key of Bob was set moments after one was missing", 5, 320).never_refutes("ke2-seen", ""),
        History::new("a key is missing, and an hour passes without a delivery of it")
            .file("alice.report.json", page(MADE).json())
            .proves("ke2-seen", about),
        History::new("a key is missing, and another participant's key is delivered")
            .file(
                "alice.report.json",
                page(MADE).line(ERROR + 320, Level::Warn, &delivery("@carol:example.org")).json(),
            )
            .proves("ke2-seen", about),
        History::new("a key is missing on a console that shows no delivery of any key")
            .file(
                "alice.report.json",
                MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE).line(ERROR, Level::Error, missing).json(),
            )
            .never_proves("ke2-seen", "")
            .never_refutes("ke2-seen", ""),
        History::new("this device's own key could not be made")
            .file(
                "alice.report.json",
                MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE)
                    .line(ERROR, Level::Error, "Failed to rollout key Error: no")
                    .json(),
            )
            .proves("ke2-seen", about),
        History::new("whoever is alone in a call has nobody to send a key to")
            .file("alice.report.json", alone.json())
            .never_proves("ke2-seen", "")
            .refutes("ke2-seen", ""),
        History::new("frames came before the call was set up")
            .file("alice.report.json", set_up.json())
            .never_proves("ke2-seen", "")
            .never_refutes("ke2-seen", ""),
        History::new("a rotation, whose key came a third of a second late")
            .file("alice.report.json", page(MADE).line(ERROR + 320, Level::Warn, &delivery("@bob:example.org")).json())
            .never_proves("ke2-seen", "")
            .never_refutes("ke2-seen", ""),
        History::new("a rotation, whose delivery the buffer gave up")
            .file(
                "alice.report.json",
                page(MADE)
                    .line(ERROR + 320, Level::Warn, &delivery("@bob:example.org"))
                    .but(|report| {
                        report.entries.pop();
                        report.capture.evicted = 1;
                    })
                    .json(),
            )
            .never_proves("ke2-seen", ""),
        History::new("a key was delivered, then Clear was pressed, and then its first frames came")
            .file(
                "alice.report.json",
                page(MADE)
                    .but(|report| report.capture.cleared_at = Some(crypto_diag_core::Millis(ERROR - 2_000)))
                    .json(),
            )
            .never_proves("ke2-seen", ""),
        History::new("the report is made a second after the error")
            .file("alice.report.json", page(ERROR + 1_000).json())
            .never_proves("ke2-seen", "")
            .never_refutes("ke2-seen", ""),
        History::new("the page sleeps from the error until its report")
            .file(
                "alice.report.json",
                page(MADE)
                    .but(|report| {
                        let ts = crypto_diag_core::Millis(ERROR + 100);
                        report.capture.page_events.push(PageEvent { ts, event: "freeze".into() });
                    })
                    .json(),
            )
            .never_proves("ke2-seen", ""),
        History::new("what Olm could not open may have held a media key")
            .file(
                "alice.report.json",
                MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE)
                    .line(ERROR, Level::Warn, "Failed to decrypt a non-pre-key message with all available sessions")
                    .json(),
            )
            .never_refutes("ke2-seen", ""),
    ]
}
