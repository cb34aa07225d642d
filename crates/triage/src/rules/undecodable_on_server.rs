//! KE-3: the event was stored with a sender's key that is none.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::Ke3;
use crypto_diag_analysis::evidence::ke3::Defect;

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::subject::Subject;
use crate::verdict::{ClockOf, Evidence, Sentences, Verdict};

/// Characters of a Curve25519 key in unpadded base64.
const KEY_CHARACTERS: usize = 43;

const STORED_BROKEN: Premise = Premise {
    id: "undecodable-on-server/stored-broken",
    says: "The sender_key in the content that the server's database holds is not 43 characters of base64.",
    rules_out: "It is whole on the server, and something on the way, or the client itself, spoils it.",
};

const STORED_WHOLE: Premise = Premise {
    id: "undecodable-on-server/stored-whole",
    says: "The sender_key in the content that the server's database holds is 43 characters of base64.",
    rules_out: "",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::UndecodableOnServer,
    needs: &[ArtefactKind::Report, ArtefactKind::QueryResults],
    reads: &[],
    argument: "The client says that a public key of an event cannot be decoded, and names no field. An encrypted room event has one public key \
               outside of its ciphertext, sender_key. Pruning takes a field away and changes none, so that a key which is there was stored so.",
    proven_by: &[&STORED_BROKEN],
    refuted_by: &[&STORED_WHOLE],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for (report, entry, _, facts) in case.lines() {
        let Facts::Ke3(Ke3 { event_id: Some(id), defect: Some(Defect::NoPublicKey), .. }) = facts else { continue };
        let Some(page) = case.pages.get(report) else { continue };
        let verdict = judge(case, page, id, entry);
        if verdicts.iter().all(|known| known.about != verdict.about) {
            verdicts.push(verdict);
        }
    }
    verdicts
}

fn is_key(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    bare.len() == KEY_CHARACTERS && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn judge(case: &Case<'_>, page: &Page, id: &str, entry: usize) -> Verdict {
    let label = case.label(page);
    let (mut broken, mut whole): (Vec<Evidence>, Vec<Evidence>) = Default::default();
    for results in &case.bundle.queries {
        for row in results.events.iter().filter(|row| row.event_id == id) {
            let Some(key) = &row.sender_key else { continue };
            let text = format!("{id} content.sender_key has {} characters: {key}", key.chars().count());
            let says = "the event as the server holds it";
            let piece = Evidence::new(&results.name, row.place.clone(), None, ClockOf::Server, &text, says);
            if is_key(key) { &mut whole } else { &mut broken }.push(piece);
        }
    }
    let (is_broken, is_whole) = (!broken.is_empty() && whole.is_empty(), !whole.is_empty() && broken.is_empty());
    let proof = Proof::new(case)
        .evidence(case.entry(page.report, entry, "the client could not read the event"))
        .premise(&STORED_BROKEN, is_broken.then_some(broken), || {
            vec![Need::query(Some(page.report), "ke3-events", "the sender_key of the event as the server holds it")]
        });
    let refutation = Proof::new(case).premise(&STORED_WHOLE, is_whole.then_some(whole), Vec::new);
    let sentences = Sentences {
        proven: format!(
            "Event {id} was stored with a sender_key that is no Curve25519 key: its sender, or the sender's server, made it so."
        ),
        refuted: format!(
            "Event {id} was not stored with a broken sender_key: something on the way to {label}, or its client, spoils it."
        ),
        unknown: format!(
            "Where the public key of event {id} was spoiled, which {label} could not decode, cannot be told."
        ),
    };
    let subject = Subject { device: page.device.clone(), event_ids: vec![id.to_owned()], ..Subject::default() };
    let about = (format!("{id} sender_key at {label}"), subject);
    Verdict::decide(case, Conclusion::UndecodableOnServer, about, proof, Some(refutation), sentences)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, event_row};

    let words =
        "Failed decoding Curve25519 key from base64: Invalid number of bytes for Curve25519, expected 32, got 31.";
    let story = |name: &str| {
        History::recorded("algorithm-stripped", name)
            .rewrite("victim.report.json", |text| text.replace("missing field `algorithm`", words))
    };
    let stored = |name: &str, key: &'static str| {
        story(name).edit("queries.json", move |queries| event_row(queries)["content"]["sender_key"] = key.into())
    };
    vec![
        stored("a client sends its key without the last byte", "7qpbgTBsTjgn/OyR7nykt1lTIrf4H64xh7d4OiuVnn")
            .proves("undecodable-on-server", "sender_key")
            .proves("ke3-seen", ""),
        stored("a client sends something else for its key", "my key").proves("undecodable-on-server", "sender_key"),
        story("a proxy cuts the key short")
            .refutes("undecodable-on-server", "sender_key")
            .never_proves("undecodable-on-server", ""),
        stored("the key that is stored was made longer", "7qpbgTBsTjgn/OyR7nykt1lTIrf4H64xh7d4OiuVnnwA")
            .never_refutes("undecodable-on-server", ""),
        story("nobody asked the database")
            .without("queries.json")
            .never_proves("undecodable-on-server", "")
            .exits(&[1]),
        story("the event expired, and Synapse has rewritten it")
            .edit("queries.json", |queries| event_row(queries)["content"] = serde_json::json!({}))
            .never_proves("undecodable-on-server", "")
            .never_refutes("undecodable-on-server", ""),
    ]
}
