//! What the bank published, and how far its feeds were read.

use specie_psp::bank::SignedHeader;
use specie_psp::store::Feed;

use super::{Rows, Stored, column, execute, query, query_optional, stored};
use crate::sql::whole;

/// The newest manifest.
pub(super) const MANIFEST: &str = "manifest";

pub(super) fn feed_position(session: Rows<'_>, feed: Feed) -> Stored<u64> {
    let sql = "SELECT sequence FROM psp_feed WHERE name = ?1";
    Ok(query_optional(session, sql, &[feed.as_str().into()], |row| column(row, 0))?.unwrap_or(0))
}

pub(super) fn set_feed_position(session: Rows<'_>, feed: Feed, sequence: u64) -> Stored<()> {
    let sql = "INSERT INTO psp_feed (name, sequence) VALUES (?1, ?2) \
               ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence";
    execute(session, sql, &[feed.as_str().into(), whole(sequence)]).map(drop)
}

pub(super) fn insert_header(session: Rows<'_>, sequence: u64, signed: &SignedHeader) -> Stored<()> {
    let sql = "INSERT INTO psp_manifest_header (sequence, header, signature) VALUES (?1, ?2, ?3)";
    execute(session, sql, &[whole(sequence), (&signed.header).into(), (&signed.signature).into()]).map(drop)
}

pub(super) fn headers_after(session: Rows<'_>, sequence: u64) -> Stored<Vec<SignedHeader>> {
    let sql = "SELECT header, signature FROM psp_manifest_header WHERE sequence > ?1 ORDER BY sequence";
    query(session, sql, &[whole(sequence)], |row| {
        Ok(SignedHeader { header: column(row, 0)?, signature: column(row, 1)? })
    })
}

pub(super) fn newest_sequence(session: Rows<'_>) -> Stored<u64> {
    let sql = "SELECT COALESCE(MAX(sequence), 0) FROM psp_manifest_header";
    session.query_one(sql, &[]).and_then(|row| row.column(0)).map_err(stored)
}

pub(super) fn content(session: Rows<'_>, name: &str) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT content FROM psp_publication WHERE name = ?1";
    query_optional(session, sql, &[name.into()], |row| column(row, 0))
}

pub(super) fn set_content(session: Rows<'_>, name: &str, content: &[u8]) -> Stored<()> {
    let sql = "INSERT INTO psp_publication (name, content) VALUES (?1, ?2) \
               ON CONFLICT (name) DO UPDATE SET content = excluded.content";
    execute(session, sql, &[name.into(), content.into()]).map(drop)
}

pub(super) fn newest_revocation(session: Rows<'_>) -> Stored<Option<Vec<u8>>> {
    let sql = "SELECT content FROM psp_revocation_page ORDER BY page DESC LIMIT 1";
    query_optional(session, sql, &[], |row| column(row, 0))
}

pub(super) fn revocations_after(session: Rows<'_>, sequence: u64, pages: u32) -> Stored<Vec<Vec<u8>>> {
    let sql = "SELECT content FROM psp_revocation_page WHERE sequence > ?1 AND page > \
               (SELECT COALESCE(MAX(page), 0) FROM psp_revocation_page) - ?2 ORDER BY page";
    query(session, sql, &[whole(sequence), pages.into()], |row| column(row, 0))
}

pub(super) fn put_revocation(session: Rows<'_>, page: u64, sequence: u64, content: &[u8]) -> Stored<()> {
    let sql = "INSERT INTO psp_revocation_page (page, sequence, content) VALUES (?1, ?2, ?3) \
               ON CONFLICT (page) DO UPDATE SET sequence = excluded.sequence, content = excluded.content";
    execute(session, sql, &[whole(page), whole(sequence), content.into()]).map(drop)
}

pub(super) fn delete_revocations_before(session: Rows<'_>, page: u64) -> Stored<()> {
    execute(session, "DELETE FROM psp_revocation_page WHERE page < ?1", &[whole(page)]).map(drop)
}
