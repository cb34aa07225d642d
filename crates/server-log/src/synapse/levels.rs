//! What Synapse prints only when it is asked to, and how to ask. Sources: Synapse 1.155.0, `synapse/config/logger.py` and
//! `synapse/logging/__init__.py`; Python 3.11, `logging/config.py`.

/// The logger that prints, at DEBUG, which to-device messages were stored, dropped and handed out, with their ids. No other logger of
/// Synapse prints anything at DEBUG that is read here: `synapse.handlers.e2e_keys` and `synapse.handlers.devicemessage` print at INFO
/// what counts, and at DEBUG numbers.
pub const TO_DEVICE_LOGGER: &str = "synapse.9533_debug";

/// What a process prints when it has read its levels anew.
pub const RELOADED_WORDS: &str = "Reloaded log config from ";

/// Has every process read its levels anew. Each worker is one and has a log.
pub const RELOAD_COMMAND: &str = "systemctl reload matrix-synapse";

/// The same for a container.
pub const RELOAD_CONTAINER_COMMAND: &str = "docker kill --signal=HUP NAME";

/// What to write into the file that `log_config` of `homeserver.yaml` names. Merged under a `loggers:` that is there.
///
/// To go back it says INFO: an entry that is merely taken out leaves the logger as it was, since Python changes no logger that the
/// file does not name (`disable_existing_loggers: false`).
pub fn yaml(is_raised: bool) -> String {
    let level = if is_raised { "DEBUG" } else { "INFO" };
    format!("loggers:\n    {TO_DEVICE_LOGGER}:\n        level: {level}\n")
}

/// A shell command that prints how many lines the logger has printed at DEBUG since the levels were last read; 0 says that they are
/// back. `log` is a word of the shell already.
pub fn check_command(log: &str) -> String {
    let logger = TO_DEVICE_LOGGER.replace('.', "\\.");
    format!("awk '/{RELOADED_WORDS}/ {{ n = 0 }} /{logger}/ && /DEBUG/ {{ n++ }} END {{ print n + 0 }}' {log}")
}
