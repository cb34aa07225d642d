//! What the browser measured of the page's requests to a homeserver: times and answers by route, without any address.

use serde::{Deserialize, Serialize};

use crate::entry::Millis;

/// The page's requests to Matrix routes, as the browser listed them when they had ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Requests {
    /// Those to routes that [`RequestRoute`] names, in the order in which they ended, bounded: of too many the newest are kept.
    pub rows: Vec<Request>,
    /// Rows that gave way to newer ones.
    pub omitted: u64,
    /// Requests to other Matrix routes, such as pictures: counted, and not listed.
    pub other: u64,
}

/// A request that has ended. One that goes on is not listed, and some browsers do not list one that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Request {
    /// Where it went.
    pub route: RequestRoute,
    /// When the page asked for it, in milliseconds since the epoch, by the page's clock.
    pub ts: Millis,
    /// Milliseconds from then to the answer's end: the browser's own queue, a preflight, the way, gateways and the server together.
    pub duration: u64,
    /// The answer's status; 0 if the page got none, because the request was given up, failed or was blocked; null where the browser
    /// does not tell.
    pub status: Option<u32>,
}

macro_rules! routes {
    ($($route:ident: $template:literal,)+) => {
        /// The routes whose requests are told apart, by their templates: `{}` stands for any one part of the path.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum RequestRoute {
            $(#[doc = $template] #[serde(rename = $template)] $route,)+
        }

        impl RequestRoute {
            /// All of them. Where two fit, the first one says more.
            pub const ALL: &[RequestRoute] = &[$(RequestRoute::$route,)+];

            /// The template, as a report has it.
            pub fn template(self) -> &'static str {
                match self {
                    $(RequestRoute::$route => $template,)+
                }
            }
        }
    };
}

routes! {
    Sync: "sync",
    KeysUpload: "keys/upload",
    KeysQuery: "keys/query",
    KeysClaim: "keys/claim",
    SendToDeviceEncrypted: "sendToDevice/m.room.encrypted/{}",
    SendToDevice: "sendToDevice/{}/{}",
    Send: "rooms/{}/send/{}/{}",
    CallMember: "rooms/{}/state/org.matrix.msc3401.call.member/{}",
    State: "rooms/{}/state/{}/{}",
    DelayedEventRestart: "delayed_events/{}/restart",
    DelayedEventAction: "delayed_events/{}/{}",
    DelayedEvent: "delayed_events/{}",
}
