//! Lending connections out, each for a limited time: a network that has gone silent reports nothing
//! by itself.

use crate::store::StoreError;
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;

/// How long one transaction or statement may take. The server's own limits are shorter, so that
/// this one is for answers that never come.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

/// Why something was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database cannot be used just now, whatever it is asked.
    Away(StoreError),
    /// The database is there, and this cannot be done.
    Refused(StoreError),
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(error) | Failure::Refused(error) => error,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let away = match &error {
            E::Database(error) => error.code().is_some_and(|code| concerns_everybody(&code)),
            E::Io(_)
            | E::Tls(_)
            | E::Protocol(_)
            | E::PoolTimedOut
            | E::PoolClosed
            | E::BeginFailed => true,
            _ => false,
        };
        if away {
            Self::Away(error.into())
        } else {
            Self::Refused(error.into())
        }
    }
}

/// Whether the server would answer anything with this SQLSTATE: a lost connection, no more disk or
/// memory, a shutdown, a broken system, or a standby that only reads.
fn concerns_everybody(code: &str) -> bool {
    ["08", "53", "57P", "58", "25006"]
        .iter()
        .any(|prefix| code.starts_with(prefix))
}

/// Does `work` on a connection of the pool.
pub(super) async fn lend<T, W>(pool: &PgPool, work: W) -> Result<T, Failure>
where
    W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failure>>,
{
    let mut connection = pool.acquire().await?;
    let done = tokio::time::timeout(ANSWER_WITHIN, work(&mut connection)).await;
    done.unwrap_or_else(|_| {
        // It would go back to the pool only once the server has answered after all.
        connection.close_on_drop();
        Err(Failure::Away(StoreError::Unavailable(
            "the database does not answer".into(),
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::concerns_everybody;

    #[test]
    fn an_error_of_one_statement_is_told_from_one_of_the_whole_database() {
        for code in ["23505", "40P01", "55P03", "57014", "22021"] {
            assert!(!concerns_everybody(code), "{code}");
        }
        for code in ["57P01", "53100", "08006", "58030", "25006"] {
            assert!(concerns_everybody(code), "{code}");
        }
    }
}
