//! `crypto-diag init`: looks for what a profile names, writes it, and says what could not be reached.

use std::path::{Path, PathBuf};

use crypto_diag_collect::{Database, Host, Via};
use crypto_diag_core::showable;

use crate::args::{InitArguments, Sources};
use crate::check::Check;
use crate::services::{self, Part, Service};
use crate::sources::Found;
use crate::{exit, output, profile};

/// Where packages and images have Synapse's configuration, each with what Synapse is given beside it: Debian's, Fedora's, the image of
/// Synapse's authors, matrix-docker-ansible-deploy.
const CONFIGS: [&[&str]; 4] = [
    &["/etc/matrix-synapse/homeserver.yaml", "/etc/matrix-synapse/conf.d", "/etc/matrix-synapse/workers"],
    &["/etc/synapse/homeserver.yaml"],
    &["/data/homeserver.yaml"],
    &["/matrix/synapse/config/homeserver.yaml"],
];

/// Where logs of the media side of calls may be, in folders of these names or in files whose names begin so.
const LOGS: &str = "/var/log";
const MEDIA_NAMES: [&str; 2] = ["livekit", "lk-jwt"];

/// Writes a profile of what is stated and of what was found, and tries it.
///
/// # Errors
/// In words, if no profile could be written.
pub fn run(arguments: InitArguments) -> Result<u8, String> {
    let InitArguments { output: path, mut sources } = arguments;
    output::check_new(&path)?;
    if sources.database.as_deref().is_some_and(|url| Database::from(url).has_password()) {
        return Err("--database: a profile holds no password: leave it out, and give it in PGPASSWORD when the database is asked, \
                    or with --via in ~/.pgpass over there"
            .to_owned());
    }
    let via = sources.via.as_deref().map(Via::find).transpose()?;
    let hints = look_around(&mut sources, Host::of(via.as_ref()));
    output::write_new(&path, &profile::text(&sources)?)?;
    let mut text = format!("{}\n\n", path.display());
    match Found::find(sources, false) {
        Ok(found) => {
            let mut check = Check::default();
            check.all(&found);
            text.push_str(&check.text);
        }
        Err(why) => text.push_str(&format!("It cannot be used yet: {}\n", showable(&why))),
    }
    for hint in hints {
        text.push_str(&format!("\n{}\n", showable(&hint)));
    }
    text.push_str(&format!("\nNext: crypto-diag check --profile {}\n", path.display()));
    output::print(&text)?;
    Ok(exit::NOTHING_WRONG)
}

/// Fills in what is not stated, and says what is not found where it was looked for.
fn look_around(sources: &mut Sources, host: Host<'_>) -> Vec<String> {
    let mut hints = Vec::new();
    let running = host.command_lines();
    let services = services::running(host);
    if sources.synapse_config.is_empty() && sources.log.is_empty() {
        sources.synapse_config = synapse_config(&running, host, &mut hints);
    }
    if sources.synapse_config.is_empty() && sources.log.is_empty() {
        sources.log = service_logs(&services, (Part::Homeserver, "--log"), host, &mut hints);
        let container = services.iter().find(|service| service.part == Part::Homeserver && service.is_container());
        hints.extend(container.map(|service| {
            let via = format!("docker exec -i {}", service.word);
            let name = shlex::try_quote(&via).map_or_else(|_| via.clone(), |quoted| quoted.into_owned());
            format!(
                "Synapse's configuration is in {}. With `crypto-diag init --via {name}` it is read there.",
                service.title()
            )
        }));
    }
    if sources.media_log.is_empty() {
        sources.media_log = media_logs(host);
    }
    if sources.media_log.is_empty() {
        sources.media_log = service_logs(&services, (Part::Media, "--media-log"), host, &mut hints);
        let program = running.iter().flatten().find(|word| is_media_program(word));
        let is_kept = services.iter().any(|service| service.part == Part::Media);
        if let (true, false, Some(program)) = (sources.media_log.is_empty(), is_kept, program) {
            hints.push(format!(
                "{program} runs, and its log was not found in {LOGS}, nor a container or a unit of it: name its log with --media-log."
            ));
        }
    }
    if sources.database.is_none() {
        hints.extend(
            services.iter().filter(|service| service.part == Part::Database).map(|service| database(service, host)),
        );
    }
    hints
}

/// The logs of the containers that are such a part, and for what has none that may be read the command that prints its lines.
fn service_logs(
    services: &[Service],
    (part, option): (Part, &str),
    host: Host<'_>,
    hints: &mut Vec<String>,
) -> Vec<PathBuf> {
    let mut logs = Vec::new();
    for service in services.iter().filter(|service| service.part == part) {
        match service.log_file(host) {
            Some(path) => logs.push(path),
            None => hints.push(format!(
                "The lines of {} are in no file that may be read here. Give them as `{option} <({})`; a profile cannot name them.",
                service.title(),
                service.log_command()
            )),
        }
    }
    logs
}

/// How to ask a PostgreSQL that runs. Which of its databases is Synapse's, and the password, are not known.
fn database(service: &Service, host: Host<'_>) -> String {
    let there = match service.is_container() {
        true => service.address(host),
        false => Some("/run/postgresql".to_owned()),
    };
    let place = there.as_deref().unwrap_or("ADDRESS");
    format!(
        "PostgreSQL runs as {}. If it is Synapse's and its configuration is not read: database = \"host={place} dbname=synapse user=synapse\", \
         with the password in PGPASSWORD when it is asked.",
        service.title()
    )
}

/// What a running Synapse was given as its configuration, else what lies where packages have it.
fn synapse_config(running: &[Vec<String>], host: Host<'_>, hints: &mut Vec<String>) -> Vec<PathBuf> {
    let is_there = |path: &PathBuf| host.files_in(path).is_ok();
    let given = running.iter().map(|words| config_paths(words)).find(|paths| !paths.is_empty()).unwrap_or_default();
    if !given.is_empty() && given.iter().all(is_there) {
        return given;
    }
    let known = CONFIGS.iter().find(|paths| is_there(&PathBuf::from(paths[0])));
    let known: Vec<PathBuf> = known.copied().unwrap_or_default().iter().map(PathBuf::from).filter(is_there).collect();
    if let (true, Some(path)) = (known.is_empty(), given.first()) {
        hints.push(format!(
            "Synapse runs with {}, which is not there or may not be read: if it runs in a container, say `crypto-diag init --via \
             \"docker exec -i NAME\"`.",
            path.display()
        ));
    } else if known.is_empty() {
        let places: Vec<&str> = CONFIGS.iter().map(|paths| paths[0]).collect();
        hints.push(format!(
            "No Synapse was found: none runs that may be seen, and none of these is there: {}. Name its configuration with \
             --synapse-config, or its log with --log and its database with --database; where it runs elsewhere, say how to get there \
             with --via.",
            places.join(", ")
        ));
    }
    known
}

/// The configuration in a command line of Synapse's main process; none if it is another program's.
fn config_paths(words: &[String]) -> Vec<PathBuf> {
    let is_synapse = |word: &String| word == "synapse.app.homeserver" || word.ends_with("/synapse_homeserver");
    let mut paths = Vec::new();
    if !words.iter().any(is_synapse) {
        return paths;
    }
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix("--config-path=") {
            Some(path) => paths.push(path.into()),
            None if word == "--config-path" || word == "-c" => paths.extend(words.next().map(PathBuf::from)),
            None => {}
        }
    }
    // A path without its folder is told from the one in which Synapse was started.
    paths.retain(|path| path.has_root());
    paths
}

fn is_media_program(word: &str) -> bool {
    word.rsplit('/').next().is_some_and(|name| matches!(name, "livekit-server" | "lk-jwt-service"))
}

/// Logs of the media side by their names. What is in them is told when they are read.
fn media_logs(host: Host<'_>) -> Vec<PathBuf> {
    let is_named = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        MEDIA_NAMES.iter().any(|media| name.starts_with(media)) && name.ends_with(".log")
    };
    let files = host.files_in(Path::new(LOGS)).ok().flatten().unwrap_or_default();
    let folders = MEDIA_NAMES.iter().map(|name| Path::new(LOGS).join(name));
    let folders =
        folders.filter(|folder| host.files_in(folder).is_ok_and(|files| files.is_some_and(|files| !files.is_empty())));
    files.into_iter().filter(is_named).chain(folders).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(line: &str) -> Vec<PathBuf> {
        config_paths(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_configuration_is_read_from_the_command_line_of_synapse_alone() {
        let debian = "/opt/venvs/matrix-synapse/bin/python -m synapse.app.homeserver --config-path=/etc/matrix-synapse/homeserver.yaml --config-path=/etc/matrix-synapse/conf.d/";
        assert_eq!(
            paths(debian),
            ["/etc/matrix-synapse/homeserver.yaml", "/etc/matrix-synapse/conf.d/"].map(PathBuf::from)
        );
        assert_eq!(
            paths("python -m synapse.app.homeserver -c /data/homeserver.yaml"),
            [PathBuf::from("/data/homeserver.yaml")]
        );
        for line in [
            "other --config-path /etc/other.yaml",
            "python -m synapse.app.homeserver -c homeserver.yaml",
            "python -m synapse.app.generic_worker -c /etc/worker.yaml",
            "python -m synapse.app.homeserver -c",
        ] {
            assert!(paths(line).is_empty(), "{line}");
        }
    }
}
