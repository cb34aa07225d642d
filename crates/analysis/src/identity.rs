//! Whose signature is on a key. It tells the cause of a conflict: *identity replaced*, or *same identity*.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Serialize;
use serde_json::Value;

use crate::evidence::Ke1;
use crate::evidence::ke1::SignedKey;
use crate::report::Report;

/// What the signatures of a conflict say of the device's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Identity {
    /// The server's key is signed by another Ed25519 key than the device's own: two identities have used one device id.
    Replaced,
    /// The server's key is signed by the device's own key: its store went back in time, or two contexts are alive.
    Same,
    /// The signatures do not tell; why.
    Unknown(Untold),
}

/// Why signatures do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Untold {
    /// The report does not hold the device's own Ed25519 key.
    NoOwnKey,
    /// The report does not say whose it is.
    NoOwnIds,
    /// The line does not show the server's key with its signature.
    NoSignature,
    /// The line was cut or redacted, so that a signature may fail for that.
    Altered,
    /// The line does not show this client's own new key, against which the check itself could be tried.
    NoControl,
    /// This client's new key does not verify with the device's own key either: the line is damaged, or it was printed
    /// under another identity than the one in the report.
    ControlFails,
    /// The signature is in the name of another user or device.
    OtherSigner,
}

impl fmt::Display for Untold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Untold::NoOwnKey => "the report does not hold the device's own Ed25519 key",
            Untold::NoOwnIds => "the report does not name its user and device",
            Untold::NoSignature => "the line does not show the server's key with its signature",
            Untold::Altered => "the line was cut or redacted",
            Untold::NoControl => "the line does not show the client's own key, which would show that the check works",
            Untold::ControlFails => {
                "the client's own new key does not verify with the device's key of the report either"
            }
            Untold::OtherSigner => "the signature is in the name of another user or device",
        })
    }
}

/// Tells the identity behind a conflict. `altered` says that the entry is not the whole line.
///
/// That a signature *verifies* is proof by itself. That it does not is proof only where the same check, on the same
/// line, verifies the client's own new key: else a damaged line would pass for a replaced identity.
pub fn of_conflict(conflict: &Ke1, report: &Report, altered: bool) -> Identity {
    let Some(own) = report.own_keys().and_then(|keys| keys.ed25519.as_deref()) else {
        return Identity::Unknown(Untold::NoOwnKey);
    };
    let Some(object) = conflict.server_key.as_ref().and_then(|key| key.object.as_ref()) else {
        return Identity::Unknown(Untold::NoSignature);
    };
    let control = conflict.client_key.as_ref().and_then(|key| key.object.as_ref()).map(|key| is_signed(key, own));
    if control == Some(false) {
        return Identity::Unknown(if altered { Untold::Altered } else { Untold::ControlFails });
    }
    if is_signed(object, own) {
        return Identity::Same;
    }
    let (Some(user_id), Some(device_id)) = (&report.user_id, &report.device_id) else {
        return Identity::Unknown(Untold::NoOwnIds);
    };
    let Some(signature) = signature_of(object, user_id, &format!("ed25519:{device_id}")) else {
        let anybody = conflict.server_key.as_ref().is_some_and(|key| !key.signed_by.is_empty());
        return Identity::Unknown(if anybody { Untold::OtherSigner } else { Untold::NoSignature });
    };
    match (control, decode::<64>(signature)) {
        (_, None) => Identity::Unknown(Untold::NoSignature),
        _ if altered => Identity::Unknown(Untold::Altered),
        (None, _) => Identity::Unknown(Untold::NoControl),
        (Some(_), Some(_)) => Identity::Replaced,
    }
}

/// Whether a key object carries a signature of that Ed25519 key (unpadded base64), by whatever name.
pub fn is_signed(object: &Value, ed25519: &str) -> bool {
    let Some(text) = canonical(object) else { return false };
    let users = object.get("signatures").and_then(Value::as_object);
    let mut signatures = users.into_iter().flatten().filter_map(|(_, of_user)| of_user.as_object()).flatten();
    signatures.any(|(_, signature)| signature.as_str().is_some_and(|signature| verifies(&text, signature, ed25519)))
}

/// Whether a claimed key was signed by that Ed25519 key; `None` where the line does not show the signature.
pub fn claimed_is_signed(key: &SignedKey, ed25519: &str) -> Option<bool> {
    key.object.as_ref().filter(|_| !key.signed_by.is_empty()).map(|object| is_signed(object, ed25519))
}

fn signature_of<'a>(object: &'a Value, user_id: &str, key_id: &str) -> Option<&'a str> {
    object.get("signatures")?.get(user_id)?.get(key_id)?.as_str()
}

fn verifies(text: &str, signature: &str, ed25519: &str) -> bool {
    let (Some(signature), Some(key)) = (decode::<64>(signature), decode::<32>(ed25519)) else { return false };
    let Ok(key) = VerifyingKey::from_bytes(&key) else { return false };
    key.verify_strict(text.as_bytes(), &Signature::from_bytes(&signature)).is_ok()
}

fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// What a signature is over: the object without `signatures` and `unsigned`, as Canonical JSON (client-server API,
/// appendix "Signing JSON"). `None` if it is no object or holds a number that Canonical JSON does not know.
///
/// ```
/// use crypto_diag_analysis::identity::canonical;
///
/// let key = serde_json::json!({"key": "QF6S", "fallback": true, "signatures": {}, "unsigned": {}});
/// assert_eq!(canonical(&key).unwrap(), r#"{"fallback":true,"key":"QF6S"}"#);
/// ```
pub fn canonical(object: &Value) -> Option<String> {
    let mut signed = object.as_object()?.clone();
    signed.remove("signatures");
    signed.remove("unsigned");
    let signed = Value::Object(signed);
    // serde_json's map is ordered by its names' bytes, which is the order of code points; it writes no spaces and
    // escapes what Canonical JSON wants escaped.
    is_canonical(&signed).then(|| signed.to_string())
}

fn is_canonical(value: &Value) -> bool {
    const WHOLE_MAX: u64 = (1 << 53) - 1;
    match value {
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() <= WHOLE_MAX),
        Value::Array(items) => items.iter().all(is_canonical),
        Value::Object(items) => items.values().all(is_canonical),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

/// How three views of one device's Ed25519 key compare (`facts/inference.md`, OLM).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Views {
    /// Sender, server and device agree, and the key is not signed by it: the one-time key is of an identity that is
    /// gone.
    IdentityReplaced,
    /// The sender holds another key than the server.
    StaleDeviceList,
    /// The server holds another key than the device.
    Overwritten,
    /// A view is missing.
    Unknown,
}

/// Compares the three views behind an `InvalidSignature`. `server` comes from `e2e_device_keys_json`, which no report
/// holds, and `device` from the device's own report.
pub fn compare_views(sender: Option<&str>, server: Option<&str>, device: Option<&str>) -> Views {
    match (sender, server, device) {
        (Some(sender), Some(server), _) if sender != server => Views::StaleDeviceList,
        (_, Some(server), Some(device)) if server != device => Views::Overwritten,
        (Some(_), Some(_), Some(_)) => Views::IdentityReplaced,
        _ => Views::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn canonical_json_orders_by_code_point_and_escapes_little() {
        let object = json!({"ü": 1, "b": "\u{7f}\n\"é", "a": {"z": null, "y": [true, -3]}});
        assert_eq!(
            canonical(&object).unwrap(),
            "{\"a\":{\"y\":[true,-3],\"z\":null},\"b\":\"\u{7f}\\n\\\"é\",\"ü\":1}"
        );
        assert_eq!(canonical(&json!({"a": 1.5})), None);
        assert_eq!(canonical(&json!({"a": 9_007_199_254_740_992_u64})), None);
        assert_eq!(canonical(&json!([])), None);
    }

    #[test]
    fn three_views_tell_three_stories() {
        assert_eq!(compare_views(Some("a"), Some("a"), Some("a")), Views::IdentityReplaced);
        assert_eq!(compare_views(Some("a"), Some("b"), Some("b")), Views::StaleDeviceList);
        assert_eq!(compare_views(Some("a"), Some("a"), Some("b")), Views::Overwritten);
        assert_eq!(compare_views(Some("a"), None, Some("a")), Views::Unknown, "the server was not asked");
        assert_eq!(compare_views(Some("a"), Some("a"), None), Views::Unknown);
    }

    #[test]
    fn nonsense_verifies_nothing() {
        let object = json!({"key": "a", "signatures": {"@a:b": {"ed25519:D": "no"}, "x": 3}});
        assert!(!is_signed(&object, "no"));
        assert!(!is_signed(&json!({"key": "a", "signatures": 3}), "Zl1qx85mCv+hWeGgaXQ8EJHnzRkUf0ZA5ZOM8U3jRTI"));
    }
}
