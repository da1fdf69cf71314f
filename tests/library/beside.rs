//! Beside an application's own tables, whatever they are called.

use crate::support::{Postgres, Sample, ada, at, keys, pooler, settlement};
use sqlx::{
    AssertSqlSafe, Executor, PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::SqliteConnectOptions,
};
use vestibule::confirmation::{Decider, Decision};
use vestibule::store::{
    ApplicationDatabase, Stores,
    postgres::PostgresStore,
    sqlite::{Mode, OpenError, SqliteStore},
};

/// An application whose tables have names of ours.
const APPLICATION: [&str; 4] = [
    "create table users (name text)",
    "create table settings (mode text)",
    "create table _sqlx_migrations (version text)",
    "insert into users values ('the application''s')",
];

/// Begins something and knows someone.
async fn use_it(stores: &Stores) {
    let sample = Sample::new(1).begun(&*stores.confirmations).await;
    assert_eq!(
        sample.stored(&*stores.confirmations).await,
        sample.confirmation
    );
    let decision = Decision::Valid(ada(), None);
    let decided = stores.confirmations.decide(
        sample.confirmation.id,
        Decider::Validator,
        &decision,
        settlement(at(1)),
    );
    assert!(decided.await.unwrap().unwrap().ending().is_some());
}

async fn postgres(options: &PgConnectOptions, number: u8) -> Result<PostgresStore, OpenError> {
    PostgresStore::open_beside(Mode::PRODUCTION, options.clone(), &keys(&[number])).await
}

#[tokio::test]
async fn a_schema_of_its_own_in_postgresql() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let url = format!("{}?options[search_path]=public", database.url);
    let pool = PgPool::connect(&url).await.unwrap();
    for statement in APPLICATION {
        pool.execute(statement).await.unwrap();
    }
    // The user is called vestibule, so that their own schema would be ours.
    let options: PgConnectOptions = database.url.parse().unwrap();
    let opened = postgres(&options, 7).await;
    assert!(matches!(opened, Err(OpenError::HidesTables)), "{opened:?}");
    let store = postgres(&pool.connect_options(), 7).await.unwrap();
    use_it(&Stores::in_one(store)).await;
    let users: Vec<String> = sqlx::query_scalar("select name from users")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(users, ["the application's"]);
    let ours: i64 = sqlx::query_scalar("select count(*) from vestibule.users")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(ours, 1);
    let added: i64 =
        sqlx::query_scalar("select count(*) from pg_tables where schemaname = 'public'")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(
        added, 3,
        "nothing of ours is among the application's tables"
    );
    let other_key = postgres(&pool.connect_options(), 8).await;
    assert!(
        matches!(other_key, Err(OpenError::OtherKey)),
        "{other_key:?}"
    );
    // A user who may not make a schema may use the one that is there.
    let role = pool.connect_options().get_database().unwrap().to_owned();
    for statement in [
        format!("create role {role} login password 'testpw'"),
        format!("grant all on schema vestibule to {role}"),
        format!("grant all on all tables in schema vestibule to {role}"),
    ] {
        pool.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let limited = (*pool.connect_options()).clone();
    postgres(&limited.username(&role).password("testpw"), 7)
        .await
        .unwrap();
}

#[tokio::test]
async fn no_schema_that_another_user_could_change() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let url = format!("{}?options[search_path]=public", database.url);
    let pool = PgPool::connect(&url).await.unwrap();
    let name = pool.connect_options().get_database().unwrap().to_owned();
    let run = async |statement: String| pool.execute(AssertSqlSafe(statement)).await.unwrap();
    for role in ["mallory", "shop"] {
        run(format!("create role {name}_{role} login password 'testpw'")).await;
    }
    run(format!("grant create on database {name} to {name}_mallory")).await;
    let role = |role: &str| {
        let options = (*pool.connect_options()).clone();
        options
            .username(&format!("{name}_{role}"))
            .password("testpw")
    };
    let mallorys = PgPool::connect_with(role("mallory")).await.unwrap();
    mallorys.execute("create schema vestibule").await.unwrap();
    let grant = format!("grant all on schema vestibule to {name}_shop");
    mallorys.execute(AssertSqlSafe(grant)).await.unwrap();
    let opened = postgres(&role("shop"), 7).await;
    assert!(
        matches!(opened, Err(OpenError::ForeignSchema)),
        "{opened:?}"
    );
    run(format!("alter schema vestibule owner to {name}_shop")).await;
    postgres(&role("shop"), 7).await.unwrap();
}

#[tokio::test]
async fn nothing_is_kept_where_connections_do_not_lead_to_the_schema() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let options: PgConnectOptions = database.url.parse().unwrap();
    let pool = PgPool::connect_with(options.clone()).await.unwrap();
    let name = options.get_database().unwrap();
    for statement in [
        format!("create role {name}_shop login password 'testpw'"),
        format!("grant all on database {name} to {name}_shop"),
        format!("grant all on schema public to {name}_shop"),
    ] {
        pool.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let shop = options
        .clone()
        .username(&format!("{name}_shop"))
        .password("testpw");
    let server = format!("{}:{}", options.get_host(), options.get_port());
    let pooled = shop
        .clone()
        .port(pooler(server).await)
        .ssl_mode(PgSslMode::Disable);
    let opened = postgres(&pooled, 7).await;
    assert!(matches!(opened, Err(OpenError::OtherSchema)), "{opened:?}");
    let tables: i64 = sqlx::query_scalar(
        "select count(*) from pg_tables where schemaname in ('public', 'vestibule')",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(tables, 0);
    postgres(&shop, 7).await.unwrap();
}

async fn sqlite(pool: &SqlitePool, number: u8) -> Result<SqliteStore, OpenError> {
    let ApplicationDatabase::Sqlite(Some(file)) = pool.into() else {
        panic!("it is a file");
    };
    SqliteStore::open(&file, &keys(&[number])).await
}

#[tokio::test]
async fn a_file_of_its_own_beside_one_of_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteConnectOptions::new()
        .filename(folder.path().join("shop.sqlite3"))
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(file).await.unwrap();
    for statement in APPLICATION {
        pool.execute(statement).await.unwrap();
    }
    let store = sqlite(&pool, 7).await.unwrap();
    use_it(&Stores::in_one(store)).await;
    let ours = folder.path().join("shop-vestibule.db");
    let mut connection = pool.acquire().await.unwrap();
    sqlx::query("attach $1 as vestibule")
        .bind(ours.to_str())
        .execute(&mut *connection)
        .await
        .unwrap();
    let both: (String, String) = sqlx::query_as(
        "select main.users.name, vestibule.users.name from main.users, vestibule.users",
    )
    .fetch_one(&mut *connection)
    .await
    .unwrap();
    assert_eq!(both, ("the application's".into(), "Ada".into()));
    let other_key = sqlite(&pool, 8).await;
    assert!(
        matches!(other_key, Err(OpenError::OtherKey)),
        "{other_key:?}"
    );
}

#[tokio::test]
async fn nothing_beside_memory() {
    for address in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite://?mode=memory",
    ] {
        let pool = SqlitePool::connect_lazy(address).unwrap();
        let beside = ApplicationDatabase::from(pool);
        assert!(
            matches!(beside, ApplicationDatabase::Sqlite(None)),
            "{address}: {beside:?}"
        );
    }
    let plain = SqlitePool::connect_lazy_with(SqliteConnectOptions::new().filename(":memory:"));
    assert!(matches!(plain.into(), ApplicationDatabase::Sqlite(None)));
}

#[tokio::test]
async fn no_password_is_printed() {
    let pool = PgPool::connect_lazy("postgres://shop:hush@db.internal/shop").unwrap();
    assert_eq!(
        format!("{:?}", ApplicationDatabase::from(pool)),
        "shop at db.internal"
    );
}
