//! A sender's `InvalidSignature`: a claimed one-time key that the identity by which the sender knows the device has not
//! signed.

use crypto_diag_analysis::evidence::Olm;
use crypto_diag_analysis::evidence::olm::OlmKind;
use crypto_diag_analysis::identity::claimed_is_signed;

use crate::case::Case;
use crate::case::identity::{SaidBy, Sighting};
use crate::case::ledger::is_altered;
use crate::moment::Moment;
use crate::subject::{Device, Subject};
use crate::verdict::Evidence;

/// One claimed key of one device, as one page complained of it.
pub(super) struct Unsigned<'c> {
    /// Whose key it is.
    pub device: Device,
    pub line: &'c Olm,
    report: usize,
    entry: usize,
}

impl<'c> Unsigned<'c> {
    /// All of them; of lines about one key the first.
    pub fn all(case: &'c Case<'_>) -> Vec<Unsigned<'c>> {
        let mut found: Vec<Unsigned<'c>> = Vec::new();
        for (report, entry, _, line) in case.olm() {
            let is_one = line.kind == OlmKind::OutboundCreation && line.cause.as_deref() == Some("InvalidSignature");
            let (true, Some(user_id), Some(device_id)) = (is_one, &line.user_id, &line.device_id) else { continue };
            let device = Device::new(user_id, device_id);
            if found.iter().all(|known| known.device != device || known.line.one_time_key != line.one_time_key) {
                found.push(Unsigned { device, line, report, entry });
            }
        }
        found
    }

    /// The subject's label and data.
    pub fn about(&self) -> (String, Subject) {
        let key = self.line.one_time_key.as_deref().unwrap_or_default();
        let subject = Subject {
            device: Some(self.device.clone()),
            one_time_keys: self.line.one_time_key.iter().cloned().collect(),
            ..Subject::default()
        };
        (format!("{} {key}", self.device.label()).trim_end().to_owned(), subject)
    }

    pub fn evidence(&self, case: &Case<'_>) -> Option<Evidence> {
        let says = "the claimed key is not signed by the identity that this sender knows";
        case.entry(self.report, self.entry, says)
    }

    /// When the sender printed it.
    pub fn printed(&self, case: &Case<'_>) -> Option<Moment> {
        case.printed(self.report, self.entry)
    }

    /// What the device says of its own identity.
    pub fn own<'b>(&'b self, case: &'b Case<'_>) -> impl Iterator<Item = &'b Sighting> + 'b {
        case.identities_of(&self.device).filter(|sighting| sighting.said_by == SaidBy::Itself)
    }

    /// Whether the line shows the key with a signature in the device's name, and the identity that the sender knows did not
    /// make it.
    pub fn is_signed_by_another(&self, case: &Case<'_>) -> bool {
        let entry = self.bundle_entry(case);
        let altered = entry.is_none_or(is_altered);
        let (Some(signed), Some(known)) = (&self.line.signed, &self.line.signing_key) else { return false };
        let in_its_name = signed.signed_by.iter().any(|signer| {
            signer.user_id == self.device.user_id && signer.key_id == format!("ed25519:{}", self.device.device_id)
        });
        !altered && in_its_name && claimed_is_signed(signed, known) == Some(false)
    }

    fn bundle_entry<'b>(&self, case: &'b Case<'_>) -> Option<&'b crypto_diag_core::Entry> {
        case.bundle.reports.get(self.report)?.entries.get(self.entry)?.as_ref()
    }

    /// The report of the sender.
    pub fn report(&self) -> usize {
        self.report
    }
}
