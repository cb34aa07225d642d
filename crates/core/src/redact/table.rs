//! The redactor's tables: names of secrets, prefixes of tokens, words of sentences.
//!
//! Names are compared letters and digits only, in lower case: `access_token`, `accessToken` and `Access-Token` are one.
//! Sources: the client-server API, OAuth 2.0, OpenID Connect, TURN, LiveKit, matrix-rust-sdk, Element Call.

/// What a name says about its value.
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

/// The names, parted by spaces; the first that fits counts.
pub const NAMES: &[(Place, Name, &str)] = &[
    // These end like names in the rows below, and name no secret.
    (Place::Whole, Name::Parameter, "bypass"),
    (
        Place::Within,
        Name::Phrase,
        "passw passcode phrase recoverykey securitykey mnemonic kennwort contrasena senha wachtwoord",
    ),
    (Place::End, Name::Phrase, "pass pwd passe heslo haslo salasana parola jelszo losenord adgangskode sifre lozinka"),
    (Place::Whole, Name::Phrase, "pw"),
    (Place::End, Name::Authorization, "authorization"),
    (Place::End, Name::Cookie, "cookie"),
    (
        Place::Within,
        Name::Secret,
        "token secret credential pickle privatekey privkey apikey accesskey authkey backupkey storagekey \
         sessionkey decryptionkey codeverifier authcode devicecode usercode",
    ),
    (Place::End, Name::Secret, "jwt seed bearer"),
    (Place::Whole, Name::Secret, "assertion private xauth"),
    (Place::Whole, Name::Key, "auth"),
    (Place::Whole, Name::Secret, "pin pincode otp jti"),
    (Place::End, Name::Key, "mediakey encryptionkey sharedkey rawkey keymaterial keybase64"),
    (Place::Whole, Name::MaybeKey, "key k"),
    (Place::Whole, Name::Parameter, "code state ticket"),
    (
        Place::Whole,
        Name::Content,
        "content newcontent clearcontent decryptedcontent body formattedbody messagebody messagetext lastmessage \
         plaintext cleartext payload payloadstring clearevent decryptedevent topic roomtopic",
    ),
    (
        Place::Whole,
        Name::Public,
        "identitykey basekey onetimekey senderkey ed25519key curve25519key sessionid messageid msgid \
         requestid transactionid txnid delayid deviceid keyid participant participantid participantsid identity \
         memberid errorkey",
    ),
];

/// A word that ends so says something of a secret, and holds none.
pub const HARMLESS_ENDINGS: &str = "name type endpoint uri url ready length count supported version status";

/// Access, refresh and login tokens of Synapse and of the Matrix Authentication Service begin so, in either case.
pub const TOKEN_PREFIXES: &[&str] = &["syt_", "syr_", "syl_", "mct_", "mcr_", "mat_", "mar_"];

/// The options of command-line programs that a user's name and password stand behind, `curl -u user:password`.
pub const USER_OPTIONS: &str = "-u -U --user --proxy-user";

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

/// Behind a name, words that a sentence says its value with: `password is x`, `password for alice: x`.
pub const SAYING: &str = "is was are equals for";

/// The one of them behind which somebody is named first.
pub const FOR: &[u8] = b"for";

/// Behind a name and `is`, words that go on with a sentence.
pub const LINKING: &str = "a already and at because being but by for from in no not of on or still the to too with";

/// Behind a name and `is`, words that say how it is with a secret, where the sentence ends with them.
pub const STATES: &str = "correct empty expired gone incorrect invalid known missing needed null ok old required set there \
     undefined unknown used valid wrong";

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

/// The folders that a file's whole path begins with.
pub const PATH_ROOTS: &str = "tmp home root var usr opt srv etc mnt media data private Users Volumes Applications";

/// The endings of a program's files.
pub const PROGRAM_ENDINGS: &str = "js mjs cjs ts tsx wasm css rs html map";

/// The endings of the files that people give to this program, and of those that it makes.
pub const FILE_ENDINGS: &str = "log json jsonl har txt csv tsv gz zst xz bz2 zip html md yaml toml";

/// What stands in a secret's place, as a regular expression for readers in other languages.
pub const CLOSED_PATTERN: &str =
    r"\[closed(?: (token|jwt|base64|hex|digits|uuid|bytes|recovery-key|pem|content)(?: (\d+))?(?: #([a-z2-9]{4}))?)?\]";

/// The words of a list.
pub fn words(list: &str) -> impl Iterator<Item = &[u8]> {
    list.as_bytes().split(|byte| *byte == b' ')
}
