//! From a configuration to routes, with what works behind them.

use crate::{
    accounts::{
        passwords::{self, Passwords},
        rate_limits::RateLimits,
    },
    config::{Config, PushConfig, origin::Origin},
    http::{
        client_address::Clients,
        cookies::CookiePolicy,
        csrf::OwnOrigins,
        files::Files,
        listener,
        page::{self, PageRenderer},
        security_headers::Hsts,
        state::{App, AppState, PushSettings, WorkerState},
    },
    mail::{Mailbox, Smtp, UrlBuilder},
    practice::{self},
    routes,
    startup::{
        error::StartError,
        push::Push,
        sockets,
        storage::{self, Storage},
        tasks::{BackgroundTasks, ServerHandle},
    },
};
use axum::Router;
use leptos::prelude::LeptosOptions;
use std::{path::Path, sync::Arc};
use tokio::{sync::Notify, task::spawn_blocking};
use vestibule::{
    clock::Clock,
    link::MagicLinks,
    mail::{Mailer, Outbox},
    publisher::{Publisher, PusherPublisher, Silent},
    secret::{Keys, SystemEntropy},
    sign_ins::SignIns,
    store::Stores,
    validator::HttpValidator,
    worker::Environment,
};

/// The routes of Vestibule, to serve or to merge into an application of your own at the root, and
/// what works behind them, already started.
///
/// # Errors
/// [`StartError`]: nothing works then.
pub async fn router(mut config: Config) -> Result<(Router, ServerHandle), StartError> {
    let practice = config.is_practice();
    warn_of_unencrypted(&config);
    let origins = origins(&config);
    let Storage {
        keys,
        stores,
        clock,
        hints,
    } = storage::open(&mut config).await?;
    let mut behind = BackgroundTasks::default();
    let validator = behind.validator(&config).await?;
    let push = Push::start(
        &config,
        &keys,
        &origins,
        &behind.tasks,
        behind.stop_rest.clone(),
    )
    .await?;
    let pusher = Arc::new(PusherPublisher::new(&push.app));
    let publisher = behind.queue(pusher.clone());
    if !config.worker && push.broker.is_some() {
        tracing::warn!(
            "workers elsewhere cannot reach this server's embedded broker, so pages ask; set PUSHER_HOST or PUSHER_CLUSTER"
        );
    }
    let environment = environment(&config, keys, stores, clock, validator, publisher);
    let smtp = smtp(&config, &environment)?;
    let wake = Arc::new(Notify::new());
    // Also where processes elsewhere send it.
    let mails = practice || config.mail.is_some();
    let mail_wake = Arc::new(Notify::new());
    let outbox = mails.then(|| Outbox::new(&environment, mail_wake.clone()));
    let mailbox = (practice && smtp.is_none())
        .then(|| Arc::new(Mailbox::new(url_builder(&config, &environment))));
    let of_client = config.caps.of_client;
    let keys = environment.keys.clone();
    let sign_ins = SignIns::new(&environment, wake.clone()).with_caps(config.caps);
    if practice {
        add_practice_user(&sign_ins).await?;
    }
    let mailer = smtp.or_else(|| mailbox.clone().map(|mailbox| mailbox as Arc<dyn Mailer>));
    if let (Some(mailer), true) = (mailer, config.worker) {
        behind.start_mail_worker(&environment, mailer, mail_wake.clone());
    }
    if config.worker {
        behind.start_sweeper(&environment);
        behind.start_worker(environment, wake, hints, config.in_flight);
    }
    let links = MagicLinks::new(sign_ins.clone(), mail_wake)
        .with_registration(config.registration)
        .with_strangers(config.strangers);
    let leptos = leptos_options(&config.site_root);
    let files = files(&leptos).await;
    let secure = origins[0].is_secure();
    let app = AppState {
        sign_ins,
        links,
        keys: keys.clone(),
        pages: PageRenderer::new(leptos, files.clone(), push.socket.as_deref()),
        files,
        push: PushSettings {
            publisher: pusher,
            app_key: push.app.key,
            socket: push.socket,
        },
        origins: Arc::new(OwnOrigins {
            all: origins,
            on_loopback_only: practice || !secure,
        }),
        clients: Arc::new(Clients::new(
            keys,
            config.proxies,
            listener::of_client(of_client),
        )),
        cookies: CookiePolicy { secure },
        hsts: Hsts(secure.then_some(config.hsts.header())),
        start: config.start,
        passwords: Passwords::new(&SystemEntropy, practice),
        rate_limits: RateLimits::new(of_client),
        outbox,
        mailbox,
        practice: practice.then_some(practice::USER),
        worker: WorkerState {
            stopped: config.worker.then(|| behind.worker_stopped.clone()),
        },
    };
    let sockets = push
        .broker
        .as_ref()
        .map(|broker| sockets::routes(broker, of_client))
        .unwrap_or_default();
    let routes = routes::routes(App::from(app), sockets);
    Ok((routes, behind.running(push.broker)))
}

/// A worker without pages, already started.
///
/// # Errors
/// [`StartError`]: nothing works then.
pub async fn worker(mut config: Config) -> Result<ServerHandle, StartError> {
    warn_of_unencrypted(&config);
    let Storage {
        keys,
        stores,
        clock,
        hints,
    } = storage::open(&mut config).await?;
    let mut behind = BackgroundTasks::default();
    let validator = behind.validator(&config).await?;
    let publisher: Arc<dyn Publisher> = match &config.push {
        PushConfig::Server { app, .. } => behind.queue(Arc::new(PusherPublisher::new(app))),
        PushConfig::Embedded(_) => {
            tracing::warn!(
                "the servers' embedded brokers cannot be reached from here, so pages ask; set PUSHER_HOST or PUSHER_CLUSTER"
            );
            Arc::new(Silent)
        }
    };
    let environment = environment(&config, keys, stores, clock, validator, publisher);
    if let Some(mailer) = smtp(&config, &environment)? {
        behind.start_mail_worker(&environment, mailer, Arc::new(Notify::new()));
    }
    behind.start_sweeper(&environment);
    behind.start_worker(
        environment,
        Arc::new(Notify::new()),
        hints,
        config.in_flight,
    );
    Ok(behind.running(None))
}

fn warn_of_unencrypted(config: &Config) {
    for line in config.unencrypted() {
        tracing::warn!("{line}");
    }
}

fn environment(
    config: &Config,
    keys: Keys,
    stores: Stores,
    clock: Arc<dyn Clock>,
    validator: Arc<HttpValidator>,
    publisher: Arc<dyn Publisher>,
) -> Environment {
    Environment {
        stores,
        validator,
        publisher,
        clock,
        entropy: Arc::new(SystemEntropy),
        keys: Arc::new(keys),
        destinations: config.destinations.clone(),
        timing: config.timing.clone(),
    }
}

/// Where mail goes, if a server for it is configured.
fn smtp(config: &Config, environment: &Environment) -> Result<Option<Arc<dyn Mailer>>, StartError> {
    let Some(mail) = config.mail.clone() else {
        return Ok(None);
    };
    Ok(Some(Arc::new(Smtp::new(
        mail,
        url_builder(config, environment),
        environment.clock.clone(),
    )?)))
}

fn url_builder(config: &Config, environment: &Environment) -> UrlBuilder {
    UrlBuilder {
        origin: origin(config),
        keys: environment.keys.clone(),
    }
}

/// The public origin, for links outside of responses.
pub fn origin(config: &Config) -> Origin {
    origins(config).swap_remove(0)
}

/// The origins that are ours, the public one first. A server on loopback is reached under each of
/// loopback's names.
pub fn origins(config: &Config) -> Vec<Origin> {
    let port = config.addr.port();
    let own = Origin::parse(&format!("http://{}", config.addr)).ok();
    let names = ["localhost", "127.0.0.1", "[::1]"]
        .map(|name| Origin::parse(&format!("http://{name}:{port}")).ok());
    match &config.public {
        Some(public) if public.is_secure() => vec![public.clone()],
        public => public
            .clone()
            .into_iter()
            .chain(own)
            .chain(names.into_iter().flatten())
            .collect(),
    }
}

async fn add_practice_user(sign_ins: &SignIns) -> Result<(), StartError> {
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
