//! How secrets stand in console lines: every form is a way to write a name and a value, or a value that needs no name.

/// A text with a secret in it, and what of it must not be seen again.
#[derive(Clone, Debug)]
pub struct Planted {
    /// The form's name, for a failure's message.
    pub form: String,
    /// The secret with its surroundings.
    pub text: String,
    /// The secret as it stands in `text`, in parts.
    pub secret: Vec<String>,
}

impl Planted {
    /// Where the secret stands in the text: the beginning of its first part and the end of its last.
    pub fn extent(&self) -> (usize, usize) {
        let place = |part: &String| self.text.find(part.as_str()).expect("the secret stands in the text");
        let last = self.secret.last().expect("a secret has a part");
        (place(&self.secret[0]), place(last) + last.len())
    }
}

fn planted(form: &str, before: &str, secret: &str, after: &str) -> Planted {
    Planted { form: form.to_owned(), text: format!("{before}{secret}{after}"), secret: vec![secret.to_owned()] }
}

fn escaped(value: &str, quote: char) -> String {
    value.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"))
}

/// Every character but letters and digits as `%XX`.
fn percent(value: &str) -> String {
    value
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Forms whose value is quoted, so that it may hold anything.
pub fn quoted(name: &str, value: &str) -> Vec<Planted> {
    let once = escaped(value, '"');
    let twice = escaped(&once, '"');
    let thrice = escaped(&twice, '"');
    let python = escaped(value, '\'');
    vec![
        planted("JSON", &format!("{{\"{name}\":\""), &once, "\",\"x\":1}"),
        planted("last field of JSON", &format!("{{\"x\":{{}},\"{name}\":\""), &once, "\"}"),
        planted("indented JSON", &format!("{{\n  \"{name}\": \""), &once, "\",\n  \"x\": 1\n}"),
        planted("JSON in JSON", &format!("{{\"body\":\"{{\\\"{name}\\\":\\\""), &twice, "\\\",\\\"x\\\":1}\"}"),
        planted("JSON in JSON in JSON", &format!("\"{{\\\\\\\"{name}\\\\\\\":\\\\\\\""), &thrice, "\\\\\\\"}\""),
        planted("Python dictionary", &format!("{{'{name}': '"), &python, "', 'x': None}"),
        planted("Python bytes", &format!("{{b'{name}': b'"), &python, "'}"),
        planted("Python arguments", &format!("login({name}='"), &python, "', x=1)"),
        planted("Python tuple", &format!("('{name}', '"), &python, "')"),
        planted("Rust field", &format!("Login {{ {name}: \""), &once, "\", x: 1 }"),
        planted("Rust option", &format!("Login {{ {name}: Some(\""), &once, "\"), x: None }"),
        planted("Rust newtype", &format!("Login {{ {name}: Some(Opaque(\""), &once, "\")), x: None }"),
        planted("Rust struct", &format!("Login {{ {name}: Opaque {{ inner: \""), &once, "\" }, x: 1 }"),
        planted("Rust tracing field", &format!("{name}=\""), &once, "\" x=1"),
        planted("object as this project prints it", &format!("Request {{{name}: \""), &once, "\", x: 1}"),
        planted("pair in an array", &format!("[[\"{name}\",\""), &once, "\"],[\"x\",\"1\"]]"),
        planted("HAR", &format!("{{\"name\":\"{name}\",\"value\":\""), &once, "\"}"),
        planted("indented HAR", &format!("{{\n \"name\": \"{name}\",\n \"value\": \""), &once, "\"\n}"),
        planted("Map", &format!("Map(1) {{'{name}' => '"), &python, "'}"),
        planted("inspected on two lines", &format!("{{ {name}:\n   '"), &python, "' }"),
        planted("template", &format!("{name}: `"), &escaped(value, '`'), "`"),
        planted("bracket access", &format!("body['{name}'] = '"), &python, "';"),
    ]
}

/// Forms whose value ends at the first break, so that it must be one run.
pub fn plain(name: &str, value: &str) -> Vec<Planted> {
    let encoded = percent(value);
    vec![
        planted("query", &format!("GET https://example.org/sync?{name}="), value, "&x=1"),
        planted("last of a query", &format!("GET https://example.org/sync?x=1&{name}="), value, " failed"),
        planted("fragment", &format!("https://example.org/#/call?x=1&{name}="), value, ""),
        planted("encoded query", &format!("https://example.org/?{name}="), &encoded, "&x=1"),
        planted("query in a query", &format!("/redirect?url=cb%3F{name}%3D"), &encoded, "%26x%3D1 x"),
        planted("JSON in a query", &format!("?body=%7B%22{name}%22%3A%22"), &encoded, "%22%2C%22x%22%3A1%7D"),
        planted("spaced JSON in a query", &format!("?body=%7b%22{name}%22%3a%20%22"), &encoded, "%22%7d"),
        planted("form body", &format!("grant_type=x&{name}="), value, "&y=2"),
        planted("equals", &format!("with {name}="), value, ", x=1"),
        planted("spaced equals", &format!("{name} = "), value, "; x"),
        planted("colon", &format!("{name}: "), value, ", x: 1"),
        planted("two arguments", &format!("{name}:  "), value, " "),
        planted("arrow", &format!("{name} => "), value, ","),
        planted("Rust option without quotes", &format!("{name}: Some("), value, ")"),
        planted("line of a config", &format!("x: 1\n{name}: "), value, "\ny: 2"),
        planted("escaped line of a config", &format!("\"x: 1\\n{name}: "), value, "\\ny: 2\""),
        planted("angle brackets", &format!("{name}=<"), value, ">"),
    ]
}

/// The value of an Authorization header.
pub fn authorization(value: &str) -> Vec<Planted> {
    let mut forms = vec![
        planted("header", "Authorization: Bearer ", value, "\nAccept: */*"),
        planted("lower-case header", "authorization: bearer ", value, ""),
        planted("curl", "curl -H 'Authorization: Bearer ", value, "' https://example.org"),
        planted("escaped curl", "\"curl -H \\\"Authorization: Bearer ", value, "\\\" x\""),
        planted("two arguments", "Authorization: Bearer  ", value, " x"),
        planted("scheme alone", "sent Bearer ", value, ", x"),
        planted("Basic", "Authorization: Basic ", value, ""),
        planted("another scheme", "Authorization: MAC id=\"x\", mac=\"", value, "\", nonce=1"),
        planted("X-Matrix", "Authorization: X-Matrix origin=a,key=\"ed25519:1\",sig=\"", value, "\""),
        planted("raw headers", "GET /sync HTTP/1.1\\r\\nAuthorization: Bearer ", value, "\\r\\nHost: a"),
    ];
    let quoted_value = format!("Bearer {value}");
    for mut form in quoted("Authorization", &quoted_value) {
        form.secret = form.secret.iter().map(|secret| secret.replacen("Bearer ", "", 1)).collect();
        forms.push(form);
    }
    forms
}

/// Cookies: pairs of a name and a secret.
pub fn cookies(values: &[String]) -> Vec<Planted> {
    let pairs: Vec<String> = values.iter().enumerate().map(|(n, value)| format!("c{n}={value}")).collect();
    let line = pairs.join("; ");
    let with = |form: &str, before: &str, after: &str| Planted {
        form: form.to_owned(),
        text: format!("{before}{line}{after}"),
        secret: values.to_vec(),
    };
    vec![
        with("Cookie", "Cookie: ", "\nAccept: x"),
        with("Cookie at the end", "cookie: ", ""),
        with("Set-Cookie", "Set-Cookie: ", "; Path=/; HttpOnly\nx"),
        with("curl", "curl -b x -H 'Cookie: ", "' https://example.org"),
        with("JSON", "{\"cookie\":\"", "\",\"x\":1}"),
        with("Python", "{'Set-Cookie': '", "; Secure'}"),
        with("pair", "[\"Cookie\",\"", "\"]"),
        with("HAR", "{\"name\":\"Cookie\",\"value\":\"", "\"}"),
        with("raw headers", "GET / HTTP/1.1\\r\\nCookie: ", "\\r\\nHost: a"),
        with("document.cookie", "document.cookie = \"", "\""),
    ]
}

/// A media key in base64.
pub fn media_key(key: &str) -> Vec<Planted> {
    let mut forms = vec![
        // Element Call before 2024, src/e2ee/matrixKeyProvider.ts: the key in a template.
        planted("key provider's log", "onEncryptionKeyChanged participantId=@a:b:C encryptionKey=", key, ""),
        planted("to-device content", "{\"keys\":{\"index\":0,\"key\":\"", key, "\"},\"member\":{\"id\":\"x\"}}"),
        planted("room event content", "{\"keys\":[{\"index\":3,\"key\":\"", key, "\"}],\"device_id\":\"D\"}"),
        planted("older event content", "{\"m.encryption_key\":\"", key, "\",\"m.device_id\":\"D\"}"),
        planted("MSC4143", "{\"media_key\":{\"index\":0,\"key\":\"", key, "\",\"format\":\"m.base64\"}}"),
        planted("object as this project prints it", "{keys: {index: 0, key: \"", key, "\"}, member: Object}"),
        planted("Rust", "MediaKey { index: 0, key: \"", key, "\" }"),
        planted("escaped JSON", "\"{\\\"index\\\":0,\\\"key\\\":\\\"", key, "\\\"}\""),
        planted("Python", "{'index': 0, 'key': '", key, "'}"),
        planted("plain", "set key=", key, " for participant"),
    ];
    forms.extend(quoted("encryptionKey", key));
    forms
}

/// A media key as numbers.
pub fn media_key_bytes(bytes: &[u8]) -> Vec<Planted> {
    let joined = |separator: &str| bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(separator);
    let indexed = |open: &str, colon: &str, comma: &str| {
        let fields: Vec<String> =
            bytes.iter().enumerate().map(|(n, byte)| format!("{open}{n}{open}{colon}{byte}")).collect();
        fields.join(comma)
    };
    vec![
        // Element Call 2024, src/e2ee/matrixKeyProvider.ts: a Uint8Array in a template.
        planted("key provider's log", "encryptionKeyIndex=0 encryptionKey=", &joined(","), " x"),
        planted("array", "{\"key\":[", &joined(","), "],\"x\":1}"),
        planted("spaced array", "{ key: [", &joined(", "), "], x: 1 }"),
        planted("typed array", "{ key: Uint8Array(16) [", &joined(", "), "] }"),
        planted("typed array on lines", "key: Uint8Array(16) [\n    ", &joined(",\n    "), "\n ]"),
        planted("JSON of a typed array", "{\"key\":{", &indexed("\"", ":", ","), "}}"),
        planted("printed typed array", "key: Uint8Array {", &indexed("", ": ", ", "), "}"),
        planted("without a name", "Map(1) {@a:b:C => [[", &joined(", "), "]]}"),
        planted("alone", "", &joined(","), ""),
    ]
}

/// Secrets that show by how they look, wherever they stand.
pub fn by_shape(token: &str) -> Vec<Planted> {
    vec![
        planted("alone", "", token, ""),
        planted("in a sentence", "request with ", token, " failed."),
        planted("in quotes", "\"", token, "\""),
        planted("in a path", "/login/", token, "/x"),
        planted("in a list", "[a,", token, ",b]"),
        planted("behind an unknown name", "blob=", token, ";"),
        planted("encoded", "?x%3D", token, "%26y"),
        planted("run into by a word", "value-", token, " x"),
    ]
}

/// A recovery key, as clients show it.
pub fn recovery_key(groups: &[String]) -> Vec<Planted> {
    let key = groups.join(" ");
    vec![
        planted("alone", "restored with ", &key, ""),
        planted("named", "recovery key: ", &key, "\nx"),
        planted("JSON", "{\"recoveryKey\":\"", &key, "\",\"x\":1}"),
        planted("without spaces", "recoveryKey=", &groups.concat(), "&x"),
    ]
}
