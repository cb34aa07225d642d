//! Requests told apart: by route, and by path and query in a form that both sides share.

use std::hash::{DefaultHasher, Hash, Hasher};

use crypto_diag_core::redact;

/// Query parameters that stand in most lines, and hold no secret where their value is a number or a sync token.
const HARMLESS: [&str; 4] = ["since=", "timeout=", "filter=", "limit="];

/// The routes that the decision tree knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// `POST keys/upload`.
    KeysUpload,
    /// `POST keys/claim`.
    KeysClaim,
    /// `POST keys/query`.
    KeysQuery,
    /// `PUT sendToDevice/{type}/{txnId}`.
    SendToDevice,
    /// `POST delayed_events/{id}[/{action}]`.
    DelayedEvent,
    /// `GET sync` and its simplified sliding sibling.
    Sync,
    /// Anything else.
    Other,
}

impl Route {
    /// The route of a path.
    ///
    /// ```
    /// use crypto_diag_server_log::Route;
    ///
    /// assert_eq!(Route::of("/_matrix/client/v3/keys/upload?x=1"), Route::KeysUpload);
    /// assert_eq!(Route::of("/_matrix/client/v3/rooms/!r/send/keys/upload"), Route::Other);
    /// ```
    pub fn of(uri: &str) -> Route {
        let path = uri.split('?').next().unwrap_or_default();
        let Some(rest) = path.strip_prefix("/_matrix/client/") else { return Route::Other };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            [_, "keys", "upload", ..] => Route::KeysUpload,
            [_, "keys", "claim"] | [_, _, "keys", "claim"] => Route::KeysClaim,
            [_, "keys", "query"] => Route::KeysQuery,
            [_, "sendToDevice", ..] => Route::SendToDevice,
            [_, _, "delayed_events", ..] | [_, "delayed_events", ..] => Route::DelayedEvent,
            [_, "sync"] | [_, _, "sync"] => Route::Sync,
            _ => Route::Other,
        }
    }

    /// The route that a label of a metric names: one of our own names, or the class by which Synapse answers it.
    ///
    /// ```
    /// use crypto_diag_server_log::Route;
    ///
    /// assert_eq!(Route::of_label("delayed_events"), Route::DelayedEvent);
    /// assert_eq!(Route::of_label("RestartDelayedEventServlet"), Route::DelayedEvent);
    /// assert_eq!(Route::of_label("SlidingSyncRestServlet"), Route::Sync);
    /// assert_eq!(Route::of_label("KeyChangesServlet"), Route::Other);
    /// ```
    pub fn of_label(label: &str) -> Route {
        let named = [
            Route::KeysUpload,
            Route::KeysClaim,
            Route::KeysQuery,
            Route::SendToDevice,
            Route::DelayedEvent,
            Route::Sync,
        ];
        if let Some(route) = named.into_iter().find(|route| route.name() == label) {
            return route;
        }
        match label {
            "KeyUploadServlet" => Route::KeysUpload,
            "OneTimeKeyServlet" | "UnstableOneTimeKeyServlet" => Route::KeysClaim,
            "KeyQueryServlet" => Route::KeysQuery,
            "SendToDeviceRestServlet" => Route::SendToDevice,
            _ if label.ends_with("SyncRestServlet") => Route::Sync,
            _ if label.contains("DelayedEvent") => Route::DelayedEvent,
            _ => Route::Other,
        }
    }

    /// How commands and sentences name it.
    pub fn name(self) -> &'static str {
        match self {
            Route::KeysUpload => "keys/upload",
            Route::KeysClaim => "keys/claim",
            Route::KeysQuery => "keys/query",
            Route::SendToDevice => "sendToDevice",
            Route::DelayedEvent => "delayed_events",
            Route::Sync => "sync",
            Route::Other => "other",
        }
    }
}

/// Whether a request to that path waits for news, so that its duration says nothing of the server: `/sync` of every version,
/// sliding or not, and its forerunners.
pub fn waits_for_news(path: &[u8]) -> bool {
    let last = memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..]);
    last == b"sync" || last == b"initialSync" || last == b"events" && !path.windows(7).any(|part| part == b"/rooms/")
}

/// Path and query without secrets, in a form that is the same for the client's URL and the server's line: parameters
/// that hold or held a secret are left out.
pub fn canonical_uri(uri: &str) -> String {
    let uri = without_fragment(uri);
    let Some((path, query)) = uri.split_once('?') else { return redact(uri).text.into_owned() };
    let kept = |parameter: &&str| {
        let plain = |byte: u8| byte.is_ascii_digit() || b"_~.sm".contains(&byte);
        let harmless = HARMLESS.iter().find_map(|name| parameter.strip_prefix(name));
        if harmless.is_some_and(|value| value.bytes().all(plain)) {
            return true;
        }
        // With the separator in front, a name that is a secret only in a query is known for one.
        !parameter.contains("redacted") && redact(&format!("?{parameter}")).count == 0
    };
    let kept: Vec<&str> = query.split('&').filter(kept).collect();
    format!("{}?{}", redact(path).text, kept.join("&"))
}

/// A URI up to its fragment. The mark of what was closed has a `#` of its own, behind a space.
pub fn without_fragment(uri: &str) -> &str {
    let fragment = uri.match_indices('#').find(|(at, _)| !uri[..*at].ends_with(' '));
    fragment.map_or(uri, |(at, _)| &uri[..at])
}

/// What tells a request apart from others: its method and URI. Equal on both sides for the same request.
pub fn request_key(method: &str, uri: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    method.hash(&mut hasher);
    canonical_uri(uri).hash(&mut hasher);
    hasher.finish()
}

/// The id of a client's own that a request carries: what tells it from the same request of another day or client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnId {
    /// A transaction's id, which the client made up.
    Transaction,
    /// A delayed event's id, which the server made up for it.
    Delay,
    /// A sync's `since` token. Another user's sync may carry the same one.
    Since,
}

impl OwnId {
    /// Which id the request to that path and query carries, if it carries one.
    pub fn of(uri: &str) -> Option<OwnId> {
        if delay_id(uri).is_some() {
            return Some(OwnId::Delay);
        }
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        if txn_id(path).is_some() {
            return Some(OwnId::Transaction);
        }
        let parts: Vec<&str> = path.strip_prefix("/_matrix/client/")?.split('/').collect();
        match parts.as_slice() {
            [_, "rooms", _, "send" | "redact", _, transaction] if !transaction.is_empty() => Some(OwnId::Transaction),
            _ if Route::of(path) == Route::Sync => {
                let since = query.split('&').find_map(|parameter| parameter.strip_prefix("since="))?;
                (!since.is_empty()).then_some(OwnId::Since)
            }
            _ => None,
        }
    }
}

/// The delayed event's id in a path.
pub fn delay_id(uri: &str) -> Option<&str> {
    let rest = uri.split_once("/delayed_events/")?.1;
    rest.split(['/', '?']).next().filter(|id| !id.is_empty())
}

/// The transaction's id in the path of a `sendToDevice`.
pub fn txn_id(uri: &str) -> Option<&str> {
    let rest = uri.split_once("/sendToDevice/")?.1.split_once('/')?.1;
    rest.split(['/', '?']).next().filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_has_the_same_key_on_both_sides() {
        let server = request_key("GET", "/_matrix/client/v3/sync?access_token=<redacted>&since=s1&timeout=0");
        assert_eq!(
            server,
            request_key("GET", "/_matrix/client/v3/sync?access_token=syt_YWxpY2U_secretsecret&since=s1&timeout=0")
        );
        assert_eq!(server, request_key("GET", "/_matrix/client/v3/sync?since=s1&timeout=0#x"));
        assert_ne!(server, request_key("GET", "/_matrix/client/v3/sync?since=s2&timeout=0"));
    }

    #[test]
    fn every_form_of_sync_waits_for_news() {
        for path in [
            "/_matrix/client/v3/sync",
            "/_matrix/client/r0/sync",
            "/_matrix/client/unstable/org.matrix.msc3575/sync",
            "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
            "/_matrix/client/r0/initialSync",
            "/_matrix/client/r0/rooms/!x/initialSync",
            "/_matrix/client/r0/events",
        ] {
            assert!(waits_for_news(path.as_bytes()), "{path}");
        }
        for path in ["/_matrix/client/v3/keys/upload", "/_matrix/client/v3/rooms/!x/sync2", "/syncer", ""] {
            assert!(!waits_for_news(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn only_an_id_tells_one_request_from_the_same_one_of_another_day() {
        for (uri, id) in [
            ("/_matrix/client/v3/sync?filter=0&timeout=0&since=s1_2_3", Some(OwnId::Since)),
            ("/_matrix/client/v3/sync?filter=0", None),
            ("/_matrix/client/v3/sendToDevice/m.room.encrypted/abc", Some(OwnId::Transaction)),
            ("/_matrix/client/v3/rooms/!r:h/send/m.room.message/m1.2", Some(OwnId::Transaction)),
            ("/_matrix/client/v3/rooms/!r:h/redact/$e/m1.3", Some(OwnId::Transaction)),
            ("/_matrix/client/v3/rooms/!r:h/members", None),
            ("/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_a/restart", Some(OwnId::Delay)),
            ("/_matrix/client/versions", None),
            ("/_matrix/client/v3/capabilities", None),
            ("/_matrix/client/v3/pushrules/", None),
            ("/_matrix/client/v3/voip/turnServer", None),
            ("/_matrix/client/v3/keys/upload", None),
        ] {
            assert_eq!(OwnId::of(uri), id, "{uri}");
        }
    }
}
