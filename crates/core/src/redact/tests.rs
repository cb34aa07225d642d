//! Lines as they come in, and as they are kept.

use super::*;

fn redacted(text: &str) -> String {
    redact(text).text.into_owned()
}

#[test]
fn a_token_is_closed_because_of_its_shape() {
    for token in ["syt_YWxpY2U_AbCdEfGhIjKlMnOp_1a2B3c", "syr_YWxpY2U_AbCdEf", "mat_9f8e7d6c5b4a_x", "mcr_ABCDEF12345"]
    {
        let line = format!("request with {token} failed: already exists");
        let closed = redacted(&line);
        assert!(
            closed.starts_with("request with [closed token ") && closed.ends_with("] failed: already exists"),
            "{closed}"
        );
    }
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s5vK_x-Y";
    assert_eq!(redacted(&format!("with {jwt}!")), "with [closed jwt 45 #psxt]!");
}

#[test]
fn a_value_is_closed_because_of_the_name_in_front_of_it() {
    for (line, wanted) in [
        ("access_token=syt_a_b&x=1", "access_token=[closed]&x=1"),
        ("?access_token=opaque%2Fvalue&x=1", "?access_token=[closed]&x=1"),
        (r#"{"access_token":"opaque \" value","x":1}"#, r#"{"access_token":"[closed]","x":1}"#),
        (r#"{\"refresh_token\":\"opaque\",\"x\":1}"#, r#"{\"refresh_token\":\"[closed]\",\"x\":1}"#),
        ("Authorization: Bearer abc.DEF-123", "Authorization: [closed]"),
        ("curl -H 'Authorization: Bearer abcDEF123' -X", "curl -H 'Authorization: [closed]' -X"),
        ("sent Bearer abcDEF-123, then", "sent Bearer [closed], then"),
        ("Cookie: a=b; c=d\nnext", "Cookie: [closed]\nnext"),
        ("password: hunter2, user: x", "password: [closed], user: x"),
        ("login_token: Some(\"opaque\")", "login_token: [closed]"),
        ("login_token: Some(opaque2) \" and \"", "login_token: [closed] \" and \""),
        ("loginToken => opaque;", "loginToken => [closed];"),
        ("https://a/cb?code=abc123&state=xyz x", "https://a/cb?code=[closed]&state=[closed] x"),
        ("{'password': 'a b c'}", "{'password': '[closed]'}"),
        (r#"{"Name":"password","Value":"hunter two"}"#, r#"{"Name":"password","Value":"[closed]"}"#),
        (r#"["token","vast: 1"]"#, r#"["token","[closed]"]"#),
        (r#"["password"]=> string(6) "hunter""#, r#"["password"]=> string(6) "[closed]""#),
        (r"{\\u0022token\\u0022:\\u0022hunter\\u0022}", r"{\\u0022token\\u0022:\\u0022[closed]\u0022}"),
        ("<password >hunter</password>", "<password >[closed]</password>"),
        ("password: |\n  hunter\nuser: x", "password: |\n  [closed]\nuser: x"),
        ("password?: 'hunter'", "password?: '[closed]'"),
        ("token: -----BEGIN X-----\nYWI=\n-----END X-----, x", "token: [closed], x"),
        ("DB_PASS=hunter two=x", "DB_PASS=[closed] two=x"),
        ("pin_code=1234 pw=hunter", "pin_code=[closed] pw=[closed]"),
        ("RUBY_PASS=hunter two=x", "RUBY_PASS=[closed] two=x"),
        ("Connect -Password hunter", "Connect -Password [closed]"),
        ("curl --oauth2-bearer hunter x", "curl --oauth2-bearer [closed] x"),
        (r#"{"topic":"Friday at mine","x":1}"#, r#"{"topic":"[closed content]","x":1}"#),
        ("roomTopic: Friday at mine\nnext", "roomTopic: [closed content]\nnext"),
        ("lastMessage: \"see you at nine\"", "lastMessage: \"[closed content]\""),
    ] {
        assert_eq!(redacted(line), wanted);
    }
    for name in [
        "Kennwort",
        "contrasena",
        "senha",
        "wachtwoord",
        "mot_de_passe",
        "passe",
        "heslo",
        "haslo",
        "salasana",
        "parola",
        "jelszo",
        "losenord",
        "adgangskode",
        "sifre",
        "lozinka",
    ] {
        assert_eq!(redacted(&format!("{name}: hunter two, user: x")), format!("{name}: [closed], user: x"));
    }
}

#[test]
fn a_key_or_signature_with_groups_like_a_recovery_keys_stays() {
    let key = "+A0Aa+aAaa+aAA0+aaA0+Aaa00/AAa++0Aa0A0aa0A+";
    let signature = "AAaA+AAAa+Aaa0+0a00+a+++/AAa0+AaA0a0++aaA0+A0aAAa+Aa+AAaa0++AA/A+00Aa+0+a++AA0A+AAaA0A";
    // The second device's id ends like the name of a password.
    for (device, signature) in [("AAAAAAAAAA", signature.to_owned()), ("AAAAAAAPWD", format!("+{}", &signature[..85]))]
    {
        let line = format!(
            r#"already exists. Old key: {{"key":"{key}","signatures":{{"@a:b":{{"ed25519:{device}":"{signature}"}}}}}}"#
        );
        assert_eq!(redacted(&line), line);
        assert!(redacted(&format!("it was {signature}")).contains("[closed recovery-key"));
    }
}

#[test]
fn a_password_behind_a_programs_option_goes_and_a_user_id_or_a_group_stays() {
    for (line, wanted) in [
        ("curl -u alice:hunter2 https://h/x", "curl -u alice:[closed] https://h/x"),
        ("curl --user 'alice:hush hush' x", "curl --user 'alice:[closed]' x"),
        ("curl --proxy-user=alice:hunter2", "curl --proxy-user=alice:[closed]"),
        ("curl -U alice:hunter2 x", "curl -U alice:[closed] x"),
    ] {
        assert_eq!(redacted(line), wanted);
    }
    for line in [
        "crypto-diag collect --user @alice:example.org --log x",
        "docker run -u 1000:1000 x",
        "sudo -u postgres psql: x",
        "curl -u alice: x",
        "curl -u alice:[closed] x",
    ] {
        assert_eq!(redacted(line), line);
    }
}

#[test]
fn words_that_announce_no_value_are_kept() {
    for line in [
        "the access token is missing, already exists",
        "access_token: null",
        "missing key at index 3 for participant @user:server:DEVICE",
        "Bearer token missing",
        "Token For alice missing",
        "format_string mat_x",
        "status code: 400",
        "cache bypass: service worker, bypass is on, bypass 1",
        "event_type=\"io.element.call.encryption_keys\" sender_key=\"abc\"",
    ] {
        assert_eq!(redacted(line), line);
    }
}

#[test]
fn media_keys_are_closed_and_public_keys_are_kept() {
    let media = r#"{"keys":{"index":0,"key":"7Kd9qXz1aBcDeFgHiJkLmQ"},"member":{}}"#;
    assert_eq!(redacted(media), r#"{"keys":{"index":0,"key":"[closed base64 22 #knpp]"},"member":{}}"#);
    assert_eq!(redacted("encryptionKey: 7Kd9qXz1aBcDeFgHiJkLmQ=="), "encryptionKey: [closed]");
    assert_eq!(redacted("media_key=[1, 2, 3] index"), "media_key=[closed] index");
    for line in [
        r#"Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}"#,
        r#"already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{"@a:b":{"ed25519:D":"c2ln"}}}; new key: {'key': 'QF6Sd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho', 'signatures': {'@a:b': {'ed25519:D': 'c2ln'}}}"#,
        r#"{"one_time_key":"already exists. Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\"}; new key: {'key': 'QF6Sd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho', 'signatures': {}}"}"#,
        r#"already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho""#,
        r#"Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}"#,
        r#"one_time_key: SignedKey { key: "curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho" }"#,
        r#"MissingOneTimeKey("curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho")"#,
    ] {
        assert_eq!(redacted(line), line);
    }
}

#[test]
fn a_key_of_letters_alone_goes_where_its_padding_shows_it() {
    // The third one ends like the name of a password.
    for key in ["pFUebefTwVsKLsSMBSiaRc==", "BagUigiprYEeMPjEFcyefH==", "MB5WG7RChw3D9MzczcJpwD=="] {
        let line = redacted(&format!(r#"[a,"{key}",b]"#));
        assert!(line.starts_with(r#"[a,"[closed base64 22 #"#), "{line}");
    }
    let line = redacted("with MB5WG7RChw3D9MzczcJpwD==");
    assert!(line.starts_with("with [closed base64 22 #"), "{line}");
    let line = "if (theLongNameOfAVariable == other)";
    assert_eq!(redacted(line), line);
}

#[test]
fn a_key_that_is_nearly_a_word_goes_where_its_length_or_the_number_of_its_groups_shows_it() {
    let token = "bTwirwhmigsOaPgROtblyiRrriDrphY8";
    assert!(redacted(&format!("x \"{token}\"")).starts_with("x \"[closed base64 32 #"));
    let groups = "C4CP WC94 aAt6 dwp6 wgpw EURT EV66 4PVY JBPS WTFY 5DXZ ueke";
    for space in [" ", "%20", "-"] {
        assert!(redacted(&format!("x \"{}\"", groups.replace(' ', space))).starts_with("x \"[closed recovery-key"));
    }
    for line in
        ["x deviceListInvalidationsForUserIds y", "with that dose of time some code must wait here till Bob says"]
    {
        assert_eq!(redacted(line), line);
    }
}

#[test]
fn what_a_sentence_says_of_a_secret_goes_wherever_a_gap_begins_and_ends() {
    const PHRASE: &str = "thunder candle velvet";
    const TOKEN: &str = "thunder7candle";
    // The gap begins behind the name: where it takes a part of the name, nobody can know what is said.
    for (name, said, secret) in [
        ("the passphrase", " is correct ", PHRASE),
        ("the password", " is north ", PHRASE),
        ("the password", " is not", PHRASE),
        ("(password", " was set ", PHRASE),
        ("passwords", " are ", PHRASE),
        ("recovery_key", " equals a", PHRASE),
        ("password", " for alice: ", PHRASE),
        ("passphrase", " for @alice:h: used ", PHRASE),
        ("--password", " ", PHRASE),
        ("password", " = ", PHRASE),
        ("mot_de_passe", ": ", PHRASE),
        ("body", ": ", PHRASE),
        ("the token", " is valid", TOKEN),
        ("token", " was  ", TOKEN),
        ("secret", " for alice: ", TOKEN),
    ] {
        let line = format!("{name}{said}{secret}\nalready exists");
        let end = name.len() + said.len() + secret.len();
        for from in name.len()..end {
            for to in from + 1..=end {
                let (head, tail) = (&line[..from], &line[to..]);
                let (closed, _) = redact_pieces(head, tail, to - from);
                let seen = secret.split([' ', '7']).find(|word| closed.contains(word));
                assert_eq!(seen, None, "{head:?} and {tail:?} became {closed}");
                assert!(closed.ends_with("already exists"), "{head:?} and {tail:?} became {closed}");
            }
        }
    }
}

#[test]
fn a_state_of_a_secret_stays_where_a_gap_is_elsewhere_and_goes_where_it_may_be_the_secrets_first_word() {
    for line in ["the password is correct", "the password is correct ", "the password is not set", "token is missing "]
    {
        assert_eq!(redacted(line), line);
    }
    for (head, tail, wanted) in [
        ("the password is correct, x yz", "z a", "the password is correct, x [closed] …[9 characters cut]… [closed] a"),
        ("key is missing at all fo", "r a", "key is missing at all [closed] …[9 characters cut]… [closed] a"),
        ("x", "x the token is missing a", "[closed] …[9 characters cut]… [closed] the token is missing a"),
        ("ed25519:AAAAAAAPWD", " is a", "[closed] …[9 characters cut]…  is a"),
        ("{\"password", "\":\"a b\",\"x\":1}", "[closed] …[9 characters cut]… [closed]\",\"x\":1}"),
        ("the password is correct ", "a b\nc", "the password is [closed] …[9 characters cut]… [closed]\nc"),
    ] {
        assert_eq!(redact_pieces(head, tail, 9).0, wanted);
    }
}

#[test]
fn a_run_that_touches_the_edge_of_a_gap_is_closed_as_a_whole() {
    let (text, count) = redact_pieces("x sytOpaque", "Rest y", 9);
    assert_eq!(text, "x [closed] …[9 characters cut]… [closed] y");
    assert_eq!(count, 2);
    let (text, _) = redact_pieces("{\"passw", "ord\": \"a b c\", \"x\": 1}", 0);
    assert_eq!(text, "[closed] …[0 characters cut]… [closed]\", \"x\": 1}");
    let (text, _) = redact_pieces("x \"acc", "token\",\n \"value\": \"a b c\" }", 4);
    assert_eq!(text, "x [closed] …[4 characters cut]… [closed]\" }");
    let (text, _) = redact_pieces("Cookie: a=b; c", "d; e=f; g\nnext", 9);
    assert_eq!(text, "Cookie: [closed] …[9 characters cut]… [closed]\nnext");
}

#[test]
fn what_is_already_masked_is_not_counted_again() {
    assert_eq!(redact("access_token=[closed]").count, 0);
}

#[test]
fn a_string_that_turns_out_to_be_between_strings_lays_nothing_open() {
    for line in [
        r#"token :" Login { token: "Sec+ret/1234567890", x: 1 }"#,
        r#"token :" {"cookie":"c0=Secret1234567890","x":1}"#,
        "token = body['token'] = 'Secret1234567890';",
    ] {
        assert!(!redacted(line).contains("1234567890"), "{}", redacted(line));
    }
}

#[test]
fn a_login_type_is_not_a_name_with_a_value() {
    for line in [
        r#"["m.login.password","m.login.sso"]"#,
        r#"{"type":"m.room.topic","state_key":""}"#,
        r#"secret_name="m.megolm_backup.v1" x"#,
        "io.element.call.encryption_keys: skipping one",
        "encryption key missing for encoding",
        "token(s) missing",
        r#"{"type":"io.element.call.encryption_keys","sender":"@a:b"}"#,
        "Basic Authentication is off, basic E2EE",
        "at 2026-11-23T08:42:19.074Z 10.0.0.1:8008, 12:30:45",
        "see this line that goes from here upto that word over here then ends",
    ] {
        assert_eq!(redacted(line), line);
    }
}

/// Pieces that begin something and never end it, or that look like the beginning of a secret.
const HOSTILE: [&str; 48] = [
    "{key:",
    "key:\"",
    "key:'",
    "key=",
    "k:`",
    "\"key\":\"AAAAAAAAAAAAAAAAAAAAAA\",",
    "{\"key\":\"AAAAAAAAAAAAAAAAAAAAAA\"{",
    "signatures",
    "password:(",
    "token:{",
    "token:[",
    "token:'",
    "token:\"",
    "token:`",
    "token\\:\\\"",
    "token\\\\\\:\\\\\\\"",
    "token\\",
    "\"token\",",
    "\"token\",\"value\":",
    "token%3D",
    "%22token%22%3A%22",
    "sessionkey:Some(",
    "token: T {",
    "encryption_key=a.",
    "encryption_key=",
    "Cookie: ",
    "\"Cookie: ",
    "\\nCookie: ",
    "Authorization: ",
    "Authorization: Bearer ",
    "code=",
    "&code=",
    "bearer ",
    "bearer=",
    "basic ",
    "basic=",
    "eyJ",
    "/eyJ",
    "eyJ.",
    "mat_",
    "xmat_",
    "syt_",
    "1,",
    "1, ",
    "abcd ",
    "0:1,",
    "\\",
    "]}",
];

/// Steps for each byte at most; the dearest are the looks around a field called `key`.
const STEPS_PER_BYTE: usize = 150;

/// Twice the text must take about twice the steps; where looks go a bounded way, the longer text has a few more.
fn assert_linear(pattern: &str, work: impl Fn(&str)) {
    let steps = |bytes: usize| work::steps_of(|| work(&pattern.repeat(bytes / pattern.len())));
    let (once, twice) = (steps(2_000), steps(4_000));
    assert!(once > 0, "the steps are counted");
    assert!(twice <= 3 * once && twice <= 4_000 * STEPS_PER_BYTE, "{pattern:?}: {once}, then {twice}");
}

#[test]
fn the_work_grows_no_faster_than_the_text() {
    for first in HOSTILE {
        assert_linear(first, |text| drop(redact_pieces(text, "tail", 1)));
        assert_linear(first, |text| drop(redact_pieces("head", text, 1)));
        for second in HOSTILE.iter().chain(&["", " ", "\n", "x"]) {
            assert_linear(&format!("{first}{second}"), |text| drop(redact(text)));
        }
    }
}

#[test]
fn the_work_does_not_grow_with_the_depth_of_quoted_strings() {
    let text: String = (0..200).map(|depth| format!("key:{}\"x ", "\\".repeat(depth))).collect();
    assert!(work::steps_of(|| drop(redact(&text))) <= STEPS_PER_BYTE * text.len());
    let text: String = (0..200).rev().map(|depth| format!("password:{}\"x ", "\\".repeat(depth))).collect();
    assert!(work::steps_of(|| drop(redact(&text))) <= STEPS_PER_BYTE * text.len());
}
