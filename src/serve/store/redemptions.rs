//! Who has redeemed which coupon.

use rusqlite::{Connection, params};

use crate::serve::error::HubError;

/// How often a coupon was redeemed: by all players, and by this one.
pub(in crate::serve) fn count(
    connection: &Connection,
    coupon_id: &str,
    player_id: &str,
) -> Result<(u64, u64), HubError> {
    let all = connection
        .prepare_cached("SELECT redeemed FROM coupons WHERE id = ?1")?
        .query_row([coupon_id], |row| row.get(0))?;
    let own = connection
        .prepare_cached("SELECT count(*) FROM redemptions WHERE coupon_id = ?1 AND player_id = ?2")?
        .query_row([coupon_id, player_id], |row| row.get(0))?;
    Ok((all, own))
}

pub(in crate::serve) fn add(
    connection: &Connection,
    transaction_id: &str,
    coupon_id: &str,
    player_id: &str,
    redeemed_at: i64,
) -> Result<(), HubError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO redemptions (transaction_id, coupon_id, player_id, redeemed_at)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    statement.execute(params![transaction_id, coupon_id, player_id, redeemed_at])?;
    connection
        .prepare_cached("UPDATE coupons SET redeemed = redeemed + 1 WHERE id = ?1")?
        .execute([coupon_id])?;
    Ok(())
}
