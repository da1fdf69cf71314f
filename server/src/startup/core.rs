//! What pages and worker have in common: the environment that they work in, and how they wake each
//! other.

use crate::{
    config::{ApplicationParts, Config},
    mail::{Smtp, UrlBuilder},
    practice::control::PracticeTools,
    startup::{
        error::StartProblem,
        origins::origin,
        storage::Storage,
        tasks::{BackgroundTasks, StartedValidator},
    },
};
use std::sync::Arc;
use tokio::sync::Notify;
use vestibule::{
    assertion::Signer,
    caps::Room,
    mail::{Mailer, Outbox},
    publisher::Publisher,
    secret::{SystemEntropy, WebhookKeys},
    store::postgres::PostgresStore,
    worker::{Dispatch, Environment},
};

/// What pages and worker have in common.
pub struct Core {
    /// Everything that a sign-in needs.
    pub environment: Environment,
    /// How what is begun reaches the worker.
    pub dispatch: Dispatch,
    /// Wakes the mail worker.
    pub mail_wake: Arc<Notify>,
    /// The keys with which the validator signs its callbacks, if it may call back.
    pub callback_keys: Option<WebhookKeys>,
    /// What practice mode is controlled by, if it is that and has a listener for it.
    pub practice_tools: Option<PracticeTools>,
    /// The database whose hints wake the worker, if it has some.
    hints: Option<PostgresStore>,
}

impl Core {
    /// Starts, as some of `tasks`, the validator, if it is the practice one, and what gives an
    /// application its notices. An application's own validator takes the place of any other.
    pub async fn new(
        config: &Config,
        storage: Storage,
        publisher: Arc<dyn Publisher>,
        tasks: &mut BackgroundTasks,
        parts: ApplicationParts,
    ) -> Result<Self, StartProblem> {
        let StartedValidator {
            validator,
            callback_keys,
            script,
        } = match parts.validator {
            Some(own) => own.into(),
            None => tasks.start_service(config, storage.clock.clone()).await?,
        };
        let practice_tools = script
            .zip(storage.practice_clock)
            .map(|(script, clock)| PracticeTools { script, clock });
        let mail_wake = Arc::<Notify>::default();
        let mut environment = Environment {
            stores: storage.stores,
            validator,
            publisher,
            clock: storage.clock,
            entropy: Arc::new(SystemEntropy),
            keys: Arc::new(storage.keys),
            destinations: config.destinations.clone(),
            timing: config.timing.clone(),
            room: Arc::new(Room::new(config.caps.clone())),
            outbox: None,
            notice_wake: None,
        };
        // Also where processes elsewhere send it.
        if config.is_practice() || config.mail.is_some() {
            environment.outbox = Some(Outbox::new(&environment, mail_wake.clone()));
        }
        if let Some(told) = parts.on_confirmed {
            let wake = Arc::<Notify>::default();
            tasks.start_notice_worker(&environment, told, wake.clone());
            environment.notice_wake = Some(wake);
        }
        Ok(Self {
            environment,
            dispatch: Dispatch::default(),
            mail_wake,
            callback_keys,
            practice_tools,
            hints: storage.hints,
        })
    }

    /// What signs assertions.
    ///
    /// # Errors
    /// [`StartProblem::SigningKeys`] if its keys do not open.
    pub async fn signer(&self) -> Result<Signer, StartProblem> {
        let Environment {
            stores,
            clock,
            keys,
            entropy,
            ..
        } = self.environment.clone();
        Ok(Signer::open(stores.signing_keys, clock, keys, &*entropy).await?)
    }

    /// Where mail goes, if a server for it is configured.
    pub fn smtp(&self, config: &Config) -> Result<Option<Arc<dyn Mailer>>, StartProblem> {
        let Some(mail) = config.mail.clone() else {
            return Ok(None);
        };
        let smtp = Smtp::new(mail, self.urls(config), self.environment.clock.clone())?;
        Ok(Some(Arc::new(smtp)))
    }

    /// The addresses in mails.
    pub fn urls(&self, config: &Config) -> UrlBuilder {
        UrlBuilder {
            origin: origin(config),
            base: config.base.clone(),
            keys: self.environment.keys.clone(),
        }
    }

    /// Starts the worker, with so many validations in flight at once, what deletes old links, and,
    /// where mail goes anywhere, the mail worker.
    pub fn start_worker(
        &self,
        in_flight: usize,
        mailer: Option<Arc<dyn Mailer>>,
        tasks: &mut BackgroundTasks,
    ) {
        let environment = &self.environment;
        if let Some(mailer) = mailer {
            tasks.start_mail_worker(environment, mailer, self.mail_wake.clone());
        }
        tasks.start_sweeper(environment);
        tasks.start_worker(
            environment.clone(),
            self.dispatch.clone(),
            self.hints.clone(),
            in_flight,
        );
    }
}
