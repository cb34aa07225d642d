//! What the process's exit code says. 1 and 2 are `crypto_diag_triage::verdict::exit_code`'s.

/// Nothing is wrong, as far as the artefacts could show; or the command did what it was asked.
pub const NOTHING_WRONG: u8 = 0;

/// `verify`: a file is not as it was packed, or the answer does not come out of them again.
pub const DIFFERENT: u8 = 1;

/// `check`: a source that is named cannot be read.
pub const NOT_REACHED: u8 = 1;

/// The input or the arguments cannot be used, or the output could not be written.
pub const UNUSABLE: u8 = 3;

/// The run was interrupted; what was gathered until then is there. What shells use for Ctrl-C.
pub const INTERRUPTED: u8 = 130;
