//! From settings to what an application mounts.

use super::{Vestibule, isolated_validator::IsolatedValidator};
use crate::{
    config::{ApplicationParts, Config, RawSettings},
    routes,
    startup::{
        error::StartProblem,
        router::{Started, start},
        tasks::ServerHandle,
    },
};
use axum::Router;
use std::{fmt, sync::Arc};
use vestibule::{notice::OnConfirmed, store::ApplicationDatabase, validator::Validator};

/// Starts Vestibule in an application. Made by [`Vestibule::builder`].
pub struct Builder {
    settings: RawSettings,
    parts: ApplicationParts,
}

/// Vestibule could not start. One line says why, and what to do; nothing was damaged. So does `Debug`,
/// by which a `main` that returns it is printed.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct StartError(StartProblem);

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What an application mounts.
#[derive(Debug)]
pub struct Mounted {
    /// The routes, to [`merge`](Router::merge) with the application's, after its layers. They carry
    /// the path of `PUBLIC_URL` already, answer nothing outside of it, and have no fallback. The
    /// application is served with
    /// [`into_make_service_with_connect_info`](Router::into_make_service_with_connect_info), because
    /// each network address has a cap of its own.
    pub routes: Router,
    /// What the application's own routes ask who is signed in.
    pub vestibule: Vestibule,
    /// What works behind the routes, to end with [`ServerHandle::shutdown`].
    pub running: ServerHandle,
}

impl Builder {
    pub(super) fn new(settings: RawSettings) -> Self {
        Self {
            settings,
            parts: ApplicationParts::default(),
        }
    }

    /// Has tokens judged by `validator`, in place of a service at `VALIDATOR_URL`.
    ///
    /// Each call runs on a thread of its own, up to 256 of them, so a validator may take its time:
    /// one that panics, never answers or blocks its thread only fails for now, and is asked again
    /// until the deadline. Only a thread that is blocked for ever is lost.
    ///
    /// Without other settings of a server in use, such as `VESTIBULE_SECRET`, it runs in practice
    /// mode: for browsers on this machine, with keys and a mailbox of its own.
    #[must_use]
    pub fn validator(mut self, validator: impl Validator) -> Self {
        self.parts.validator = Some(Arc::new(IsolatedValidator::new(validator)));
        self
    }

    /// Keeps everything in the application's own database, in place of `DATABASE_URL`: a `PgPool` or
    /// a `SqlitePool` says where that is. Connections are not shared.
    ///
    /// In PostgreSQL, what is ours stands in the schema `vestibule`, which is made if the user may;
    /// beside a file of SQLite it stands in a file of its own, such as `shop-vestibule.db` beside
    /// `shop.db`.
    #[must_use]
    pub fn database(mut self, pool: impl Into<ApplicationDatabase>) -> Self {
        self.parts.database = Some(pool.into());
        self
    }

    /// Has `told` called after each sign-in by a link that is confirmed, with the user and whether
    /// it is their first: at least once, also if the process is killed in between. If it fails,
    /// panics or takes over 30 s, it is called again after a minute, for a day.
    ///
    /// The browser may have arrived already, may never arrive, or may yet cancel. A user who signs in
    /// with a password is not told of.
    #[must_use]
    pub fn on_confirmed(mut self, told: impl OnConfirmed) -> Self {
        self.parts.on_confirmed = Some(Arc::new(told));
        self
    }

    /// Reads the settings, opens the storage, and starts the worker.
    ///
    /// Nothing is done to the process: it gets no log, no panic hook, no signal handler, no limit of
    /// open files ([`file_limit::raise`](crate::file_limit::raise) raises it) and no cryptography of
    /// rustls.
    ///
    /// # Errors
    /// [`StartError`] in one line: a setting that is wrong or missing, `PUBLIC_URL` without a path,
    /// storage that cannot be used.
    pub async fn build(self) -> Result<Mounted, StartError> {
        self.mount().await.map_err(StartError)
    }

    async fn mount(self) -> Result<Mounted, StartProblem> {
        let Self { settings, parts } = self;
        let config = Config::read_in_application(&settings, &parts)?;
        let Started {
            app,
            sockets,
            running,
        } = start(config, parts).await?;
        Ok(Mounted {
            routes: routes::routes_in_application(app.clone(), sockets),
            vestibule: Vestibule { app },
            running,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The settings have secrets.
        f.debug_struct("Builder").finish_non_exhaustive()
    }
}
