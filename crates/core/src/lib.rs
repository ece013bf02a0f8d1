//! The Specie protocol and nothing else: hashing, classes, issuance, transfers, chains, verification.
