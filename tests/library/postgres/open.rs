//! A database that is not this server's is not touched; the start says why, and never the password.

use crate::support::{Postgres, Sample, at, keys, soon};
use futures_util::future::join_all;
use tokio::net::TcpListener;
use vestibule::store::{
    ConfirmationQueue as _, SessionStore as _,
    postgres::{OpenError, PostgresStore},
};

/// A database with something in it.
async fn written() -> Option<Postgres> {
    let database = Postgres::fresh().await?;
    let store = PostgresStore::open(&database.url, &keys(&[1]))
        .await
        .unwrap();
    Sample::new(1).begun(&store).await;
    Some(database)
}

async fn refused(url: &str, key: u8) -> OpenError {
    PostgresStore::open(url, &keys(&[key]))
        .await
        .expect_err("it is not ours to open")
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let Some(database) = written().await else {
        return;
    };
    let store = PostgresStore::open(&database.url, &keys(&[1]))
        .await
        .unwrap();
    let sample = Sample::new(1);
    assert_eq!(sample.stored(&store).await.id, sample.confirmation.id);
    assert!(store.session(sample.session.id).await.unwrap().is_some());
    assert_eq!(store.next_due().await.unwrap(), Some(at(0)));
}

#[tokio::test]
async fn servers_that_start_at_once_share_the_work_of_making_the_tables() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let ours = keys(&[1]);
    let stores = join_all((0..8).map(|_| PostgresStore::open(&database.url, &ours))).await;
    assert!(stores.iter().all(Result::is_ok), "{stores:?}");
}

#[tokio::test]
async fn of_servers_with_two_keys_that_start_at_once_only_those_with_one_key_get_in() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let one = keys(&[1]);
    let other = keys(&[2]);
    let opened = join_all((0..8).map(|number| {
        let keys = if number % 2 == 0 { &one } else { &other };
        PostgresStore::open(&database.url, keys)
    }));
    let opened = opened.await;
    let got_in = |parity: usize| {
        opened
            .iter()
            .skip(parity)
            .step_by(2)
            .filter(|opened| opened.is_ok())
            .count()
    };
    assert!(
        [(4, 0), (0, 4)].contains(&(got_in(0), got_in(1))),
        "{opened:?}"
    );
    let refused = opened.iter().filter_map(|opened| opened.as_ref().err());
    assert!(
        refused
            .into_iter()
            .all(|error| matches!(error, OpenError::OtherKey)),
        "{opened:?}"
    );
}

#[tokio::test]
async fn a_database_under_another_key_is_refused_and_left_alone() {
    let Some(database) = written().await else {
        return;
    };
    assert!(matches!(
        refused(&database.url, 2).await,
        OpenError::OtherKey
    ));
    PostgresStore::open(&database.url, &keys(&[1]))
        .await
        .expect("it is still under its own");
}

#[tokio::test]
async fn a_rotated_key_opens_the_database_and_the_old_one_alone_no_more() {
    let Some(database) = written().await else {
        return;
    };
    PostgresStore::open(&database.url, &keys(&[2, 1]))
        .await
        .expect("the old key is among them");
    PostgresStore::open(&database.url, &keys(&[2]))
        .await
        .expect("the new key has taken over");
    assert!(matches!(
        refused(&database.url, 1).await,
        OpenError::OtherKey
    ));
}

#[tokio::test]
async fn servers_that_take_a_new_key_in_three_steps_are_never_refused() {
    let Some(database) = written().await else {
        return;
    };
    // In the third step one comes late, and one is started again as it was.
    let steps: [&[u8]; 8] = [
        &[1],
        &[1, 2],
        &[1, 2],
        &[2, 1],
        &[1, 2],
        &[2, 1],
        &[2, 1],
        &[2],
    ];
    for step in steps {
        let opened = PostgresStore::open(&database.url, &keys(step)).await;
        opened.unwrap_or_else(|error| panic!("{step:?}: {error}"));
    }
    assert!(
        matches!(refused(&database.url, 1).await, OpenError::OtherKey),
        "the old key is gone for good"
    );
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let Some(database) = written().await else {
        return;
    };
    let newer =
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (99991231000000, 'from the future', true, '\\x00', 0)";
    sqlx::query(newer)
        .execute(&mut database.raw().await)
        .await
        .unwrap();
    assert!(matches!(
        refused(&database.url, 1).await,
        OpenError::Newer(99_991_231_000_000)
    ));
}

#[tokio::test]
async fn a_wrong_password_is_told_in_one_line_that_does_not_hold_it() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let (user, rest) = database.url.rsplit_once('@').unwrap();
    let (user, _) = user.rsplit_once(':').unwrap();
    let error = refused(&format!("{user}:open-sesame@{rest}"), 1).await;
    assert!(matches!(error, OpenError::Credentials(_)), "{error}");
    assert_tells_nothing(&error);
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_in_one_line() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let error = refused(&database.url.replace("test_", "no_such_"), 1).await;
    assert!(matches!(error, OpenError::Cannot(_)), "{error}");
    assert!(error.to_string().contains("does not exist"), "{error}");
    assert_tells_nothing(&error);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_in_one_line() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = refused(
        &format!("postgres://vestibule:open-sesame@127.0.0.1:{port}/vestibule"),
        1,
    )
    .await;
    assert!(matches!(error, OpenError::Cannot(_)), "{error}");
    assert_tells_nothing(&error);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "postgres://vestibule:open-sesame@{}/vestibule",
        mute.local_addr().unwrap()
    );
    let error = soon("the start to give up", refused(&url, 1)).await;
    assert!(matches!(error, OpenError::Cannot(_)), "{error}");
    assert_tells_nothing(&error);
}

#[tokio::test]
async fn an_address_that_is_none_is_told_in_one_line() {
    for url in [
        "postgres://vestibule:open-sesame@127.0.0.1:port/vestibule",
        "postgres://vestibule:open-sesame@/vestibule?sslmode=perhaps",
        "postgres://vestibule:open-sesame@127.0.0.1/vestibule?port=many",
        "postgres://vestibule:open/sesame@127.0.0.1/vestibule",
        "open-sesame",
    ] {
        let error = refused(url, 1).await;
        assert!(matches!(error, OpenError::Cannot(_)), "{url}: {error}");
        assert_tells_nothing(&error);
    }
}

fn assert_tells_nothing(error: &OpenError) {
    let told = [error.to_string(), format!("{error:?}")];
    assert!(told.iter().all(|told| !told.contains("sesame")), "{error}");
    assert_eq!(told[0].lines().count(), 1, "{error}");
}
