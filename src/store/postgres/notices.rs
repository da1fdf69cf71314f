//! Notices in PostgreSQL.

use super::{PostgresStore, connection::Failure};
use crate::{
    clock::Timestamp,
    id::ConfirmationId,
    notice::Notice,
    store::{
        NoticeStore, StoreError, row,
        statements::{DELETE_NOTICE, NOTICE_IS_DUE, notice_columns},
    },
};
use async_trait::async_trait;
use sqlx::PgConnection;

/// Those that have been due longest, put off until they are taken.
const TAKE_NOTICES: &str = concat!(
    "update notices set due_at = $1 where confirmation in (
         select confirmation from notices where due_at <= $2 order by due_at limit $3 for update skip locked)
     returning ",
    notice_columns!()
);

#[async_trait]
impl NoticeStore for PostgresStore {
    async fn take_notices(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Notice>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let is_due: bool = sqlx::query_scalar(NOTICE_IS_DUE)
                    .bind(now.as_millis())
                    .fetch_one(&mut *connection)
                    .await?;
                if !is_due {
                    return Ok(Vec::new());
                }
                let take = sqlx::query(TAKE_NOTICES)
                    .bind(until.as_millis())
                    .bind(now.as_millis())
                    .bind(i64::from(limit));
                Ok(row::notices(&take.fetch_all(connection).await?))
            })
        })
        .await
    }

    async fn remove_notice(&self, confirmation: ConfirmationId) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let remove = sqlx::query(DELETE_NOTICE).bind(confirmation.as_slice());
                remove.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Adds notices, which are due at once.
pub(super) async fn add(connection: &mut PgConnection, notices: &[Notice]) -> Result<(), Failure> {
    if notices.is_empty() {
        return Ok(());
    }
    let column = |read: fn(&Notice) -> &[u8]| notices.iter().map(read).collect::<Vec<_>>();
    let times: Vec<i64> = notices
        .iter()
        .map(|notice| notice.created_at.as_millis())
        .collect();
    let new: Vec<i64> = notices.iter().map(|notice| notice.is_new.into()).collect();
    sqlx::query(
        "insert into notices (confirmation, user_id, is_new, created_at, due_at)
         select confirmation, user_id, is_new, created_at, created_at
         from unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[]) as new (confirmation, user_id, is_new, created_at)",
    )
    .bind(column(|notice| notice.confirmation.as_slice()))
    .bind(column(|notice| notice.user.as_slice()))
    .bind(new)
    .bind(times)
    .execute(connection)
    .await?;
    Ok(())
}
