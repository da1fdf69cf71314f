//! Vestibule in a program of someone else's does nothing to the process that was not asked for.

use axum::{Router, routing::get};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::crypto::CryptoProvider;
use std::{
    panic,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tempfile::TempDir;
use tower::ServiceExt as _;
use vestibule::{
    clock::SystemClock,
    store::redis::{RedisOpenError, RedisSessions},
};
use vestibule_server::{Mounted, RawSettings, Vestibule};

/// A server in use, all of whose connections to others would be encrypted.
const SETTINGS: [(&str, &str); 9] = [
    ("PUBLIC_URL", "https://app.example/auth"),
    (
        "VESTIBULE_SECRET",
        "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
    ),
    ("VALIDATOR_URL", "https://tokens.example/validate"),
    ("PUSHER_HOST", "soketi.example"),
    ("PUSHER_APP_ID", "1"),
    ("PUSHER_KEY", "key"),
    ("PUSHER_SECRET", "a-long-random-text"),
    ("SMTP_URL", "smtps://mail.example"),
    ("MAIL_FROM", "Shop <no-reply@shop.example>"),
];

/// One test, for it is the process that is looked at.
#[tokio::test]
async fn nothing_is_done_to_the_process() {
    // Below what the system allows, so that it could be raised.
    let limit = Rlimit {
        current: Some(500),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    setrlimit(Resource::Nofile, limit).unwrap();
    let hooked = Arc::<AtomicBool>::default();
    let own = Arc::clone(&hooked);
    panic::set_hook(Box::new(move |_| own.store(true, Ordering::SeqCst)));

    let data = TempDir::new().unwrap();
    let folder = [("VESTIBULE_DATA", data.path().to_str().unwrap())];
    let settings = RawSettings::from_pairs(SETTINGS).unwrap();
    let builder = Vestibule::builder(settings.or(folder).unwrap());
    let Mounted {
        routes,
        vestibule,
        running,
    } = builder.build().await.unwrap();
    let app = Router::new()
        .route("/", get(async || "the application's"))
        .layer(vestibule.layer())
        .merge(routes);
    let request = axum::extract::Request::get("/").body(axum::body::Body::empty());
    assert!(app.oneshot(request.unwrap()).await.unwrap().status() == 200);
    // Its driver needs the choice of the process: it says so, and does not choose.
    let redis = RedisSessions::open("rediss://127.0.0.1:9", Arc::new(SystemClock), "x").await;
    assert!(matches!(redis, Err(RedisOpenError::NoCryptoProvider)));
    running.shutdown().await;

    assert!(panic::catch_unwind(|| panic!("as it was told")).is_err());
    // The usual one again, which says what fails here.
    drop(panic::take_hook());
    assert!(hooked.load(Ordering::SeqCst), "its own hook is the hook");
    assert!(CryptoProvider::get_default().is_none());
    assert!(!tracing::dispatcher::has_been_set());
    assert_eq!(getrlimit(Resource::Nofile).current, Some(500));
}
