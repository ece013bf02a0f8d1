//! The revocation list (§8): notes shown twice that somebody might still be offered.
//!
//! A device has room for so many pages and drops the oldest. For a flood of double spends not to push out what was listed a moment ago, no
//! more than a set number of notes is listed within a day; the others wait, and those worth most go first.

use specie_audit::Kind;
use specie_core::amount::{Amount, Timestamp};
use specie_core::bytes::{NoteId, RevokedNote};
use specie_core::encoding::Decode;
use specie_core::revocation::{NOTES_PER_PAGE, PAGES_MAX, RevocationBody, RevocationPage};

use crate::audit;
use crate::bank::Bank;
use crate::detection::DetectionError;
use crate::signer::Signer;
use crate::storage::{Storage, StorageError, Tx};

/// How many notes are listed within a day unless the bank is told otherwise: a device that holds three pages has everything of the last day.
pub const LISTED_PER_DAY: u32 = 64;

/// The day of that limit, in seconds: any span of this length.
const DAY_SECONDS: u64 = 24 * 3_600;

/// A page without news is signed again after so many seconds, so that devices see how fresh the list is that they hold.
const RENEWED_AFTER_SECONDS: u64 = 3_600;

/// A note that has to be on the list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RevocableRecord {
    /// The note.
    pub note_id: NoteId,
    /// What was paid with it: so much may be lost each time that it is shown again.
    pub worth: Amount,
    /// Last moment at which its class is redeemed: after it, nobody needs to hear of it.
    pub revoke_until: Timestamp,
}

/// The newest signed version of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevocationRecord {
    /// Counts pages from 1.
    pub page: u64,
    /// Counts what was signed from 1.
    pub sequence: u64,
    /// Last moment at which one of its notes is of interest.
    pub revoke_until: Timestamp,
    /// The page as it travels.
    pub content: Vec<u8>,
}

/// A page being written.
struct Draft {
    page: u64,
    sequence: u64,
    previous: [u8; 32],
    oldest: u64,
    issued_at: Timestamp,
    revoke_until: Timestamp,
    notes: Vec<RevokedNote>,
}

impl<S: Storage, K: Signer> Bank<S, K> {
    /// Lists what waits, as much as may be listed now, in the transaction that found the newest; and signs the newest page again after a while
    /// without news.
    ///
    /// # Errors
    /// When the signer or the storage fails.
    pub fn publish_revocations(&self, tx: &mut dyn Tx, now: Timestamp) -> Result<(), DetectionError> {
        let day_before = Timestamp::new(now.seconds().saturating_sub(DAY_SECONDS)).unwrap_or_default();
        let listed = tx.notes_listed_after(day_before)?;
        let room = u64::from(self.revocations_per_day()).saturating_sub(listed);
        let due = tx.notes_to_list(now, u32::try_from(room).unwrap_or(u32::MAX))?;
        let newest = tx.newest_revocation()?.as_ref().map(Draft::of).transpose()?;
        let is_fresh = |newest: &Draft| now < newest.issued_at.saturating_add(RENEWED_AFTER_SECONDS);
        if due.is_empty() && newest.as_ref().is_some_and(is_fresh) {
            return Ok(());
        }
        let mut draft = newest.unwrap_or_else(Draft::first);
        let (count, mut due) = (due.len(), due.into_iter().peekable());
        loop {
            if draft.notes.len() == NOTES_PER_PAGE {
                draft = draft.next(tx)?;
            }
            for note in due.by_ref().take(NOTES_PER_PAGE - draft.notes.len()) {
                tx.mark_listed(&note.note_id, now)?;
                draft.add(&note);
            }
            self.sign_page(tx, &mut draft, now)?;
            if due.peek().is_none() {
                break;
            }
        }
        tx.delete_revocations_before(draft.oldest)?;
        // Signing the same again is no decision.
        if count > 0 {
            let (by, details) = (self.actor(), [("notes", count.to_string())]);
            audit::append(tx, by, now, Kind::RevocationsPublished, &draft.sequence.to_string(), &details)?;
        }
        Ok(())
    }

    fn sign_page(&self, tx: &mut dyn Tx, draft: &mut Draft, now: Timestamp) -> Result<(), DetectionError> {
        draft.sequence += 1;
        draft.issued_at = draft.issued_at.max(now);
        draft.notes.sort_unstable();
        let in_force = tx.oldest_revocation(now)?.unwrap_or(draft.page).min(draft.page);
        draft.oldest = draft.oldest.max(in_force).max((draft.page + 1).saturating_sub(PAGES_MAX as u64));
        let &mut Draft { page, sequence, previous, oldest, issued_at, revoke_until, ref notes } = draft;
        let issuer = self.settings().issuer;
        let body = RevocationBody { issuer, page, sequence, previous, oldest, issued_at, notes };
        let content = self.signer().sign_revocations(body)?;
        tx.put_revocation(&RevocationRecord { page, sequence, revoke_until, content })?;
        Ok(())
    }
}

impl Draft {
    fn first() -> Self {
        let (issued_at, revoke_until) = (Timestamp::EPOCH, Timestamp::EPOCH);
        Self { page: 1, sequence: 0, previous: [0; 32], oldest: 1, issued_at, revoke_until, notes: Vec::new() }
    }

    fn of(record: &RevocationRecord) -> Result<Self, StorageError> {
        let page = read(&record.content)?;
        Ok(Self {
            page: page.page,
            sequence: page.sequence,
            previous: page.previous,
            oldest: page.oldest,
            issued_at: page.issued_at,
            revoke_until: record.revoke_until,
            notes: page.notes().collect(),
        })
    }

    /// The page after this full one.
    fn next(self, tx: &mut dyn Tx) -> Result<Self, StorageError> {
        let signed = tx.newest_revocation()?.ok_or_else(|| StorageError::Failed("damaged: a page is gone".into()))?;
        let (previous, revoke_until) = (read(&signed.content)?.id(), Timestamp::EPOCH);
        Ok(Self { page: self.page + 1, previous, revoke_until, notes: Vec::new(), ..self })
    }

    fn add(&mut self, note: &RevocableRecord) {
        self.revoke_until = self.revoke_until.max(note.revoke_until);
        let name = RevokedNote::of(&note.note_id);
        // Two notes of one name, which take 2^64 tries to make, are listed once.
        if !self.notes.contains(&name) {
            self.notes.push(name);
        }
    }
}

fn read(content: &[u8]) -> Result<RevocationPage<'_>, StorageError> {
    RevocationPage::decode(content)
        .map_err(|error| StorageError::Failed(format!("damaged: a page of the revocation list: {error}")))
}
