//! Where a server's artefacts are, in the order in which it is known: the command line, the profile, Synapse's configuration.

use std::path::{Path, PathBuf};

use crypto_diag_collect::admin::{AdminError, TOKEN_VARIABLE};
use crypto_diag_collect::{AdminApi, Database, Host, SynapseConfig, Via};
use crypto_diag_triage::bundle::Refusal;

use crate::args::{SourceArguments, Sources};
use crate::profile;

/// What a run reads.
pub struct Found {
    /// What leads to the server's host.
    pub via: Option<Via>,
    /// What was stated.
    pub stated: Sources,
    /// The homeserver's logs.
    pub logs: Vec<PathBuf>,
    /// The database.
    pub database: Option<Database>,
    /// The Admin API, or why it cannot be asked.
    pub admin_api: Option<Result<AdminApi, AdminError>>,
    /// What Synapse's configuration does not tell, and why.
    pub untold: Vec<Refusal>,
}

impl SourceArguments {
    /// The command line's sources, with those of the profile that it does not name itself.
    ///
    /// # Errors
    /// In words, if the profile cannot be used.
    pub fn stated(self) -> Result<Sources, String> {
        let profile = self.profile.as_deref().map(profile::read).transpose()?;
        Ok(self.on_command_line.or(profile.unwrap_or_default()))
    }
}

impl Found {
    /// Looks into Synapse's configuration for what is not stated. `follow`: logs are read on as they grow, so that what they were rotated
    /// into is left out.
    ///
    /// # Errors
    /// In words, if the command that leads there does not run, or a configuration that was named cannot be used.
    pub fn find(stated: Sources, follow: bool) -> Result<Found, String> {
        let via = stated.via.as_deref().map(Via::find).transpose()?;
        let mut found = Found {
            via,
            logs: stated.log.clone(),
            database: stated.database.clone().map(Database::from),
            admin_api: stated.admin_api.as_deref().map(|url| {
                let token = std::env::var(TOKEN_VARIABLE).ok();
                AdminApi::new(url, token.as_deref())
            }),
            untold: Vec::new(),
            stated,
        };
        let is_told = !found.logs.is_empty() && found.database.is_some();
        if !is_told && !found.stated.synapse_config.is_empty() {
            let host = Host::of(found.via.as_ref());
            let config = SynapseConfig::read(&found.stated.synapse_config, host).map_err(|error| error.to_string())?;
            let (logs, untold) = logs(&config, host, follow);
            if found.logs.is_empty() {
                found.logs = logs;
                found.untold.extend(untold);
            }
            if found.database.is_none() {
                match config.database {
                    Ok(database) => found.database = Some(database),
                    Err(why) => found.untold.push(why),
                }
            }
        }
        Ok(found)
    }

    /// All logs, the homeserver's first.
    pub fn all_logs(&self) -> impl Iterator<Item = &PathBuf> {
        self.logs.iter().chain(&self.stated.media_log)
    }
}

/// The logs that a configuration names, with what they were rotated into, and those that are not there.
fn logs(config: &SynapseConfig, host: Host<'_>, follow: bool) -> (Vec<PathBuf>, Vec<Refusal>) {
    let (mut logs, mut untold) = (Vec::new(), config.unread_logs.clone());
    for log in &config.logs {
        let files = host.rotated(log);
        if files.is_empty() {
            untold.push(not_there(log, host));
        } else if follow {
            logs.push(log.clone());
        } else {
            logs.extend(files);
        }
    }
    (logs, untold)
}

fn not_there(log: &Path, host: Host<'_>) -> Refusal {
    let why = "Synapse’s configuration names it, and it is not there, or its folder may not be read: run this as a user who may";
    let container =
        if host.is_elsewhere() { "" } else { "; if Synapse runs in a container, add --via \"docker exec -i NAME\"" };
    Refusal { what: log.display().to_string(), why: format!("{why}{container}") }
}
