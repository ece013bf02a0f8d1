//! The kinds of decisions: a closed list, so that an auditor knows what to look for.

/// What was decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A bank was made.
    BankSetUp,
    /// The rules of a bank that are in no manifest changed.
    BankRulesInForce,
    /// A manifest was published.
    ManifestPublished,
    /// A class of notes came with a manifest.
    ClassPublished,
    /// The classes of an epoch begin without notice.
    NoticeWaived,
    /// From then on the classes of an epoch are issued, and none of those before.
    EpochBegun,
    /// The issuing keys of an epoch were destroyed.
    KeysDestroyed,
    /// What was issued and redeemed of a class until then.
    ClassTotals,
    /// A PSP was registered.
    PspRegistered,
    /// An operator booked a payment into a PSP's reserve.
    ReservePaidIn,
    /// An operator booked a payment out of a PSP's reserve.
    ReservePaidOut,
    /// From which amount on payments are disclosed, and to whom.
    SupervisionSet,
    /// Payments are not disclosed any more.
    SupervisionEnded,
    /// A disclosed transfer was handed to an operator.
    DisclosureHandedOut,
    /// Officers opened a disclosed transfer.
    DisclosureOpened,
    /// A device was registered with the bank.
    DeviceRegistered,
    /// A device was struck off for double spending.
    DeviceStruckOff,
    /// A double spend convicts nobody who is registered, more came back than was issued, or conservation does not hold.
    AlarmRaised,
    /// An operator looked at an alarm and decided that work goes on.
    AlarmAcknowledged,
    /// A revocation list was published.
    RevocationsPublished,
    /// What a lost device held was claimed.
    RestitutionClaimed,
    /// Something that was claimed of what a lost device held is not to be paid.
    RestitutionRefused,
    /// What came of a claim, for good.
    RestitutionSettled,
    /// Claims on what a device held were given up.
    RestitutionGivenUp,
    /// The bank keeps a registry of persons from now on.
    RegistryBegun,
    /// It keeps none any more.
    RegistryEnded,
    /// A PSP took a person: it alone gives the person limits.
    PersonClaimed,
    /// Another PSP has a person whom a PSP wanted to take.
    PersonRefused,
    /// A PSP gave a person back.
    PersonReleased,
    /// The bank took a person from a PSP.
    PersonFreed,
    /// The rules of a PSP changed.
    PolicyInForce,
    /// A version of the tiers came, or another text of it.
    TiersPublished,
    /// With which issuers and which sanctions list a PSP identifies its customers.
    IdentificationInForce,
    /// A customer was taken on.
    CustomerAdded,
    /// Evidence of who a customer is was recorded.
    EvidenceRecorded,
    /// A credential was accepted as evidence of who a customer is.
    CredentialAccepted,
    /// A document was looked at, as evidence of who a customer is.
    DocumentChecked,
    /// A customer's name was compared with a sanctions list.
    NameScreened,
    /// A person decided whether a customer is who is on the list.
    HitDecided,
    /// What was known of who a customer is was deleted.
    IdentityErased,
    /// A customer was moved to another tier.
    TierChanged,
    /// Which person a customer is became known.
    PersonKnown,
    /// A customer was given a claim code.
    ClaimCodeIssued,
    /// An operator credited a customer.
    CustomerCredited,
    /// A customer's device was enrolled.
    DeviceEnrolled,
    /// The bank did not take a customer's device.
    DeviceRefused,
    /// A device was blocked.
    DeviceBlocked,
    /// A device's block was lifted.
    DeviceUnblocked,
    /// A device was reported lost.
    DeviceLost,
    /// A lost device was found.
    DeviceFound,
    /// A device was allowed something else than before.
    LimitsIssued,
    /// Totals of a device were found to be within its limits, or not.
    TotalsJudged,
    /// The owner of a device withdrew its consent to uploads.
    UploadsRefused,
    /// The owner of a device agreed to uploads again.
    UploadsAgreed,
    /// A version of the rules against money laundering came.
    AmlRulesAdopted,
    /// A rule against money laundering found a customer's flows suspicious.
    AlertRaised,
    /// A case about a customer was opened.
    CaseOpened,
    /// Something was done in a case about a customer.
    CaseStep,
    /// The report of a case was written.
    CaseReported,
    /// A customer was frozen.
    CustomerFrozen,
    /// A customer was released.
    CustomerReleased,
    /// A device's weight in the sharing of its owner's limits was set.
    WeightSet,
    /// A device was given up by its owner.
    DeviceReleased,
    /// A device was enrolled for its new owner.
    DeviceHandedOver,
}

macro_rules! names {
    ($($kind:ident = $name:literal,)*) => {
        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The stable name, as stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The kind of that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

names! {
    BankSetUp = "bank-set-up",
    BankRulesInForce = "bank-rules-in-force",
    ManifestPublished = "manifest-published",
    ClassPublished = "class-published",
    NoticeWaived = "notice-waived",
    EpochBegun = "epoch-begun",
    KeysDestroyed = "keys-destroyed",
    ClassTotals = "class-totals",
    PspRegistered = "psp-registered",
    ReservePaidIn = "reserve-paid-in",
    ReservePaidOut = "reserve-paid-out",
    SupervisionSet = "supervision-set",
    SupervisionEnded = "supervision-ended",
    DisclosureHandedOut = "disclosure-handed-out",
    DisclosureOpened = "disclosure-opened",
    DeviceRegistered = "device-registered",
    DeviceStruckOff = "device-struck-off",
    AlarmRaised = "alarm-raised",
    AlarmAcknowledged = "alarm-acknowledged",
    RevocationsPublished = "revocations-published",
    RestitutionClaimed = "restitution-claimed",
    RestitutionRefused = "restitution-refused",
    RestitutionSettled = "restitution-settled",
    RestitutionGivenUp = "restitution-given-up",
    RegistryBegun = "registry-begun",
    RegistryEnded = "registry-ended",
    PersonClaimed = "person-claimed",
    PersonRefused = "person-refused",
    PersonReleased = "person-released",
    PersonFreed = "person-freed",
    PolicyInForce = "policy-in-force",
    TiersPublished = "tiers-published",
    IdentificationInForce = "identification-in-force",
    CustomerAdded = "customer-added",
    EvidenceRecorded = "evidence-recorded",
    CredentialAccepted = "credential-accepted",
    DocumentChecked = "document-checked",
    NameScreened = "name-screened",
    HitDecided = "hit-decided",
    IdentityErased = "identity-erased",
    TierChanged = "tier-changed",
    PersonKnown = "person-known",
    ClaimCodeIssued = "claim-code-issued",
    CustomerCredited = "customer-credited",
    DeviceEnrolled = "device-enrolled",
    DeviceRefused = "device-refused",
    DeviceBlocked = "device-blocked",
    DeviceUnblocked = "device-unblocked",
    DeviceLost = "device-lost",
    DeviceFound = "device-found",
    LimitsIssued = "limits-issued",
    TotalsJudged = "totals-judged",
    UploadsRefused = "uploads-refused",
    UploadsAgreed = "uploads-agreed",
    AmlRulesAdopted = "aml-rules-adopted",
    AlertRaised = "alert-raised",
    CaseOpened = "case-opened",
    CaseStep = "case-step",
    CaseReported = "case-reported",
    CustomerFrozen = "customer-frozen",
    CustomerReleased = "customer-released",
    WeightSet = "weight-set",
    DeviceReleased = "device-released",
    DeviceHandedOver = "device-handed-over",
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_kind_is_in_the_specification() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/audit.md");
        let specification = std::fs::read_to_string(path).unwrap();
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
            let row = format!("| `{}` |", kind.as_str());
            assert_eq!(
                specification.matches(&row).count(),
                1,
                "docs/spec/audit.md needs one row for {}",
                kind.as_str()
            );
        }
    }
}
