//! What a rageshake says of itself: `details.json` beside its consoles, or `details.log` of older servers.
//!
//! Source: matrix-org/rageshake, submit.go. What the user wrote into it is nobody's business here.

use serde_json::Value;

use crate::subject::Device;

/// Lines of `details.log` that are looked at.
const LINES_MAX: usize = 500;

/// Whose rageshake it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rageshake {
    /// The folder that it describes, with the slash at its end; empty for the topmost.
    pub folder: String,
    /// The device, if both its ids are there.
    pub device: Option<Device>,
    /// The browser, as it names itself.
    pub user_agent: Option<String>,
    /// The app's version, as it names it.
    pub version: Option<String>,
    /// Whether the browser has promised not to evict the app's storage.
    pub persisted: Option<bool>,
}

impl Rageshake {
    /// Whether a file that begins so is such a description.
    pub fn is_one(name: &str, head: &[u8]) -> bool {
        let has = |words: &str| memchr::memmem::find(head, words.as_bytes()).is_some();
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let json = has("\"user_text\"") && has("\"data\"");
        json || (matches!(file, "details.log" | "details.json") && (has("Application: ") || has("\"data\"")))
    }

    /// Reads one.
    pub fn read(name: &str, text: &str) -> Option<Rageshake> {
        let data = match serde_json::from_str::<Value>(text) {
            Ok(value) => Some(value.get("data")?.clone()),
            Err(_) if text.contains("Application: ") => None,
            Err(_) => return None,
        };
        let field = |name: &str| match &data {
            Some(data) => data.get(name)?.as_str().map(str::to_owned),
            None => {
                let mut lines = text.lines().take(LINES_MAX).filter_map(|line| line.split_once(": "));
                lines.find(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned())
            }
        };
        let device_id = field("device_id").or_else(|| field("verified_device_id"));
        let device =
            field("user_id").zip(device_id).filter(|(user, device)| user.starts_with('@') && !device.is_empty());
        Some(Rageshake {
            folder: folder(name).to_owned(),
            device: device.map(|(user, device)| Device::new(&user, &device)),
            user_agent: field("user_agent").or_else(|| field("User-Agent")),
            version: field("version").or_else(|| field("Version")),
            persisted: field("storageManager_persisted").and_then(|text| text.parse().ok()),
        })
    }
}

/// The folder of a file, with the slash at its end.
pub fn folder(name: &str) -> &str {
    name.rfind('/').map_or("", |at| &name[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_name_the_device() {
        let json = r#"{"user_text":"my diary","app":"element-web","data":{"user_id":"@a:x","device_id":"D","User-Agent":"Mozilla","Version":"1.11.88","storageManager_persisted":"true"}}"#;
        let log = "my diary\n\nNumber of logs: 1\nApplication: element-web\nLabels: \nUser-Agent: Mozilla\ndevice_id: D\nuser_id: @a:x\nVersion: 1.11.88\nstorageManager_persisted: true\n";
        for (name, text) in [("shake/details.json", json), ("shake/details.log", log)] {
            assert!(Rageshake::is_one(name, text.as_bytes()), "{name}");
            let found = Rageshake::read(name, text).unwrap();
            assert_eq!((found.folder.as_str(), found.device), ("shake/", Some(Device::new("@a:x", "D"))));
            assert_eq!(found.user_agent.as_deref(), Some("Mozilla"));
            assert_eq!((found.version.as_deref(), found.persisted), (Some("1.11.88"), Some(true)));
        }
        assert!(!Rageshake::is_one("a.json", br#"{"data":{}}"#));
        assert_eq!(Rageshake::read("details.json", "{"), None);
    }
}
