//! What the redactor knows, as data: code generation gives the same tables to the page's small redactor in JavaScript.
//!
//! Names are compared letters and digits only, in lower case: `access_token`, `accessToken` and `Access-Token` are one.
//! Sources: the client-server API, OAuth 2.0, OpenID Connect, TURN, LiveKit, matrix-rust-sdk, Element Call.

/// How a name speaks of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// The value is a secret, whatever it looks like.
    Secret,
    /// The same, and a person may have chosen it: it goes on behind a space.
    Phrase,
    /// The value is a secret if it is quoted, grouped, or looks like a key: the name also stands in event types.
    Key,
    /// The value is a secret if it looks like a key and is not a public one.
    MaybeKey,
    /// A header whose value is a scheme and a credential.
    Authorization,
    /// A header whose value runs to the end of its line.
    Cookie,
    /// A parameter whose value is a secret in URLs and form bodies only.
    Parameter,
    /// What people wrote: closed as a whole.
    Content,
    /// An id or a public key.
    Public,
}

/// Where in a word a name must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anywhere: `token` in `access_token_2`.
    Within,
    /// At the end, but for digits and a plural's `s`.
    End,
    /// It is the word, but for digits and a plural's `s`.
    Whole,
}

/// The names; the first that fits counts.
pub const NAMES: &[(&str, Place, Name)] = &[
    ("passw", Place::Within, Name::Phrase),
    ("passphrase", Place::Within, Name::Phrase),
    ("passcode", Place::Within, Name::Phrase),
    ("securityphrase", Place::Within, Name::Phrase),
    ("recoveryphrase", Place::Within, Name::Phrase),
    ("recoverykey", Place::Within, Name::Phrase),
    ("securitykey", Place::Within, Name::Phrase),
    ("mnemonic", Place::Within, Name::Phrase),
    ("pwd", Place::End, Name::Phrase),
    ("pass", Place::Whole, Name::Phrase),
    ("authorization", Place::End, Name::Authorization),
    ("cookie", Place::End, Name::Cookie),
    ("token", Place::Within, Name::Secret),
    ("secret", Place::Within, Name::Secret),
    ("credential", Place::Within, Name::Secret),
    ("pickle", Place::Within, Name::Secret),
    ("privatekey", Place::Within, Name::Secret),
    ("privkey", Place::Within, Name::Secret),
    ("apikey", Place::Within, Name::Secret),
    ("accesskey", Place::Within, Name::Secret),
    ("authkey", Place::Within, Name::Secret),
    ("backupkey", Place::Within, Name::Secret),
    ("storagekey", Place::Within, Name::Secret),
    ("sessionkey", Place::Within, Name::Secret),
    ("decryptionkey", Place::Within, Name::Secret),
    ("codeverifier", Place::Within, Name::Secret),
    ("authcode", Place::Within, Name::Secret),
    ("devicecode", Place::Within, Name::Secret),
    ("usercode", Place::Within, Name::Secret),
    ("jwt", Place::End, Name::Secret),
    ("seed", Place::End, Name::Secret),
    ("assertion", Place::Whole, Name::Secret),
    ("private", Place::Whole, Name::Secret),
    ("xauth", Place::Whole, Name::Secret),
    ("auth", Place::Whole, Name::Key),
    ("pin", Place::Whole, Name::Secret),
    ("otp", Place::Whole, Name::Secret),
    ("jti", Place::Whole, Name::Secret),
    ("mediakey", Place::End, Name::Key),
    ("encryptionkey", Place::End, Name::Key),
    ("sharedkey", Place::End, Name::Key),
    ("rawkey", Place::End, Name::Key),
    ("keymaterial", Place::End, Name::Key),
    ("keybase64", Place::End, Name::Key),
    ("key", Place::Whole, Name::MaybeKey),
    ("k", Place::Whole, Name::MaybeKey),
    ("code", Place::Whole, Name::Parameter),
    ("state", Place::Whole, Name::Parameter),
    ("ticket", Place::Whole, Name::Parameter),
    ("content", Place::Whole, Name::Content),
    ("newcontent", Place::Whole, Name::Content),
    ("clearcontent", Place::Whole, Name::Content),
    ("decryptedcontent", Place::Whole, Name::Content),
    ("body", Place::Whole, Name::Content),
    ("formattedbody", Place::Whole, Name::Content),
    ("messagebody", Place::Whole, Name::Content),
    ("messagetext", Place::Whole, Name::Content),
    ("plaintext", Place::Whole, Name::Content),
    ("cleartext", Place::Whole, Name::Content),
    ("payload", Place::Whole, Name::Content),
    ("payloadstring", Place::Whole, Name::Content),
    ("clearevent", Place::Whole, Name::Content),
    ("decryptedevent", Place::Whole, Name::Content),
    ("identitykey", Place::Whole, Name::Public),
    ("basekey", Place::Whole, Name::Public),
    ("onetimekey", Place::Whole, Name::Public),
    ("senderkey", Place::Whole, Name::Public),
    ("ed25519key", Place::Whole, Name::Public),
    ("curve25519key", Place::Whole, Name::Public),
    ("sessionid", Place::Whole, Name::Public),
    ("messageid", Place::Whole, Name::Public),
    ("msgid", Place::Whole, Name::Public),
    ("requestid", Place::Whole, Name::Public),
    ("transactionid", Place::Whole, Name::Public),
    ("txnid", Place::Whole, Name::Public),
    ("delayid", Place::Whole, Name::Public),
    ("deviceid", Place::Whole, Name::Public),
    ("keyid", Place::Whole, Name::Public),
    ("participant", Place::Whole, Name::Public),
    ("participantid", Place::Whole, Name::Public),
    ("identity", Place::Whole, Name::Public),
    ("memberid", Place::Whole, Name::Public),
    ("errorkey", Place::Whole, Name::Public),
];

/// A word that ends so says something of a secret, and holds none.
pub const HARMLESS_ENDINGS: &[&str] =
    &["name", "type", "endpoint", "uri", "url", "ready", "length", "count", "supported", "version", "status"];

/// Access, refresh and login tokens of Synapse and of the Matrix Authentication Service begin so, in either case.
pub const TOKEN_PREFIXES: &[&str] = &["syt_", "syr_", "syl_", "mct_", "mcr_", "mat_", "mar_"];

/// What rust-crypto prints of public keys behind a name that also names secrets.
pub const PUBLIC_VALUES: &[&str] = &["SessionKeys {"];

/// Behind these words stands an id, in the sentences that clients print.
pub const PUBLIC_BEHIND: &[&str] = &[
    "for participant ",
    "for decryption of ",
    "decryption errors for ",
    "ncryption error for ",
    "set not found for ",
    "key over transport ",
    "for track ",
    "(msgid ",
    "/delayed_events/",
];

/// Fields of a report that hold a public key and nothing else. In a line they name private keys, too.
pub const REPORT_KEYS: &[&str] = &["ed25519", "curve25519"];

/// Behind a name and `is`, words that go on with a sentence.
pub const LINKING: &[&str] = &[
    "a", "already", "and", "at", "because", "being", "but", "by", "for", "from", "in", "no", "not", "of", "on", "or",
    "still", "the", "to", "too", "with",
];

/// Behind a name and `is`, words that say how it is with a secret, where the sentence ends with them.
pub const STATES: &[&str] = &[
    "correct",
    "empty",
    "expired",
    "gone",
    "incorrect",
    "invalid",
    "known",
    "missing",
    "needed",
    "null",
    "ok",
    "old",
    "required",
    "set",
    "there",
    "undefined",
    "unknown",
    "used",
    "valid",
    "wrong",
];

/// For each letter, the letters that follow it in words; other pairs are those of random characters. From the words of
/// this project's documents and sources.
pub const PAIRS: [&str; 26] = [
    "abcdfgiklmnprstuvwxy",
    "aceilorsuy",
    "acdehiklorstuy",
    "abdegilorsuy",
    "abcdefghijklmnopqrstuvwxy",
    "aefilortuy",
    "aeghilnorsu",
    "aeiortuy",
    "abcdefgklmnoprstvxz",
    "eou",
    "eilns",
    "abcdefilmopstuy",
    "abeilmopsu",
    "abcdefgiklmnoprstuvwy",
    "abcdfgiklmnoprstuvwx",
    "aehiloprstu",
    "u",
    "abcdefgiklmnoprstuvwy",
    "acehiklmnopstuwy",
    "acdehilorstuwy",
    "abcdefgilmnoprst",
    "aeio",
    "aehinors",
    "ceipt",
    "eimnopst",
    "eio",
];

/// What stands in a secret's place, as a regular expression for readers in other languages.
pub const CLOSED_PATTERN: &str =
    r"\[closed(?: (token|jwt|base64|hex|digits|uuid|bytes|recovery-key|pem|content)(?: (\d+))?(?: #([a-z2-9]{4}))?)?\]";
