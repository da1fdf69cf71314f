//! A file that is not this server's is not touched; the start says why.

use crate::support::{Sample, at, keys, raw};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::TempDir;
use vestibule::{
    secret::Keys,
    store::{
        ConfirmationQueue as _, SessionStore as _,
        sqlite::{OpenError, SqliteStore},
    },
};

/// A store that was dropped closes its file on another thread.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database with something in it, all of it in the one file.
async fn written(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("vestibule.db");
    let store = SqliteStore::open(&path, &keys(&[1])).await.unwrap();
    Sample::new(1).begun(&store).await;
    drop(store);
    at_rest(&path).await;
    path
}

async fn at_rest(path: &Path) {
    let checkpoint = sqlx::query("pragma wal_checkpoint(truncate)");
    checkpoint
        .execute(&mut raw(path, PATIENCE).await)
        .await
        .unwrap();
}

async fn refused(path: &Path, keys: &Keys) -> OpenError {
    let before = fs::read(path).unwrap();
    let error = SqliteStore::open(path, keys)
        .await
        .expect_err("it is not ours to open");
    at_rest_if_database(path).await;
    assert!(fs::read(path).unwrap() == before, "the file was changed");
    error
}

/// Whatever the attempt may have left in a log shows in the file only now.
async fn at_rest_if_database(path: &Path) {
    if fs::read(path).unwrap().starts_with(b"SQLite format 3\0") {
        at_rest(path).await;
    }
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder).await;
    let store = SqliteStore::open(&path, &keys(&[1])).await.unwrap();
    let sample = Sample::new(1);
    assert_eq!(sample.stored(&store).await.id, sample.confirmation.id);
    assert!(store.session(sample.session.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_under_another_key_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder).await;
    assert!(matches!(
        refused(&path, &keys(&[2])).await,
        OpenError::OtherKey
    ));
}

#[tokio::test]
async fn a_rotated_key_opens_the_database_and_the_old_one_alone_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder).await;
    drop(
        SqliteStore::open(&path, &keys(&[2, 1]))
            .await
            .expect("the old key is among them"),
    );
    at_rest(&path).await;
    drop(
        SqliteStore::open(&path, &keys(&[2]))
            .await
            .expect("the new key has taken over"),
    );
    at_rest(&path).await;
    assert!(matches!(
        refused(&path, &keys(&[1])).await,
        OpenError::OtherKey
    ));
}

#[tokio::test]
async fn servers_that_take_a_new_key_in_three_steps_are_never_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder).await;
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
        drop(
            SqliteStore::open(&path, &keys(step))
                .await
                .unwrap_or_else(|error| panic!("{step:?}: {error}")),
        );
    }
    at_rest(&path).await;
    assert!(
        matches!(refused(&path, &keys(&[1])).await, OpenError::OtherKey),
        "the old key is gone for good"
    );
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder).await;
    let newer =
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (99991231000000, 'from the future', true, x'00', 0)";
    sqlx::query(newer)
        .execute(&mut raw(&path, PATIENCE).await)
        .await
        .unwrap();
    at_rest(&path).await;
    assert!(matches!(
        refused(&path, &keys(&[1])).await,
        OpenError::Newer(99_991_231_000_000)
    ));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.db");
    fs::write(&path, "Dear diary, ".repeat(1000)).unwrap();
    assert!(matches!(
        refused(&path, &keys(&[1])).await,
        OpenError::Cannot(_)
    ));
}

#[tokio::test]
async fn a_file_in_a_folder_that_is_not_there_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no/such/folder/vestibule.db");
    let error = SqliteStore::open(&missing, &keys(&[1]))
        .await
        .expect_err("there is no folder for it");
    assert!(matches!(error, OpenError::Cannot(_)), "{error}");
    assert!(!missing.exists());
}

#[tokio::test]
async fn opening_twice_changes_nothing_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder).await;
    let before = Sample::new(1)
        .stored(&SqliteStore::open(&path, &keys(&[1])).await.unwrap())
        .await;
    let store = SqliteStore::open(&path, &keys(&[1])).await.unwrap();
    assert_eq!(Sample::new(1).stored(&store).await, before);
    assert_eq!(store.next_due().await.unwrap(), Some(at(0)));
}
