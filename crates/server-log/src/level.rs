//! The level of a log's line.

/// The level of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// The form does not say.
    #[default]
    Unknown,
    /// `DEBUG`, and what is below.
    Debug,
    /// `INFO`: what Synapse's own ledger of one-time keys needs.
    Info,
    /// `WARNING`.
    Warning,
    /// `ERROR`.
    Error,
    /// `CRITICAL`.
    Critical,
}

impl LogLevel {
    /// A level by its name.
    pub fn read(text: &[u8]) -> Option<LogLevel> {
        Some(match text {
            b"DEBUG" | b"TRACE" => LogLevel::Debug,
            b"INFO" => LogLevel::Info,
            b"WARNING" | b"WARN" => LogLevel::Warning,
            b"ERROR" => LogLevel::Error,
            b"CRITICAL" | b"FATAL" => LogLevel::Critical,
            _ => return None,
        })
    }

    /// Its name, as Python prints it.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Unknown => "unknown",
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warning => "WARNING",
            LogLevel::Error => "ERROR",
            LogLevel::Critical => "CRITICAL",
        }
    }
}
