//! Notices in SQLite.

use super::{
    SqliteStore,
    json::{hex, rows, with_new},
};
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
use serde_json::json;
use sqlx::SqliteConnection;

/// Those that have been due longest, put off until they are taken.
const TAKE_NOTICES: &str = concat!(
    "update notices set due_at = $1
     where confirmation in (select confirmation from notices where due_at <= $2 order by due_at limit $3) returning ",
    notice_columns!()
);

#[async_trait]
impl NoticeStore for SqliteStore {
    async fn take_notices(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Notice>, StoreError> {
        // Looking first keeps a worker that finds nothing from writing.
        let is_due: bool = sqlx::query_scalar(NOTICE_IS_DUE)
            .bind(now.as_millis())
            .fetch_one(&self.readers)
            .await?;
        if !is_due {
            return Ok(Vec::new());
        }
        self.write((limit, now, until), |connection, (limit, now, until)| {
            Box::pin(async move {
                let take = sqlx::query(TAKE_NOTICES)
                    .bind(until.as_millis())
                    .bind(now.as_millis())
                    .bind(limit);
                Ok(row::notices(&take.fetch_all(connection).await?))
            })
        })
        .await
    }

    async fn remove_notice(&self, confirmation: ConfirmationId) -> Result<(), StoreError> {
        self.write(confirmation, |connection, confirmation| {
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
pub(super) async fn add(
    connection: &mut SqliteConnection,
    notices: &[Notice],
) -> Result<(), StoreError> {
    let columns = |notice: &Notice| {
        json!([
            hex(notice.confirmation.as_bytes()),
            hex(notice.user.as_bytes()),
            u8::from(notice.is_new),
            notice.created_at.as_millis(),
        ])
    };
    let Some(notices) = rows(notices.iter().map(columns)) else {
        return Ok(());
    };
    let insert = sqlx::query(concat!(
        with_new!(),
        "insert into notices (confirmation, user_id, is_new, created_at, due_at)
         select unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 3 from new"
    ));
    insert.bind(notices).execute(connection).await?;
    Ok(())
}
