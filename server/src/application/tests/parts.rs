//! What an application brings along: its database, and what is told of confirmations.

use super::{
    journeys::{follow, judge},
    shop,
};
use crate::{RawSettings, StartError, User, Vestibule, application::Builder, testing::TestApp};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::sync::mpsc;

async fn pool(folder: &TempDir) -> SqlitePool {
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.db"))
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(file).await.unwrap();
    let users = sqlx::query("create table users (the_shops text)");
    users.execute(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn everything_is_kept_beside_the_applications_database_and_it_is_told_who_came() {
    let folder = TempDir::new().unwrap();
    let pool = pool(&folder).await;
    let (tell, mut told) = mpsc::unbounded_channel();
    let on_confirmed = move |user: User, is_new: bool| {
        let told = tell.send((user.identity.subject, is_new));
        async { told }
    };
    let own = |builder: Builder| {
        builder
            .validator(judge)
            .database(&pool)
            .on_confirmed(on_confirmed)
    };
    let app = TestApp::in_application(&[], own, |routes, vestibule| shop(routes, &vestibule)).await;
    for is_new in [true, false] {
        let mut browser = app.browser().below("/auth");
        follow(&mut browser, "ada").await;
        assert_eq!(told.recv().await, Some(("ada".to_owned(), is_new)));
    }
    assert!(folder.path().join("shop-vestibule.db").is_file());
    let tables: Vec<String> =
        sqlx::query_scalar("select name from sqlite_master where type = 'table'")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(tables, ["users"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_used_is_refused_in_one_line() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().to_str().unwrap();
    let build = async |settings: &[(&str, &str)], pool: SqlitePool| {
        let all = [
            ("PUBLIC_URL", "http://127.0.0.1:3000/auth"),
            ("VESTIBULE_DATA", data),
        ];
        let settings = RawSettings::from_pairs(all.into_iter().chain(settings.iter().copied()));
        let built = Vestibule::builder(settings.unwrap())
            .validator(judge)
            .database(pool)
            .build();
        built
            .await
            .map(|_| ())
            // As a `main` that returns it prints it.
            .map_err(|error: StartError| format!("{error:?}"))
    };
    let memory = SqlitePool::connect_lazy("sqlite::memory:").unwrap();
    assert_eq!(
        build(&[], memory).await.unwrap_err(),
        "the database of the application is kept in memory, where nothing can be kept beside it; give it a file"
    );
    let both = build(&[("DATABASE_URL", "sqlite:other.db")], pool(&folder).await).await;
    assert_eq!(
        both.unwrap_err(),
        "DATABASE_URL: the application's own database is used; leave it out"
    );
}
