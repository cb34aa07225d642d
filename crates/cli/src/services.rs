//! What runs on a server as a container or as a unit, and where its lines are then, as Docker and systemd say.

use std::path::PathBuf;

use crypto_diag_collect::Host;
use crypto_diag_server_log::JOURNAL_COMMAND;

/// What a service is for the people of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Synapse.
    Homeserver,
    /// PostgreSQL.
    Database,
    /// LiveKit's server or lk-jwt-service.
    Media,
}

/// Who keeps a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    Docker,
    Systemd,
}

/// A service that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// What it is.
    pub part: Part,
    keeper: Keeper,
    /// The container's name or the unit's.
    name: String,
    /// The same as a word for a shell.
    pub word: String,
}

impl Service {
    fn new(part: Part, keeper: Keeper, name: &str) -> Option<Service> {
        Some(Service { part, keeper, name: name.to_owned(), word: shlex::try_quote(name).ok()?.into_owned() })
    }

    /// Whether it is a container.
    pub fn is_container(&self) -> bool {
        self.keeper == Keeper::Docker
    }

    /// "the container synapse", "the unit livekit.service".
    pub fn title(&self) -> String {
        match self.keeper {
            Keeper::Docker => format!("the container {}", self.name),
            Keeper::Systemd => format!("the unit {}", self.name),
        }
    }

    /// The file into which Docker writes what a container prints, where it does and the file may be read.
    pub fn log_file(&self, host: Host<'_>) -> Option<PathBuf> {
        let path = PathBuf::from(self.inspect(host, "{{.LogPath}}")?);
        (path.has_root() && host.files_in(&path).is_ok_and(|files| files.is_none())).then_some(path)
    }

    /// A container's address in its network.
    pub fn address(&self, host: Host<'_>) -> Option<String> {
        let printed = self.inspect(host, "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}")?;
        printed.split(' ').find(|word| !word.is_empty()).map(str::to_owned)
    }

    fn inspect(&self, host: Host<'_>, format: &str) -> Option<String> {
        let is_container = self.is_container();
        let printed = is_container.then(|| host.output(&["docker", "inspect", "-f", format, &self.name]))??;
        Some(printed.trim().to_owned()).filter(|printed| !printed.is_empty())
    }

    /// The command that prints all of its lines.
    pub fn log_command(&self) -> String {
        match self.keeper {
            Keeper::Docker => format!("docker logs {} 2>&1", self.word),
            Keeper::Systemd => JOURNAL_COMMAND.replace("UNIT", &self.word),
        }
    }
}

/// What runs and is known by its image or its unit's name. Nothing where neither program is there or may be asked.
pub fn running(host: Host<'_>) -> Vec<Service> {
    let containers = host.output(&["docker", "ps", "--no-trunc", "--format", "{{.Names}} {{.Image}}"]);
    let containers = containers.iter().flat_map(|printed| printed.lines()).filter_map(|line| {
        let (name, image) = line.trim().split_once(' ')?;
        Service::new(of_image(image)?, Keeper::Docker, name)
    });
    let listed =
        ["systemctl", "list-units", "--type=service", "--state=running", "--no-legend", "--plain", "--no-pager"];
    let units = host.output(&listed);
    let units = units.iter().flat_map(|printed| printed.lines()).filter_map(|line| {
        let unit = line.split_whitespace().next()?;
        Service::new(of_unit(unit)?, Keeper::Systemd, unit)
    });
    containers.chain(units).collect()
}

/// The part that an image is, by the last name in it: `ghcr.io/element-hq/lk-jwt-service:0.3.0@sha256:…`.
fn of_image(image: &str) -> Option<Part> {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split(':').next().unwrap_or(last) {
        "synapse" | "matrix-synapse" => Some(Part::Homeserver),
        "postgres" | "postgresql" => Some(Part::Database),
        "livekit-server" | "lk-jwt-service" => Some(Part::Media),
        _ => None,
    }
}

/// The part that a unit is: Debian's and Fedora's names, those of matrix-docker-ansible-deploy, and an instance of a template.
fn of_unit(unit: &str) -> Option<Part> {
    let name = unit.strip_suffix(".service")?;
    let name = name.split('@').next().unwrap_or(name);
    match name.strip_prefix("matrix-").unwrap_or(name) {
        "synapse" => Some(Part::Homeserver),
        "postgres" | "postgresql" => Some(Part::Database),
        "livekit" | "livekit-server" | "livekit-jwt-service" | "lk-jwt-service" => Some(Part::Media),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_its_image_and_nothing_else_is_taken_for_it() {
        for (image, part) in [
            ("matrixdotorg/synapse:v1.155.0", Some(Part::Homeserver)),
            ("ghcr.io/element-hq/synapse", Some(Part::Homeserver)),
            ("registry:5000/postgres:16-alpine@sha256:0a1b", Some(Part::Database)),
            ("livekit/livekit-server:latest", Some(Part::Media)),
            ("ghcr.io/element-hq/lk-jwt-service:0.3.0", Some(Part::Media)),
            ("awesometechnologies/synapse-admin", None),
            ("prometheuscommunity/postgres-exporter", None),
            ("sha256:0a1b", None),
        ] {
            assert_eq!(of_image(image), part, "{image}");
        }
    }

    #[test]
    fn a_part_is_known_by_its_unit() {
        for (unit, part) in [
            ("matrix-synapse.service", Some(Part::Homeserver)),
            ("synapse.service", Some(Part::Homeserver)),
            ("postgresql@15-main.service", Some(Part::Database)),
            ("matrix-livekit-server.service", Some(Part::Media)),
            ("lk-jwt-service.service", Some(Part::Media)),
            ("matrix-synapse-admin.service", None),
            ("prometheus-postgres-exporter.service", None),
            ("synapse.timer", None),
        ] {
            assert_eq!(of_unit(unit), part, "{unit}");
        }
    }
}
