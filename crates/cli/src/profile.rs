//! A profile: the sources of one server, in a file. Its entries are the options of [`Sources`], and nothing else.
//!
//! It is read only where it is named: a folder that somebody sent may hold one, and what leads to another host is a command.

use std::fs;
use std::path::Path;

use clap::{Args, Command};

use crate::args::Sources;
use crate::output;

/// Reads a profile.
///
/// # Errors
/// In words, with the file and the line.
pub fn read(path: &Path) -> Result<Sources, String> {
    let name = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| format!("{name}: cannot be read: {error}; `crypto-diag init` writes a profile"))?;
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(String::new(), |before| format!(", line {}", before.matches('\n').count() + 1));
        format!(
            "{name}{line}: {}; its entries are the options under “Sources on the server” in `crypto-diag check --help`, a list \
             where an option takes several",
            error.message()
        )
    })
}

/// A profile's text: each entry below what `--help` says of its option, and those that are not set as comments.
///
/// # Errors
/// In words, if a path is no text.
pub fn text(sources: &Sources) -> Result<String, String> {
    let entries = toml::Table::try_from(sources).map_err(|error| format!("the profile cannot be written: {error}"))?;
    let mut text = "# Where this server's logs and database are: `crypto-diag check --profile FILE`, and `run` and `collect` likewise.\n"
        .to_owned();
    for option in Sources::augment_args(Command::new("profile")).get_arguments() {
        let Some(name) = option.get_long() else { continue };
        text.push('\n');
        let help = option.get_long_help().or(option.get_help()).map(ToString::to_string);
        for line in help.iter().flat_map(|help| output::wrapped(help, "# ", "# ", COLUMNS)) {
            text.push_str(&format!("{line}\n"));
        }
        let is_set = |value: &&toml::Value| value.as_array().is_none_or(|list| !list.is_empty());
        match entries.get(name).filter(is_set) {
            Some(value) => text.push_str(&format!("{name} = {value}\n")),
            None if option.get_num_args().is_some_and(|count| count.max_values() > 1) => {
                text.push_str(&format!("# {name} = [\"…\"]\n"));
            }
            None => text.push_str(&format!("# {name} = \"…\"\n")),
        }
    }
    Ok(text)
}

/// Characters of a comment's line.
const COLUMNS: usize = 102;

impl Sources {
    /// What is stated here, and for the rest what a profile says.
    pub fn or(self, profile: Sources) -> Sources {
        fn list<T>(here: Vec<T>, there: Vec<T>) -> Vec<T> {
            if here.is_empty() { there } else { here }
        }
        let Sources { via, synapse_config, log, media_log, database, admin_api, zone } = self;
        Sources {
            via: via.or(profile.via),
            synapse_config: list(synapse_config, profile.synapse_config),
            log: list(log, profile.log),
            media_log: list(media_log, profile.media_log),
            database: database.or(profile.database),
            admin_api: admin_api.or(profile.admin_api),
            zone: zone.or(profile.zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Sources {
        Sources {
            via: Some("ssh 'root@host' \"pct\" exec 151 --".to_owned()),
            synapse_config: vec!["/etc/matrix-synapse/homeserver.yaml".into(), "/etc/matrix-synapse/conf.d".into()],
            log: vec!["/var/log/a \"quoted\" # log".into()],
            media_log: vec!["/var/log/livekit.log".into()],
            database: Some("host=/run/postgresql dbname=synapse".to_owned()),
            admin_api: Some("https://matrix.example.org".to_owned()),
            zone: Some(-330),
        }
    }

    fn read_text(text: &str) -> Result<Sources, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.toml");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_profile_reads_to_what_was_written() {
        for sources in [whole(), Sources::default()] {
            assert_eq!(read_text(&text(&sources).unwrap()).unwrap(), sources);
        }
    }

    /// So that nobody has to write them twice, and no entry is without an option.
    #[test]
    fn each_entry_has_the_name_of_its_option_and_stands_in_a_profile_that_sets_nothing() {
        let entries = toml::Table::try_from(whole()).unwrap();
        let options = Sources::augment_args(Command::new("profile"));
        let names: Vec<&str> = options.get_arguments().filter_map(clap::Arg::get_long).collect();
        assert_eq!(
            entries.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
            names.iter().copied().collect()
        );
        let empty = text(&Sources::default()).unwrap();
        for name in names {
            assert!(empty.contains(&format!("\n# {name} = ")), "{name}: {empty}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_what_to_do() {
        for (text, line, why) in [
            ("# a\nlogs = [\"x\"]\n", 2, "unknown field `logs`"),
            ("log = \"x\"\n", 1, "expected a sequence"),
            ("\n\nzone = \"Berlin\"\n", 3, "give an offset"),
            ("via = \"a\nlog = []\n", 1, "string"),
            ("via = \"a\"\nvia = \"b\"\n", 2, "duplicate key"),
        ] {
            let said = read_text(text).unwrap_err();
            assert!(said.contains(&format!("p.toml, line {line}: ")) && said.contains(why), "{text}: {said}");
            assert!(said.contains("crypto-diag check --help"), "{said}");
        }
        assert!(read(Path::new("/no/such.toml")).unwrap_err().contains("`crypto-diag init` writes"));
    }

    #[test]
    fn what_the_command_line_says_takes_the_place_of_the_profiles_entry() {
        let here = Sources { log: vec!["/here.log".into()], zone: Some(60), ..Sources::default() };
        let both = here.clone().or(whole());
        assert_eq!((both.log, both.zone), (here.log, here.zone));
        assert_eq!((both.via, both.database, both.media_log), (whole().via, whole().database, whole().media_log));
    }
}
