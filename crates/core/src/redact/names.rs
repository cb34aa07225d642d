//! Names that tell that the value behind them is a secret. Sources: the client-server API, OAuth 2.0, OpenID Connect,
//! TURN, LiveKit, and Element Call's handling of media keys.

/// How a name speaks of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// The value is a secret, whatever it looks like.
    Secret,
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
}

/// Names by how they end, letters and digits only, in lower case.
const ENDINGS: [(&str, Name); 29] = [
    ("token", Name::Secret),
    ("password", Name::Secret),
    ("passwd", Name::Secret),
    ("passphrase", Name::Secret),
    ("secret", Name::Secret),
    ("credential", Name::Secret),
    ("credentials", Name::Secret),
    ("jwt", Name::Secret),
    ("apikey", Name::Secret),
    ("privatekey", Name::Secret),
    ("secretkey", Name::Secret),
    ("recoverykey", Name::Cookie),
    ("sessionkey", Name::Secret),
    ("decryptionkey", Name::Secret),
    ("picklekey", Name::Secret),
    ("codeverifier", Name::Secret),
    ("mediakey", Name::Key),
    ("encryptionkey", Name::Key),
    ("encryptionkeys", Name::Key),
    ("sharedkey", Name::Key),
    ("rawkey", Name::Key),
    ("keymaterial", Name::Key),
    ("keybase64", Name::Key),
    ("authorization", Name::Authorization),
    ("cookie", Name::Cookie),
    // The media keys of matrix-js-sdk's to-device events, and the file keys of JWK objects.
    ("=key", Name::MaybeKey),
    ("=k", Name::MaybeKey),
    ("=code", Name::Parameter),
    ("=state", Name::Parameter),
];

/// What a word says of the value behind it, if it is such a name.
pub fn name(word: &[u8]) -> Option<Name> {
    ENDINGS.iter().find(|(ending, _)| ends(word, ending.as_bytes())).map(|(_, name)| *name)
}

/// Whether a word ends so, but for case, `_` and `-`; whether it is just that if the ending begins with `=`.
fn ends(word: &[u8], ending: &[u8]) -> bool {
    let (whole, ending) = ending.strip_prefix(b"=").map_or((false, ending), |rest| (true, rest));
    let mut letters = word.iter().rev().filter(|byte| byte.is_ascii_alphanumeric());
    let same =
        ending.iter().rev().all(|wanted| letters.next().is_some_and(|byte| byte.to_ascii_lowercase() == *wanted));
    same && (!whole || letters.next().is_none())
}
