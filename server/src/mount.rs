//! From a configuration to routes, with what works behind them.

use crate::{
    broker::{AppSecret, Broker, BrokerConfig},
    config::{Config, PushConfig},
    cookies::CookiePolicy,
    data,
    origin::Origin,
    passwords::{self, Passwords},
    practice::{self, KeyError, PracticeValidator},
    routes,
    site::Site,
};
use axum::Router;
use leptos::prelude::LeptosOptions;
use std::{io, net::Ipv4Addr, path::Path, sync::Arc};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule::{
    clock::SystemClock,
    publisher::{PusherApp, PusherPublisher, PusherSecret},
    secret::{Keys, Purpose, SystemEntropy},
    store::{StoreError, sqlite::OpenError},
    validator::HttpValidator,
    vestibule::Vestibule,
    worker::{Tools, Worker},
};

/// The server could not start. One line each; nothing was damaged.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder, or the database in it, cannot be used.
    #[error("{path} cannot be used: {error}; make it writable or name another folder by VESTIBULE_DATA")]
    Data {
        /// The folder or the file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// Practice mode's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database cannot be used.
    #[error("the database {path} {error}")]
    Database {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: OpenError,
    },
    /// The database could not be written.
    #[error("the database cannot be written: {0}")]
    Store(#[from] StoreError),
    /// The validator's address is none.
    #[error("VALIDATOR_URL: {0} (example: https://tokens.example/validate)")]
    Validator(#[from] vestibule::validator::InvalidEndpoint),
    /// No loopback port could be had.
    #[error("no port on loopback can be listened on: {0}")]
    Loopback(io::Error),
}

/// What works behind the routes: the worker, the embedded broker, the practice validator.
#[derive(Debug)]
pub struct Running {
    worker: JoinHandle<()>,
    broker: Option<Broker>,
    tasks: TaskTracker,
    stop_worker: CancellationToken,
    stop_rest: CancellationToken,
}

impl Running {
    /// Claims no more, lets what is in flight finish or hands it back, then closes the sockets with 4200.
    pub async fn shutdown(self) {
        self.stop_worker.cancel();
        if let Err(error) = self.worker.await {
            tracing::error!(%error, "the worker has panicked");
        }
        if let Some(broker) = self.broker {
            broker.close().await;
        }
        self.stop_rest.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The routes of Vestibule, to serve or to merge into an application of your own at the root, and what works behind
/// them, already started.
///
/// # Errors
/// [`StartError`]: nothing works then.
pub async fn router(mut config: Config) -> Result<(Router, Running), StartError> {
    let entropy = Arc::new(SystemEntropy);
    let practice = config.is_practice();
    let (keys, store) = data::open(&mut config).await?;
    let (keys, store) = (Arc::new(keys), Arc::new(store));

    let (stop_worker, stop_rest, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
    let validator = Arc::new(if let Some(service) = &config.validator {
        HttpValidator::new(&service.url, service.secret.clone())?
    } else {
        let service = PracticeValidator::bind().await.map_err(StartError::Loopback)?;
        let validator = HttpValidator::new(&service.url(), None)?;
        tasks.spawn(service.serve(stop_rest.clone()));
        validator
    });
    let origins = origins(&config);
    let (push, broker) = push(config.push, &keys, &origins, &tasks, &stop_rest).await?;
    let publisher = Arc::new(PusherPublisher::new(&push.app));

    let tools = Tools {
        store: store.clone(),
        validator,
        publisher: publisher.clone(),
        clock: Arc::new(SystemClock),
        entropy: entropy.clone(),
        keys,
        destinations: config.destinations,
        timing: config.timing,
    };
    let wake = Arc::new(Notify::new());
    let vestibule = Vestibule::new(&tools, wake.clone());
    if practice {
        add_practice_user(&vestibule).await?;
    }
    let worker = tokio::spawn(Worker::new(tools, wake, config.in_flight).run(stop_worker.clone()));

    let site = Site {
        vestibule,
        pusher: publisher,
        pusher_key: push.app.key,
        socket: push.socket,
        leptos: leptos_options(&config.site_root),
        cookies: CookiePolicy { secure: origins[0].is_secure() },
        origins,
        start: config.start,
        passwords: Passwords::new(&*entropy),
        practice: practice.then_some(practice::USER),
    };
    let sockets = broker.as_ref().map(Broker::socket_routes).unwrap_or_default();
    let routes = routes::routes(Arc::new(site), sockets);
    Ok((routes, Running { worker, broker, tasks, stop_worker, stop_rest }))
}

/// The origins that are ours. A server on loopback is reached under each of loopback's names.
fn origins(config: &Config) -> Vec<Origin> {
    let port = config.addr.port();
    let own = Origin::parse(&format!("http://{}", config.addr)).ok();
    let names = ["localhost", "127.0.0.1", "[::1]"].map(|name| Origin::parse(&format!("http://{name}:{port}")).ok());
    match &config.public {
        Some(public) if public.is_secure() => vec![public.clone()],
        public => public.clone().into_iter().chain(own).chain(names.into_iter().flatten()).collect(),
    }
}

struct Push {
    app: PusherApp,
    socket: Option<String>,
}

/// The Pusher server to publish to: the one that is configured, or the embedded broker, bound and serving.
async fn push(
    config: PushConfig,
    keys: &Keys,
    origins: &[Origin],
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> Result<(Push, Option<Broker>), StartError> {
    let credentials = match config {
        PushConfig::Server { app, socket } => return Ok((Push { app, socket: Some(socket) }, None)),
        PushConfig::Embedded(given) => given,
    };
    let derived = |what: &[u8]| {
        let mac = keys.mac(Purpose::Broker, &[what]);
        format!("{:032x}", u128::from_be_bytes(std::array::from_fn(|place| mac.as_bytes()[place])))
    };
    let (id, key, secret) =
        credentials.unwrap_or_else(|| ("1".into(), derived(b"key"), PusherSecret::new(derived(b"secret"))));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Loopback)?;
    let host = listener.local_addr().map_err(StartError::Loopback)?.to_string();
    let mut config = BrokerConfig::new(id.clone(), key.clone(), AppSecret::new(secret.expose()));
    config.origins = origins.iter().map(|origin| origin.as_str().to_owned()).collect();
    config.require_origin = true;
    let broker = Broker::new(config);
    let api = axum::serve(listener, broker.api_routes()).with_graceful_shutdown(stop.clone().cancelled_owned());
    tasks.spawn(async move {
        if let Err(error) = api.await {
            tracing::error!(%error, "the broker's HTTP API has stopped; pages will ask");
        }
    });
    Ok((Push { app: PusherApp { id, key, secret, host }, socket: None }, Some(broker)))
}

async fn add_practice_user(vestibule: &Vestibule) -> Result<(), StartError> {
    let practice::PracticeUser { email, password } = practice::USER;
    let identity = passwords::identity(email, Some("Practice user".into()));
    if vestibule.store().password(&identity.subject).await?.is_none() {
        passwords::put_user(vestibule.store(), vestibule.entropy(), vestibule.now(), identity, password).await?;
    }
    Ok(())
}

fn leptos_options(site_root: &Path) -> LeptosOptions {
    let mut options = LeptosOptions::builder().output_name("vestibule").site_pkg_dir("pkg").build();
    options.site_root = site_root.display().to_string().into();
    if let Some(port) = std::env::var("LEPTOS_RELOAD_PORT").ok().and_then(|port| port.parse().ok()) {
        options.reload_port = port;
    }
    options
}
