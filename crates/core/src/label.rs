//! Every domain-separation label, in one table. A label is never reused for another purpose.

/// Points `H` and `K` (§2).
pub const GENERATOR: &str = "specie/v1/generator";
/// Class identifiers (§3).
pub const CLASS_ID: &str = "specie/v1/class-id";
/// The class point `Z` (§3).
pub const CLASS: &str = "specie/v1/class";
/// Challenge of the proof of knowledge of `u` (§4).
pub const ENROL: &str = "specie/v1/enrol";
/// Nonce of the same proof, derived by the element (§4).
pub const ENROL_NONCE: &str = "specie/v1/enrol-nonce";
/// Challenge of the blind signature (§5).
pub const ISSUE: &str = "specie/v1/issue";
/// Expansion of the issuer's seed into one session's secrets (§5).
pub const ISSUER_SEED: &str = "specie/v1/issuer-seed";
/// Expansion of the device's seed into one note's blinding (§5).
pub const DEVICE_SEED: &str = "specie/v1/device-seed";
/// The element's per-note nonce `k3` (§5).
pub const K3: &str = "specie/v1/k3";
/// Issuing keys from a seed (§3).
pub const ISSUING_KEY: &str = "specie/v1/issuing-key";
/// Device secrets `u` from a seed (§4).
pub const DEVICE_KEY: &str = "specie/v1/device-key";
/// Note identifiers (§5).
pub const NOTE_ID: &str = "specie/v1/note-id";
/// Owner tags (§6).
pub const OWNER: &str = "specie/v1/owner";
/// The challenge `d` of a show (§6).
pub const SPEND: &str = "specie/v1/spend";
/// Transfer identifiers (§6).
pub const TRANSFER_ID: &str = "specie/v1/transfer-id";
/// Context of a payment: the request it answers (§7).
pub const REQUEST: &str = "specie/v1/request";
/// What a payee signs: the body of its request (§7).
pub const REQUEST_BODY: &str = "specie/v1/request-body";
/// Receipt hashes (§7).
pub const RECEIPT: &str = "specie/v1/receipt";
/// What a preimage says of its disclosure (§7.1).
pub const DISCLOSURE: &str = "specie/v1/disclosure";
/// The payer's secrets of a disclosure, from those of the note (§7.1).
pub const DISCLOSURE_SECRET: &str = "specie/v1/disclosure-secret";
/// Context of a redemption: its destination (§8).
pub const REDEEM: &str = "specie/v1/redeem";
/// Weights of a batch (§6).
pub const BATCH: &str = "specie/v1/batch";
/// Weights of the checks within one transfer, or within one issuance (§5, §6).
pub const WEIGHTS: &str = "specie/v1/weights";
/// Manifest headers: hash chain and signature (§3).
pub const MANIFEST: &str = "specie/v1/manifest";
/// Leaves of the manifest's tree (§3).
pub const MANIFEST_LEAF: &str = "specie/v1/manifest-leaf";
/// Inner nodes of the manifest's tree (§3).
pub const MANIFEST_NODE: &str = "specie/v1/manifest-node";
/// Limits documents (§4).
pub const LIMITS: &str = "specie/v1/limits";
/// Pages of the revocation list (§8).
/// Mandates: the part that an element enforces (§7.2).
pub const MANDATE: &str = "specie/v1/mandate";
/// Mandates: the part that a wallet enforces (§7.2).
pub const MANDATE_TERMS: &str = "specie/v1/mandate-terms";
/// Requests that a device makes of its PSP under a mandate, with nobody there (§7.2).
pub const MANDATED_REQUEST: &str = "specie/v1/mandated-request";
/// Revocation lists (§8).
pub const REVOCATION: &str = "specie/v1/revocation";
/// Payee descriptors (§7).
pub const DESCRIPTOR: &str = "specie/v1/descriptor";
/// The maker's certificate over a secure element (§4).
pub const CERTIFICATE: &str = "specie/v1/certificate";
/// A maker's `oemid` in attestations (§4).
pub const OEM_ID: &str = "specie/v1/oemid";
/// An element's commitments to its totals (`docs/spec/totals.md`).
pub const TOTALS: &str = "specie/v1/totals";
/// What hides those totals, from the element's seed.
pub const TOTALS_BLINDING: &str = "specie/v1/totals-blinding";
/// The range proof of the same totals.
pub const TOTALS_PROOF: &str = "specie/v1/totals-proof";
/// Expansion of the seed of such a proof.
pub const TOTALS_RANDOM: &str = "specie/v1/totals-random";
/// Requests that a device makes of its PSP (§4).
pub const DEVICE_REQUEST: &str = "specie/v1/device-request";
/// Requests for payment, signed by the payee's element (§7).
pub const PAYEE: &str = "specie/v1/payee";
/// Digest of a device's HTTP request, which its element then signs as a device request (`docs/spec/http.md`).
pub const HTTP: &str = "specie/v1/http";
/// Requests that a PSP makes of the bank over HTTP (`docs/spec/http.md`).
pub const PSP_REQUEST: &str = "specie/v1/psp-request";
/// The element's authentication key `A` from its seed (§4).
pub const ELEMENT_AUTHENTICATION: &str = "specie/v1/element-authentication";
/// How an element keeps its PIN.
pub const ELEMENT_PIN: &str = "specie/v1/element-pin";
/// How an element keeps its PUK.
pub const ELEMENT_PUK: &str = "specie/v1/element-puk";
/// Names of firmwares of elements.
pub const ELEMENT_FIRMWARE: &str = "specie/v1/element-firmware";
/// An element's conditioning of noise (`docs/spec/element.md`).
pub const ELEMENT_ENTROPY: &str = "specie/v1/element-entropy";
/// How an element ties an index to class and γ of its note.
pub const ELEMENT_NOTE: &str = "specie/v1/element-note";
/// An officer's keys and secrets, from its seed (`docs/ceremony.md`).
pub const SUPERVISION_OFFICER: &str = "specie/v1/supervision-officer";
/// An officer's card, signed by it.
pub const SUPERVISION_CARD: &str = "specie/v1/supervision-card";
/// Names of ceremonies.
pub const SUPERVISION_CEREMONY: &str = "specie/v1/supervision-ceremony";
/// A dealing, signed by its dealer.
pub const SUPERVISION_DEALING: &str = "specie/v1/supervision-dealing";
/// Proof that a dealer knows what it shares.
pub const SUPERVISION_POSSESSION: &str = "specie/v1/supervision-possession";
/// What hides an officer's share.
pub const SUPERVISION_SHARE: &str = "specie/v1/supervision-share";
/// All that was sent in a ceremony; signed by each officer.
pub const SUPERVISION_TRANSCRIPT: &str = "specie/v1/supervision-transcript";
/// Challenges of proofs of equal logarithms.
pub const SUPERVISION_PROOF: &str = "specie/v1/supervision-proof";
/// Nonces of the same proofs.
pub const SUPERVISION_NONCE: &str = "specie/v1/supervision-nonce";
/// Names of movements in a PSP's books.
pub const PSP_MOVEMENT: &str = "specie/v1/psp-movement";
/// Alerts of the rules against money laundering.
pub const AML_ALERT: &str = "specie/v1/aml-alert";
/// Reports of cases, as the audit log names them.
pub const AML_REPORT: &str = "specie/v1/aml-report";
/// Names of what a PSP does for a request.
pub const PSP_OPERATION: &str = "specie/v1/psp-operation";
/// Hashes of claim codes, as a PSP stores them.
pub const CLAIM_CODE: &str = "specie/v1/claim-code";
/// Tags by which a person is known again (`docs/spec/identity.md`).
pub const PERSON: &str = "specie/v1/person";
/// Names by which the bank's registry knows persons (`docs/spec/identity.md`).
pub const REGISTERED_PERSON: &str = "specie/v1/registered-person";
/// Names of peppers.
pub const PEPPER: &str = "specie/v1/pepper";
/// Tags of identity documents, as a PSP stores them.
pub const DOCUMENT_NUMBER: &str = "specie/v1/document-number";
/// Names of credentials in a PSP's records.
pub const CREDENTIAL: &str = "specie/v1/credential";
/// Names of lists of issuers in a PSP's records.
pub const ISSUER_LIST: &str = "specie/v1/issuer-list";
/// Hashes of presentations, by which a PSP knows one that it accepted.
pub const PRESENTATION: &str = "specie/v1/presentation";
/// Names of sanctions lists in a PSP's records.
pub const SANCTIONS_LIST: &str = "specie/v1/sanctions-list";
/// Expansion of one request's seed into the seeds of its issuance sessions.
pub const BANK_SESSION: &str = "specie/v1/bank-session";
/// Names of movements in the bank's ledger.
pub const BANK_MOVEMENT: &str = "specie/v1/bank-movement";
/// The key that seals a device's backups, from its recovery code (`docs/spec/protocol.md` §8.1).
pub const RECOVERY_KEY: &str = "specie/v1/recovery-key";
/// Names of what the bank pays back for lost devices.
pub const BANK_RESTITUTION: &str = "specie/v1/bank-restitution";
/// How the bank recognises a request that it saw before.
pub const BANK_REQUEST: &str = "specie/v1/bank-request";
/// Records of an audit log, as the next record and heads know them (`docs/spec/audit.md`).
pub const AUDIT_RECORD: &str = "specie/v1/audit-record";
/// Heads of an audit log, signed by whoever keeps it.
pub const AUDIT_HEAD: &str = "specie/v1/audit-head";
/// Records of the log of a bank's signer, and what recognises its files and answers (`docs/spec/signer.md`).
pub const SIGNER_RECORD: &str = "specie/v1/signer-record";
