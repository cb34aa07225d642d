//! Joins ledger lines to the answer of their request.

use std::collections::HashMap;

use crypto_diag_server_log::Route;
use crypto_diag_server_log::zone::rounding_ms;

use super::record::{Request, UploadOutcome};
use super::server_log::ServerLog;

/// The answers to uploads, by process and request id.
struct Answers<'l>(HashMap<(u16, &'l str), Vec<&'l Request>>);

impl Answers<'_> {
    /// The one answer that a line belongs to: same id, in one process between two starts, within the request's duration, of
    /// the same user where both say whose they are, and one only.
    fn of(&self, process: u16, id: Option<&str>, user_id: Option<&str>, time: i64) -> Option<&Request> {
        let mut found = self.0.get(&(process, id?))?.iter().filter(|request| {
            let rounding = rounding_ms(request.end, time);
            let within = request.start - rounding <= time && time <= request.end + rounding;
            let same_user = request.user_id.as_deref().zip(user_id).is_none_or(|(one, other)| one == other);
            within && same_user
        });
        let first = found.next()?;
        found.next().is_none().then_some(*first)
    }
}

/// Says of uploads and refusals what became of them, and when their requests came.
pub(super) fn join(log: &mut ServerLog) {
    let mut answers = Answers(HashMap::new());
    for request in log.requests.iter().filter(|request| request.route == Route::KeysUpload) {
        answers.0.entry((request.process, &request.id)).or_default().push(request);
    }
    let found: Vec<Option<&Request>> = log
        .uploads
        .iter()
        .map(|upload| answers.of(upload.process, upload.request.as_deref(), Some(&upload.user_id), upload.time))
        .collect();
    // A request adds keys once: an answer that two lines lay claim to is of one of them, and nothing says of which.
    let mut claimed: HashMap<u64, u32> = HashMap::new();
    for request in found.iter().flatten() {
        *claimed.entry(request.line).or_default() += 1;
    }
    for (upload, answer) in log.uploads.iter_mut().zip(found) {
        let answer = answer.filter(|request| claimed.get(&request.line) == Some(&1));
        upload.start = answer.map(|request| request.start);
        upload.outcome = match answer {
            Some(request) if request.status == 200 => UploadOutcome::Accepted { line: request.line },
            Some(request) => UploadOutcome::Refused { status: request.status, line: request.line },
            None => UploadOutcome::Unknown,
        };
    }
    for line in &mut log.conflicts {
        let user_id = line.conflict.user_id.as_deref();
        let answer = answers.of(line.process, line.request.as_deref(), user_id, line.at);
        line.start = answer.map(|request| request.start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;

    fn outcomes(world: &str, user_id: &str) -> Vec<UploadOutcome> {
        let bundle = History::world(world, world).bundle();
        let uploads = bundle.logs.iter().flat_map(|log| &log.uploads);
        uploads.filter(|upload| upload.user_id == user_id).map(|upload| upload.outcome).collect()
    }

    #[test]
    fn of_two_workers_that_use_the_same_ids_each_users_upload_has_its_own_answer() {
        let alice = outcomes("80-same-request-ids", "@alice:example.org");
        assert!(!alice.is_empty());
        let refused = |outcome: &UploadOutcome| matches!(outcome, UploadOutcome::Refused { status: 400, .. });
        assert!(alice.iter().all(refused), "{alice:?}");
        let carol = outcomes("80-same-request-ids", "@carol:example.org");
        assert!(!carol.is_empty());
        assert!(carol.iter().all(|outcome| matches!(outcome, UploadOutcome::Accepted { .. })), "{carol:?}");
    }

    #[test]
    fn an_id_that_is_used_again_after_hours_joins_the_answer_of_its_own_time() {
        let alice = outcomes("82-ids-restart", "@alice:example.org");
        assert!(matches!(alice[0], UploadOutcome::Accepted { line: 2 }), "{alice:?}");
    }
}
