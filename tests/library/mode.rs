//! A database of practice mode stays one, and nothing that practice mode made signs a user in
//! anywhere else.

use crate::support::{Postgres, ada, at, keys, raw};
use sqlx::{AssertSqlSafe, SqliteConnection};
use std::{path::PathBuf, time::Duration};
use tempfile::TempDir;
use vestibule::{
    link,
    secret::SystemEntropy,
    store::{
        Stores,
        postgres::PostgresStore,
        sqlite::{Mode, OpenError, SqliteStore},
    },
    user::{Identity, PASSWORD_ISSUER, PRACTICE_IDENTITY, PRACTICE_SUBJECT, User, UserId},
};

const PRACTICE: Mode = Mode::Practice { own_key: true };
const FORGET: Mode = Mode::Production {
    practice_key: None,
    forget: true,
};

/// Where a database is.
enum Place {
    Sqlite(TempDir),
    Postgres(Box<Postgres>),
}

impl Place {
    /// A new one of each kind.
    async fn all() -> Vec<Self> {
        let folder = tempfile::tempdir().unwrap();
        [Self::Sqlite(folder)]
            .into_iter()
            .chain(Postgres::fresh().await.map(Box::new).map(Self::Postgres))
            .collect()
    }

    async fn raw_sqlite(folder: &TempDir) -> SqliteConnection {
        raw(&file(folder), Duration::from_secs(5)).await
    }

    async fn open(&self, mode: Mode, number: u8) -> Result<Stores, OpenError> {
        let keys = keys(&[number]);
        Ok(match self {
            Self::Sqlite(folder) => {
                Stores::in_one(SqliteStore::open_for(mode, &file(folder), &keys).await?)
            }
            Self::Postgres(database) => {
                Stores::in_one(PostgresStore::open_for(mode, &database.url, &keys).await?)
            }
        })
    }

    async fn refuses(&self, mode: Mode, number: u8) -> OpenError {
        let before = self.notes().await;
        let Err(error) = self.open(mode, number).await else {
            panic!("{mode:?} is let in")
        };
        assert_eq!(self.notes().await, before, "something was noted");
        assert_eq!(error.to_string().lines().count(), 1);
        error
    }

    /// What the database has noted about itself.
    async fn notes(&self) -> Vec<(String, String)> {
        let notes = "select name, value from settings order by name";
        match self {
            Self::Sqlite(folder) => sqlx::query_as(notes)
                .fetch_all(&mut Self::raw_sqlite(folder).await)
                .await
                .unwrap(),
            Self::Postgres(database) => sqlx::query_as(notes)
                .fetch_all(&mut database.raw().await)
                .await
                .unwrap(),
        }
    }

    /// How many rows a query is about.
    async fn count(&self, rows: &str) -> i64 {
        let count = AssertSqlSafe(format!("select count(*) from {rows}"));
        match self {
            Self::Sqlite(folder) => sqlx::query_scalar(count)
                .fetch_one(&mut Self::raw_sqlite(folder).await)
                .await
                .unwrap(),
            Self::Postgres(database) => sqlx::query_scalar(count)
                .fetch_one(&mut database.raw().await)
                .await
                .unwrap(),
        }
    }

    /// As a version left it that did not note what a database is for.
    async fn forget_mode(&self) {
        let forget = "delete from settings where name = 'mode'";
        let forgotten = match self {
            Self::Sqlite(folder) => {
                let forgotten = sqlx::query(forget)
                    .execute(&mut Self::raw_sqlite(folder).await)
                    .await
                    .unwrap();
                forgotten.rows_affected()
            }
            Self::Postgres(database) => {
                let forgotten = sqlx::query(forget)
                    .execute(&mut database.raw().await)
                    .await
                    .unwrap();
                forgotten.rows_affected()
            }
        };
        assert_eq!(forgotten, 1);
        assert!(
            self.notes().await.iter().any(|(name, _)| name == "key"),
            "it has been used"
        );
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("vestibule.db")
}

async fn add(stores: &Stores, identity: Identity, password: Option<&str>) {
    let user = User::new(UserId::generate(&SystemEntropy), identity, at(1));
    stores.users.put_user(&user, password).await.unwrap();
}

/// What practice mode makes in a database.
async fn practise(stores: &Stores) {
    let email = Some(PRACTICE_SUBJECT.to_owned());
    let user = Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: PRACTICE_SUBJECT.into(),
        name: None,
        email,
    };
    add(stores, user, Some("a hash")).await;
    let (issuer, subject) = PRACTICE_IDENTITY;
    add(
        stores,
        Identity {
            issuer: issuer.into(),
            subject: subject.into(),
            name: None,
            email: None,
        },
        None,
    )
    .await;
}

#[tokio::test]
async fn a_database_is_for_practice_mode_or_for_use_and_stays_so() {
    for place in Place::all().await {
        drop(place.open(PRACTICE, 1).await.unwrap());
        drop(
            place
                .open(Mode::Practice { own_key: false }, 1)
                .await
                .unwrap(),
        );
        for mode in [Mode::PRODUCTION, FORGET] {
            assert!(matches!(
                place.refuses(mode, 1).await,
                OpenError::OfPractice
            ));
        }
    }
    for place in Place::all().await {
        drop(place.open(Mode::PRODUCTION, 1).await.unwrap());
        drop(place.open(FORGET, 1).await.unwrap());
        for mode in [PRACTICE, Mode::Practice { own_key: false }] {
            assert!(matches!(
                place.refuses(mode, 1).await,
                OpenError::OfProduction
            ));
        }
        drop(place.open(Mode::PRODUCTION, 1).await.unwrap());
    }
}

#[tokio::test]
async fn a_database_of_an_earlier_version_is_told_by_its_key() {
    for place in Place::all().await {
        drop(place.open(PRACTICE, 1).await.unwrap());
        place.forget_mode().await;
        let practice_key = Some(keys(&[1]).fingerprint());
        for number in [1, 2] {
            let mode = Mode::Production {
                practice_key,
                forget: true,
            };
            assert!(matches!(
                place.refuses(mode, number).await,
                OpenError::OfPractice
            ));
        }
        assert!(matches!(
            place.refuses(Mode::Practice { own_key: false }, 1).await,
            OpenError::OfProduction
        ));
        drop(place.open(PRACTICE, 1).await.unwrap());
        assert!(
            matches!(
                place.refuses(Mode::PRODUCTION, 1).await,
                OpenError::OfPractice
            ),
            "now it is noted"
        );
    }
}

#[tokio::test]
async fn where_practice_mode_was_used_by_mistake_its_user_is_removed_before_anyone_signs_in() {
    for place in Place::all().await {
        let stores = place.open(Mode::PRODUCTION, 1).await.unwrap();
        add(&stores, ada(), None).await;
        practise(&stores).await;
        let address = "ada@example.com".parse().unwrap();
        let token = link::create(
            &*stores.links,
            &keys(&[1]),
            &SystemEntropy,
            at(1),
            &address,
            Duration::from_mins(15),
        )
        .await
        .unwrap();
        let hash = token.hash();
        let read = stores.links.link_by_token(&hash).await.unwrap().unwrap();
        for noted in [true, false] {
            if !noted {
                place.forget_mode().await;
            }
            let error = place.refuses(Mode::PRODUCTION, 1).await;
            assert!(
                matches!(error, OpenError::PracticeUser)
                    && error.to_string().contains("PRACTICE=forget"),
                "{error}"
            );
        }
        assert_eq!(
            (
                place.count("users").await,
                place.count("links where state = 'open'").await
            ),
            (3, 1)
        );

        drop(place.open(FORGET, 1).await.unwrap());
        assert_eq!(place.count("users").await, 1, "no other user is removed");
        assert_eq!(
            place.count("users where valid_from > 1000000000000").await,
            1,
            "and their sessions end"
        );
        assert_eq!(place.count("links where state = 'open'").await, 0);
        let used = read.approve(at(2)).unwrap();
        assert!(
            !stores.links.replace_link(&used).await.unwrap(),
            "a server that runs on has read a link before"
        );
        assert_eq!(place.count("links where state = 'void'").await, 1);
        drop(place.open(Mode::PRODUCTION, 1).await.unwrap());
    }
}

#[tokio::test]
async fn where_practice_mode_was_not_used_nothing_is_forgotten() {
    for place in Place::all().await {
        let stores = place.open(Mode::PRODUCTION, 1).await.unwrap();
        add(&stores, ada(), None).await;
        drop(stores);
        drop(place.open(FORGET, 1).await.unwrap());
        assert_eq!(
            place.count("users where valid_from = 0").await,
            1,
            "no one is signed out"
        );
    }
}
