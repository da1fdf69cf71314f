//! From a configuration to routes, with what works behind them.

use crate::{
    accounts::{
        passwords::{self, Passwords},
        rate_limits::RateLimits,
    },
    config::{ApplicationParts, Config, PushConfig, origin::Origin},
    http::{
        client_address::Clients,
        cookies::CookiePolicy,
        csrf::OwnOrigins,
        files::Files,
        landing_pages::LandingPages,
        listener,
        page::{self, PageRenderer},
        security_headers::Hsts,
        state::{App, AppState, Identities, PushSettings, WorkerState},
        unverified_callbacks::UnverifiedCallbacks,
    },
    mail::Mailbox,
    practice, routes,
    startup::{
        core::Core,
        error::StartProblem,
        ops::PrivateListener,
        origins::origins,
        push::Push,
        sockets, storage,
        tasks::{BackgroundTasks, ServerHandle},
    },
};
use axum::Router;
use leptos::prelude::LeptosOptions;
use std::{path::Path, sync::Arc};
use tokio::task::spawn_blocking;
use vestibule::{
    assertion::Parties,
    link::MagicLinks,
    mail::Mailer,
    publisher::{Publisher, PusherPublisher, Silent},
    sign_ins::SignIns,
};

/// The routes of a server that has its host for itself, or shares it behind a proxy, and what works
/// behind them, already started. They have a fallback; an application mounts those of
/// [`Vestibule::builder`](crate::Vestibule::builder) instead.
///
/// # Errors
/// `StartProblem` in one line.
pub async fn router(config: Config) -> Result<(Router, ServerHandle), StartProblem> {
    let Started {
        app,
        sockets,
        running,
    } = start(config, ApplicationParts::default()).await?;
    Ok((routes::routes(app, sockets), running))
}

/// What is started, before it has routes.
pub struct Started {
    /// What the handlers share.
    pub app: App,
    /// The routes of the embedded broker's sockets.
    pub sockets: Router,
    /// What works behind the routes.
    pub running: ServerHandle,
}

/// Starts everything that works behind the routes, with what an application brings along.
pub async fn start(mut config: Config, parts: ApplicationParts) -> Result<Started, StartProblem> {
    warn_of_unencrypted(&config);
    let origins = origins(&config);
    let private = config.ops_addr.map(PrivateListener::bind).transpose()?;
    let storage = storage::open(&mut config).await?;
    let mut tasks = BackgroundTasks::default();
    let push = Push::start(
        &config,
        &storage.keys,
        &origins,
        &tasks.tasks,
        tasks.stop_rest.clone(),
    )
    .await?;
    if !config.worker && push.broker.is_some() {
        tracing::warn!(
            "workers elsewhere cannot reach this server's embedded broker, so pages ask; set PUSHER_HOST or PUSHER_CLUSTER"
        );
    }
    let pusher = Arc::new(PusherPublisher::new(&push.app));
    let publisher = tasks.start_queue(pusher.clone());
    let core = Core::new(&config, storage, publisher, &mut tasks, parts).await?;
    let smtp = core.smtp(&config)?;
    let mailbox = (config.is_practice() && smtp.is_none())
        .then(|| Arc::new(Mailbox::new(core.urls(&config))));
    let mailer = smtp.or_else(|| mailbox.clone().map(|mailbox| mailbox as Arc<dyn Mailer>));
    let of_client = config.caps.of_client;
    let sockets = push.broker.as_ref();
    let sockets = sockets.map(|broker| sockets::routes(broker, of_client));
    let push_settings = PushSettings {
        publisher: pusher,
        app_key: push.app.key,
        socket: push.socket,
    };
    let worker = WorkerState {
        stopped: config.worker.then(|| tasks.worker_stopped.clone()),
    };
    let has_worker = config.worker;
    let in_flight = config.in_flight;
    let signer = core.signer().await?;
    tasks
        .tasks
        .spawn(signer.clone().follow(tasks.stop_rest.clone()));
    let identities = Identities {
        signer,
        parties: Parties {
            issuer: format!("{}{}", origins[0].as_str(), config.base.as_str()),
            audience: origins[0].as_str().to_owned(),
        },
        headers: std::mem::take(&mut config.identity_headers),
    };
    let app = app_state(
        config,
        origins,
        &core,
        push_settings,
        identities,
        mailbox,
        worker,
    )
    .await?;
    if has_worker {
        core.start_worker(in_flight, mailer, &mut tasks);
    }
    let app = App::from(app);
    if let Some(private) = private {
        private.start(app.clone(), core.practice_tools.clone(), &mut tasks);
    }
    Ok(Started {
        app,
        sockets: sockets.unwrap_or_default(),
        running: tasks.into_handle(push.broker),
    })
}

/// A worker without pages, already started.
pub async fn worker(mut config: Config) -> Result<ServerHandle, StartProblem> {
    warn_of_unencrypted(&config);
    let storage = storage::open(&mut config).await?;
    let mut tasks = BackgroundTasks::default();
    let publisher: Arc<dyn Publisher> = match &config.push {
        PushConfig::Server { app, .. } => tasks.start_queue(Arc::new(PusherPublisher::new(app))),
        PushConfig::Embedded(_) => {
            tracing::warn!(
                "the servers' embedded brokers cannot be reached from here, so pages ask; set PUSHER_HOST or PUSHER_CLUSTER"
            );
            Arc::new(Silent)
        }
    };
    let parts = ApplicationParts::default();
    let core = Core::new(&config, storage, publisher, &mut tasks, parts).await?;
    let mailer = core.smtp(&config)?;
    core.start_worker(config.in_flight, mailer, &mut tasks);
    Ok(tasks.into_handle(None))
}

/// The state that the handlers share.
async fn app_state(
    config: Config,
    origins: Vec<Origin>,
    core: &Core,
    push: PushSettings,
    identities: Identities,
    mailbox: Option<Arc<Mailbox>>,
    worker: WorkerState,
) -> Result<AppState, StartProblem> {
    let practice = config.is_practice();
    let environment = &core.environment;
    let keys = environment.keys.clone();
    let of_client = config.caps.of_client;
    let sign_ins = SignIns::new(environment, core.dispatch.clone());
    if practice {
        add_practice_user(&sign_ins).await?;
    }
    let links = MagicLinks::new(sign_ins.clone(), core.mail_wake.clone())
        .with_registration(config.registration)
        .with_strangers(config.strangers);
    let leptos = leptos_options(&config.site_root);
    let files = files(&leptos).await;
    let secure = origins[0].is_secure();
    Ok(AppState {
        sign_ins,
        links,
        keys: keys.clone(),
        pages: Arc::new(PageRenderer::new(
            leptos,
            config.base.clone(),
            files.clone(),
            push.socket.as_deref(),
        )),
        landings: Default::default(),
        landing_pages: LandingPages::default(),
        files,
        push,
        origins: Arc::new(OwnOrigins {
            all: origins,
            on_loopback_only: practice || !secure,
            in_application: config.application.is_some(),
        }),
        clients: Arc::new(Clients::new(
            keys,
            config.proxies,
            listener::of_client(of_client),
        )),
        cookies: match config.application {
            Some(_) => CookiePolicy::below(&config.base, secure),
            None => CookiePolicy::of_host(secure),
        },
        hsts: Hsts(secure.then_some(config.hsts.header())),
        identities,
        account_pages: config.account_pages,
        start: config.start,
        passwords: Passwords::new(practice),
        rate_limits: RateLimits::new(of_client),
        outbox: environment.outbox.clone(),
        mailbox,
        practice: practice.then_some(practice::USER),
        has_practice_links: practice
            && !config
                .application
                .is_some_and(|application| application.own_validator),
        callback_keys: core.callback_keys.clone(),
        unverified_callbacks: UnverifiedCallbacks::default(),
        worker,
    })
}

fn warn_of_unencrypted(config: &Config) {
    for line in config.unencrypted() {
        tracing::warn!("{line}");
    }
}

async fn add_practice_user(sign_ins: &SignIns) -> Result<(), StartProblem> {
    let practice::PracticeUser { email, password } = practice::USER;
    let identity = passwords::identity(email, Some("Practice user".into()));
    if sign_ins
        .stores()
        .users
        .password(&identity.subject)
        .await?
        .is_none()
    {
        passwords::put_user(
            &*sign_ins.stores().users,
            sign_ins.entropy(),
            sign_ins.now(),
            identity,
            password,
        )
        .await?;
    }
    Ok(())
}

/// The files of the site. In development they are checked for changes on each request.
async fn files(leptos: &LeptosOptions) -> Arc<Files> {
    let root = leptos.site_root.to_string();
    let pkg = leptos.site_pkg_dir.to_string();
    let follows = cfg!(debug_assertions) || page::watched();
    let files = spawn_blocking(move || Files::read(Path::new(&root), &pkg, follows));
    Arc::new(files.await.expect("reading files does not panic"))
}

fn leptos_options(site_root: &Path) -> LeptosOptions {
    let mut options = LeptosOptions::builder()
        .output_name("vestibule")
        .site_pkg_dir("pkg")
        .build();
    options.site_root = site_root.display().to_string().into();
    if let Some(port) = std::env::var("LEPTOS_RELOAD_PORT")
        .ok()
        .and_then(|port| port.parse().ok())
    {
        options.reload_port = port;
    }
    options
}
