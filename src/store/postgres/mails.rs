//! Mails in PostgreSQL.

use super::{PostgresStore, connection::Failure};
use crate::{
    clock::Timestamp,
    link::LinkId,
    mail::{Mail, MailId},
    store::{
        MailStore, StoreError, row,
        statements::{
            COUNT_MAILS_OF_CLASS, DELETE_MAIL, DELETE_UNSENT_MAILS, INSERT_MAIL, NEXT_MAIL,
            PUT_MAIL_OFF, mail_columns,
        },
    },
};
use async_trait::async_trait;
use sqlx::PgConnection;

/// The most urgent ones that are due, put off until they are sent.
const TAKE_MAILS: &str = concat!(
    "update mails set due_at = $1 where id in (
         select id from mails where due_at <= $2 order by class, due_at limit $3 for update skip locked)
     returning ",
    mail_columns!()
);

#[async_trait]
impl MailStore for PostgresStore {
    async fn take_mail(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Mail>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let remove = sqlx::query(DELETE_UNSENT_MAILS).bind(now.as_millis());
                remove.execute(&mut *connection).await?;
                let take = sqlx::query(TAKE_MAILS)
                    .bind(until.as_millis())
                    .bind(now.as_millis())
                    .bind(i64::from(limit));
                Ok(row::mails(&take.fetch_all(connection).await?))
            })
        })
        .await
    }

    async fn next_mail(&self) -> Result<Option<Timestamp>, StoreError> {
        self.run(|connection| {
            Box::pin(async move {
                let due: Option<i64> = sqlx::query_scalar(NEXT_MAIL)
                    .fetch_optional(connection)
                    .await?;
                Ok(due.map(Timestamp::from_millis))
            })
        })
        .await
    }

    async fn put_mail_off(&self, id: MailId, due: Timestamp) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let put_off = sqlx::query(PUT_MAIL_OFF)
                    .bind(due.as_millis())
                    .bind(id.as_slice());
                put_off.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let remove = sqlx::query(DELETE_MAIL).bind(id.as_slice());
                remove.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn add_mail(&self, mail: &Mail, at_most: u32) -> Result<bool, StoreError> {
        let mail = mail.clone();
        self.run(move |connection| {
            Box::pin(async move {
                let count = sqlx::query_scalar(COUNT_MAILS_OF_CLASS)
                    .bind(i64::from(mail.class.number()))
                    .bind(i64::from(at_most));
                let waiting: i64 = count.fetch_one(&mut *connection).await?;
                if waiting >= i64::from(at_most) {
                    return Ok(false);
                }
                insert(connection, None, &mail, true).await?;
                Ok(true)
            })
        })
        .await
    }

    async fn sweep_mails(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from mails where id in (
                         select id from mails where expires_at < $1 order by expires_at limit $2 for update skip locked)";
        self.sweep(sweep, before).await
    }
}

/// Keeps a mail. Unless `delivered`, it is never sent.
pub(super) async fn insert(
    connection: &mut PgConnection,
    link: Option<LinkId>,
    mail: &Mail,
    delivered: bool,
) -> Result<(), Failure> {
    sqlx::query(INSERT_MAIL)
        .bind(mail.id.as_bytes())
        .bind(link.as_ref().map(LinkId::as_slice))
        .bind(delivered.then_some(mail.to.typed()))
        .bind(i64::from(mail.class.number()))
        .bind(mail.body.0.bytes.as_slice())
        .bind(i64::from(mail.body.0.key_id))
        .bind(mail.due_at.as_millis())
        .bind(mail.expires_at.as_millis())
        .execute(connection)
        .await?;
    Ok(())
}
