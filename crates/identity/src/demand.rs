//! What is asked of a customer: which claims, by whom, once.

use serde::Serialize;
use specie_core::Timestamp;

use crate::claim::ClaimPath;
use crate::json;
use crate::trust::TrustList;

/// A question to one customer. Its answer counts once; that is for whoever keeps it to see to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Demand {
    /// What only an answer to this question repeats.
    pub nonce: String,
    /// Who asks.
    pub audience: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// The claims that are needed. What a wallet discloses beyond them is refused.
    pub claims: Vec<ClaimPath>,
}

/// A credential that would do, as it is told to a wallet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Acceptable {
    /// Who issues it.
    pub issuer: String,
    /// Its types, each of which will do.
    pub types: Vec<String>,
    /// The claims to disclose: those that are needed, and the one by which the issuer tells persons apart.
    pub claims: Vec<ClaimPath>,
}

impl Demand {
    /// A demand with a nonce from 32 random bytes.
    pub fn new(seed: &[u8; 32], audience: impl Into<String>, claims: Vec<ClaimPath>, asked_at: Timestamp) -> Self {
        Self { nonce: json::to_base64url(seed), audience: audience.into(), asked_at, claims }
    }

    /// The credentials that would answer it: of every issuer who is believed about all the claims.
    pub fn acceptable(&self, trust: &TrustList) -> Vec<Acceptable> {
        let able =
            trust.issuers().iter().filter(|issuer| self.claims.iter().all(|claim| issuer.is_trusted_about(claim)));
        able.map(|issuer| Acceptable {
            issuer: issuer.url.clone(),
            types: issuer.types.clone(),
            claims: self.wanted(&issuer.person),
        })
        .collect()
    }

    /// The claims, and that by which persons are told apart.
    pub(crate) fn wanted(&self, person: &ClaimPath) -> Vec<ClaimPath> {
        let mut wanted = self.claims.clone();
        if !wanted.iter().any(|claim| person.lies_in(claim)) {
            wanted.push(person.clone());
        }
        wanted
    }
}
