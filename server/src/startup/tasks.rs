//! What works behind the routes: how it starts, and in which order it ends.

use crate::{
    config::Config,
    http::listener::file_limit,
    practice::{PracticeValidator, ValidatorScript},
    startup::{error::StartProblem, origins::origin},
};
use futures_util::future::OptionFuture;
use std::{net::SocketAddr, sync::Arc};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule::{
    clock::Clock,
    link,
    mail::{MailWorker, Mailer},
    notice::{NoticeWorker, OnConfirmed},
    publisher::{PusherPublisher, Queue},
    secret::{SystemEntropy, WebhookKeys, random},
    store::postgres::PostgresStore,
    validator::{HttpValidator, Validator},
    worker::{Dispatch, Environment, Worker},
};
use vestibule_broker::Broker;

/// What works behind the routes: the worker, and those of mails and notices, the embedded broker, the
/// practice validator.
#[derive(Debug)]
pub struct ServerHandle {
    tasks: BackgroundTasks,
    broker: Option<Broker>,
}

impl ServerHandle {
    /// Returns once the worker, or that of mails or notices, has stopped, which they do by themselves
    /// only if they panic.
    pub async fn worker_stopped(&self) {
        self.tasks.worker_stopped.cancelled().await;
    }

    /// Where the private listener of `OPS_ADDR` listens, if there is one.
    pub const fn ops_addr(&self) -> Option<SocketAddr> {
        self.tasks.ops_addr
    }

    /// Claims no more, lets what is in flight finish or hands it back, sends what is still to be
    /// announced, then closes the sockets with 4200.
    pub async fn shutdown(self) {
        let BackgroundTasks {
            worker,
            queue,
            tasks,
            stop_worker,
            stop_rest,
            ..
        } = self.tasks;
        stop_worker.cancel();
        if let Some(Err(error)) = OptionFuture::from(worker).await {
            tracing::error!(%error, "the worker has panicked");
        }
        if let Some(queue) = queue {
            queue.close().await;
        }
        if let Some(broker) = self.broker {
            broker.close().await;
        }
        stop_rest.cancel();
        tasks.close();
        tasks.wait().await;
    }
}

/// What works behind the routes, while it is being started.
#[derive(Debug, Default)]
pub struct BackgroundTasks {
    worker: Option<JoinHandle<()>>,
    /// Cancelled once the worker, or that of mails or notices, has stopped.
    pub worker_stopped: CancellationToken,
    queue: Option<Arc<Queue>>,
    /// Where the private listener listens, if there is one.
    pub ops_addr: Option<SocketAddr>,
    /// Everything but the worker itself.
    pub tasks: TaskTracker,
    /// Ends the worker, and with it those of mails and notices, the sweeper and the listener.
    stop_worker: CancellationToken,
    /// Ends the others.
    pub stop_rest: CancellationToken,
}

/// Who judges tokens.
pub struct StartedValidator {
    /// The validator.
    pub validator: Arc<dyn Validator>,
    /// The keys with which it signs its callbacks, if it may call back.
    pub callback_keys: Option<WebhookKeys>,
    /// What it answers, if it is practice mode's.
    pub script: Option<Arc<ValidatorScript>>,
}

/// An application's own validator.
impl From<Arc<dyn Validator>> for StartedValidator {
    fn from(validator: Arc<dyn Validator>) -> Self {
        Self {
            validator,
            callback_keys: None,
            script: None,
        }
    }
}

impl BackgroundTasks {
    /// A queue before `publisher`, started.
    pub fn start_queue(&mut self, publisher: Arc<PusherPublisher>) -> Arc<Queue> {
        let queue = Arc::new(Queue::start(publisher, Arc::new(SystemEntropy)));
        self.queue.insert(queue).clone()
    }

    /// The configured service, or practice mode's own, started, which waits by `clock`.
    pub async fn start_service(
        &self,
        config: &Config,
        clock: Arc<dyn Clock>,
    ) -> Result<StartedValidator, StartProblem> {
        let callback = format!(
            "{}{}",
            origin(config).as_str(),
            config.base.path("/v1/verdicts")
        );
        if let Some(service) = &config.validator {
            let validator = HttpValidator::new(&service.url, service.secret.clone())?;
            let callback_keys = service.callback_keys.clone();
            let validator = match callback_keys {
                Some(_) => validator.with_callback(callback),
                None => validator,
            };
            return Ok(StartedValidator {
                validator: Arc::new(validator),
                callback_keys,
                script: None,
            });
        }
        let keys = WebhookKeys::from(random(&SystemEntropy));
        let service = PracticeValidator::bind(callback.clone(), keys.clone(), clock)
            .await
            .map_err(StartProblem::Loopback)?;
        let validator = HttpValidator::new(&service.url(), None)?.with_callback(callback);
        let script = service.script();
        self.tasks.spawn(service.serve(self.stop_rest.clone()));
        Ok(StartedValidator {
            validator: Arc::new(validator),
            callback_keys: Some(keys),
            script: Some(script),
        })
    }

    /// Starts what sends mails.
    pub fn start_mail_worker(
        &self,
        environment: &Environment,
        mailer: Arc<dyn Mailer>,
        wake: Arc<Notify>,
    ) {
        let mail_worker = MailWorker::new(mailer, environment, wake).run(self.stop_worker.clone());
        self.tasks.spawn(self.watched(mail_worker));
    }

    /// Starts what tells an application of confirmations.
    pub fn start_notice_worker(
        &self,
        environment: &Environment,
        told: Arc<dyn OnConfirmed>,
        wake: Arc<Notify>,
    ) {
        let notices = NoticeWorker::new(told, environment, wake).run(self.stop_worker.clone());
        self.tasks.spawn(self.watched(notices));
    }

    /// Starts what deletes old links.
    pub fn start_sweeper(&self, environment: &Environment) {
        self.tasks.spawn(link::sweep(
            environment.stores.clone(),
            environment.clock.clone(),
            self.stop_worker.clone(),
        ));
    }

    /// Starts the worker, which the database tells of what is new if it can.
    pub fn start_worker(
        &mut self,
        environment: Environment,
        dispatch: Dispatch,
        hints: Option<PostgresStore>,
        in_flight: usize,
    ) {
        if let Some(database) = hints {
            let wake = dispatch.waker();
            let stop = self.stop_worker.clone();
            self.tasks
                .spawn(async move { database.listen(wake, stop).await });
        }
        let in_flight = file_limit::validations(in_flight, file_limit::current());
        let worker = Worker::new(environment, dispatch, in_flight).run(self.stop_worker.clone());
        self.worker = Some(tokio::spawn(self.watched(worker)));
    }

    /// Everything has been started.
    pub fn into_handle(self, broker: Option<Broker>) -> ServerHandle {
        ServerHandle {
            tasks: self,
            broker,
        }
    }

    /// `work`, whose end is noticed also where it panics.
    fn watched<W: Future<Output = ()>>(&self, work: W) -> impl Future<Output = ()> + use<W> {
        let stopped = self.worker_stopped.clone().drop_guard();
        async move {
            let _stopped = stopped;
            work.await;
        }
    }
}
