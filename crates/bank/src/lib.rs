//! The central bank: issuance sessions, ledger, detection, revocation, manifests; storage as a trait.
