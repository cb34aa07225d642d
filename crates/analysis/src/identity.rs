//! Whose signature is on a key. It tells whether one identity or two are behind a conflict.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Serialize;
use serde_json::Value;

use crate::evidence::Ke1;
use crate::evidence::ke1::SignedKey;

/// What the signatures of a conflict say of an Ed25519 key that the device is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Identity {
    /// The client's key is signed by it, the server's one by another: two identities have used one device id.
    Replaced,
    /// Both keys are signed by it: the store is behind its own identity, or two contexts use it.
    Same,
    /// The signatures do not tell; why.
    Unknown(Untold),
}

/// Why signatures do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Untold {
    /// The line does not show the server's key with its signature.
    NoSignature,
    /// The line was cut or redacted, so that a signature may fail for that.
    Altered,
    /// The line does not show the client's own new key, against which the check itself could be tried.
    NoControl,
    /// The client's new key does not verify with the key either: the line is damaged, or it is of another identity.
    ControlFails,
    /// The signature is in the name of another user or device.
    OtherSigner,
}

/// Tells the identity behind a conflict by an Ed25519 key of the device (unpadded base64). `altered` says that the text is
/// not the whole line.
///
/// That a signature *verifies* is proof by itself. That it does not is proof only where the same check, on the same
/// line, verifies the client's own new key: else a damaged line would pass for a replaced identity.
pub fn of_conflict(conflict: &Ke1, user_id: &str, device_id: &str, ed25519: &str, altered: bool) -> Identity {
    let Some(held) = conflict.server_key.as_ref().and_then(|key| key.object.as_ref()) else {
        return Identity::Unknown(Untold::NoSignature);
    };
    let Some(offered) = conflict.client_key.as_ref().and_then(|key| key.object.as_ref()) else {
        return Identity::Unknown(Untold::NoControl);
    };
    if !is_signed(offered, ed25519) {
        return Identity::Unknown(if altered { Untold::Altered } else { Untold::ControlFails });
    }
    if is_signed(held, ed25519) {
        return Identity::Same;
    }
    let Some(signature) = signature_of(held, user_id, &format!("ed25519:{device_id}")) else {
        let anybody = conflict.server_key.as_ref().is_some_and(|key| !key.signed_by.is_empty());
        return Identity::Unknown(if anybody { Untold::OtherSigner } else { Untold::NoSignature });
    };
    match decode::<64>(signature) {
        None => Identity::Unknown(Untold::NoSignature),
        Some(_) if altered => Identity::Unknown(Untold::Altered),
        Some(_) => Identity::Replaced,
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
    fn nonsense_verifies_nothing() {
        let object = json!({"key": "a", "signatures": {"@a:b": {"ed25519:D": "no"}, "x": 3}});
        assert!(!is_signed(&object, "no"));
        assert!(!is_signed(&json!({"key": "a", "signatures": 3}), "Zl1qx85mCv+hWeGgaXQ8EJHnzRkUf0ZA5ZOM8U3jRTI"));
    }
}
