//! How rows call people, devices and servers.

use crypto_diag_pseudonym::{Hashing, Key, Kind, Pseudonym};
use crypto_diag_triage::subject::Device;

/// The pseudonyms of a deployment.
#[derive(Clone, Debug)]
pub struct Names {
    key: Key,
    /// Homeservers that stand in rows under their own names.
    open: Vec<String>,
}

impl Names {
    /// Pseudonyms under a key. `open`: homeservers so large that their names tell nobody's; of all others the name is an id, since a server
    /// may have one user.
    pub fn new(key: Key, open: Vec<String>) -> Names {
        Names { key, open }
    }

    pub(crate) fn of(&self, kind: Kind, id: &str) -> Pseudonym {
        self.key.of(kind, id)
    }

    pub(crate) fn begin(&self, kind: Kind) -> Hashing {
        self.key.begin(kind)
    }

    pub(crate) fn device(&self, user_id: &str, device_id: &str) -> Pseudonym {
        self.of(Kind::Device, &Device::new(user_id, device_id).label())
    }

    /// The homeserver of a user.
    pub(crate) fn homeserver(&self, user_id: &str) -> Option<String> {
        user_id.split_once(':').map(|(_, server)| self.server(server))
    }

    /// A homeserver by its name.
    pub(crate) fn server(&self, name: &str) -> String {
        let is_open = self.open.iter().any(|open| open == name);
        if is_open { name.to_owned() } else { self.of(Kind::Homeserver, name).to_string() }
    }
}
