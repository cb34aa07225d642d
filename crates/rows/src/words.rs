//! Texts of a report as words of fixed lists. A row must hold no id, and an app may put anything into a text.

use crypto_diag_core::SIGNATURES;
use serde::Serialize;

/// Digits that one number of a version has at most.
const DIGITS_MAX: usize = 5;

/// Stages in front of a release, as npm and crates name them.
const STAGES: [&str; 4] = ["rc", "beta", "alpha", "dev"];

/// matrix-js-sdk, `SyncState`.
const SYNC_STATES: [&str; 6] = ["PREPARED", "SYNCING", "CATCHUP", "ERROR", "RECONNECTING", "STOPPED"];

/// Browsers and what they are called, the most particular first: each names those below it as well.
const BROWSERS: [(&str, &str); 8] = [
    ("Electron/", "electron"),
    ("Edg/", "edge"),
    ("OPR/", "opera"),
    ("SamsungBrowser/", "samsung"),
    ("Firefox/", "firefox"),
    ("HeadlessChrome/", "chrome"),
    ("Chrome/", "chrome"),
    ("Version/", "safari"),
];

/// Systems and what they are called, the most particular first.
const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "android"),
    ("iPhone", "ios"),
    ("iPad", "ios"),
    ("Windows", "windows"),
    ("Mac OS X", "macos"),
    ("CrOS", "chromeos"),
    ("Linux", "linux"),
];

/// The first version in a text: two or three numbers, and a stage if there is one. `Rust SDK 0.19.1 (a3d573d), Vodozemac 0.11.0` has 0.19.1.
pub fn version(text: &str) -> Option<String> {
    let word = |character: char| character.is_whitespace() || matches!(character, ',' | ';' | '(' | ')');
    text.split(word).map(|word| word.strip_prefix('v').unwrap_or(word)).find(|word| is_version(word)).map(str::to_owned)
}

fn is_version(word: &str) -> bool {
    let is_number =
        |text: &str| !text.is_empty() && text.len() <= DIGITS_MAX && text.bytes().all(|byte| byte.is_ascii_digit());
    let (numbers, stage) = word.split_once('-').map_or((word, None), |(numbers, stage)| (numbers, Some(stage)));
    let parts: Vec<&str> = numbers.split('.').collect();
    let is_stage = |stage: &str| {
        let (name, number) = stage.split_once('.').map_or((stage, None), |(name, number)| (name, Some(number)));
        STAGES.contains(&name) && number.is_none_or(is_number)
    };
    matches!(parts.len(), 2 | 3) && parts.into_iter().all(is_number) && stage.is_none_or(is_stage)
}

/// The browser and its main version: `firefox 153`.
pub fn browser(user_agent: &str) -> Option<String> {
    let (product, name) = BROWSERS.iter().find(|(product, _)| user_agent.contains(product))?;
    let rest = user_agent.split_once(product)?.1;
    let digits = rest.bytes().take(DIGITS_MAX).take_while(u8::is_ascii_digit).count();
    Some(if digits == 0 { (*name).to_owned() } else { format!("{name} {}", &rest[..digits]) })
}

/// The operating system.
pub fn system(user_agent: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(words, _)| user_agent.contains(words)).map(|(_, name)| *name)
}

/// The state of sync, if it is one that the SDK knows.
pub fn sync(state: &str) -> Option<&'static str> {
    SYNC_STATES.into_iter().find(|known| *known == state)
}

/// The words that a line was known by; `None` for those of a table that this program does not have.
pub fn signature(words: &str) -> Option<&'static str> {
    SIGNATURES.iter().map(|row| row.needle).find(|needle| *needle == words)
}

/// A value of a closed list as the word that JSON has for it.
pub fn word(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Some(word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_numbers_and_a_known_stage() {
        for (text, found) in [
            ("41.6.0-rc.0", Some("41.6.0-rc.0")),
            ("v43.0.0", Some("43.0.0")),
            ("Rust SDK 0.19.1 (a3d573d), Vodozemac 0.11.0", Some("0.19.1")),
            ("1.11", Some("1.11")),
            ("10.10.10.44", None),
            ("@1.2:example.org", None),
            ("1.2.3-alice", None),
            ("1.2.1795425887138", None),
            ("develop", None),
            ("", None),
        ] {
            assert_eq!(version(text).as_deref(), found, "{text}");
        }
    }

    #[test]
    fn a_browser_is_the_most_particular_product() {
        for (agent, name, os) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0", "firefox 153", "linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "edge 140",
                "windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "safari 18",
                "ios",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
                "chrome 156",
                "linux",
            ),
        ] {
            assert_eq!((browser(agent).as_deref(), system(agent)), (Some(name), Some(os)), "{agent}");
        }
        assert_eq!((browser("curl/8"), system("curl/8")), (None, None));
    }
}
