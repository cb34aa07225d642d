//! Histories of events: that each cause is told of the history in which it acts, and that nothing false is said.

use crypto_diag_world::events::Action::{
    self, Expire, Redact, Reload, ReloadWithOldToken, Retry, Rewrite, Scroll, Send,
};
use crypto_diag_world::events::Fate::{
    ClientLoses, ClientSpoils, Erased, FromLater, KeptBack, LostThenKeptBack, LostThenUnavailable, SentBroken,
    SentWithout, Spoiled, Stripped, Whole,
};
use crypto_diag_world::events::{ALL, Events, State, View};
use crypto_diag_world::model::reached;
use crypto_diag_world::search::rightly_said;
use crypto_diag_world::views::HarView;

/// What is rightly said of a history; it fails if anything false is said.
fn rightly(path: &[Action], view: &View) -> Vec<String> {
    let state = reached(&Events, State::default(), path);
    rightly_said(&Events, &state, view)
}

#[test]
fn each_cause_is_told_of_the_history_in_which_it_acts() {
    let told = |path: &[Action], what: &str| {
        let said = rightly(path, &ALL);
        assert!(said.iter().any(|said| said == what), "{path:?}: {what}: {said:?}");
    };
    told(&[Send(SentWithout)], "proven malformed-on-server");
    told(&[Send(SentWithout), Redact], "proven malformed-on-server");
    told(&[Send(SentBroken)], "proven undecodable-on-server");
    told(&[Send(Stripped)], "proven stripped-on-the-way");
    told(&[Send(ClientLoses)], "proven client-bug");
    told(&[Send(KeptBack)], "proven room-key-withheld");
    told(&[Send(FromLater)], "proven room-key-from-later");
    told(&[Send(Spoiled)], "refuted undecodable-on-server");
    told(&[Send(ClientSpoils)], "refuted undecodable-on-server");
}

#[test]
fn two_events_that_were_spoiled_in_one_way_are_each_told() {
    let said = rightly(&[Send(Stripped), Send(Stripped)], &ALL);
    let count = said.iter().filter(|said| *said == "proven stripped-on-the-way").count();
    assert_eq!(count, 2, "{said:?}");
}

#[test]
fn an_event_without_content_was_spoiled_by_nobody() {
    let causes = ["malformed-on-server", "stripped-on-the-way", "client-bug", "undecodable-on-server"];
    for path in [
        vec![Send(Erased)],
        vec![Send(Whole), Expire, Reload],
        vec![Send(Whole), Redact, Reload],
        vec![Send(Whole), Redact, Rewrite, Reload],
    ] {
        let said = rightly(&path, &ALL);
        let blamed = said.iter().filter_map(|said| said.strip_prefix("proven "));
        assert!(!blamed.into_iter().any(|cause| causes.contains(&cause)), "{path:?}: {said:?}");
    }
}

#[test]
fn a_copy_of_the_rooms_history_says_nothing_of_what_a_sync_brought() {
    let har = HarView { span: (1, u8::MAX), ..HarView::ALL };
    let later = View { har: Some(har), ..ALL };
    for view in [ALL, later] {
        let said = rightly(&[Send(Stripped), Scroll, Retry], &view);
        assert!(!said.contains(&"proven client-bug".to_owned()), "{said:?}");
    }
}

#[test]
fn an_event_that_comes_again_after_a_reload_does_not_prove_an_earlier_notice() {
    let har = HarView { span: (1, u8::MAX), ..HarView::ALL };
    let path = [Send(KeptBack), Send(LostThenKeptBack), ReloadWithOldToken];
    rightly(&path, &View { har: Some(har), ..ALL });
}

#[test]
fn a_notice_that_comes_after_the_event_is_no_reason_for_the_key_to_be_missing() {
    for fate in [LostThenKeptBack, LostThenUnavailable] {
        let said = rightly(&[Send(fate), Retry], &ALL);
        assert!(!said.contains(&"proven room-key-withheld".to_owned()), "{said:?}");
    }
}
