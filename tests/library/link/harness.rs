//! A house that sends links.

use crate::support::{Harness, Plan, soon};
use std::{ops::Deref, sync::Arc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use vestibule::{
    caps::{Capped, Client},
    device::Device,
    email_address::Address,
    link::{Ask, Asker, Browser, LinkToken, MagicLinks, PER_ADDRESS, Registration},
    mail::{LinkMail, MailBody, MailWorker},
    secret::SystemEntropy,
    sign_ins::Progress,
    store::{BeginError, MailStore as _, UserStore as _},
    testing::{ScriptedMailer, Sent},
    token::Token,
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

/// A house with [`MagicLinks`], a [`MailWorker`], and a worker that judges links; the test is the
/// mail server.
pub struct LinkHarness {
    harness: Harness,
    pub links: MagicLinks,
    pub mailer: Arc<ScriptedMailer>,
    mail_worker: Arc<Notify>,
}

impl Deref for LinkHarness {
    type Target = Harness;

    fn deref(&self) -> &Harness {
        &self.harness
    }
}

/// A browser that waits for a link.
pub struct Waiting {
    pub token: Token,
    cookie: String,
}

impl Waiting {
    pub fn cookie(&self) -> &str {
        &self.cookie
    }
}

impl LinkHarness {
    pub async fn open() -> Self {
        Self::built(Plan::default()).await
    }

    pub async fn built(plan: Plan) -> Self {
        let harness = Harness::built(plan).await;
        let mail_worker = Arc::<Notify>::default();
        let links = MagicLinks::new(harness.sign_ins.clone(), mail_worker.clone());
        let links = links.with_registration(Registration::Open);
        Self {
            harness,
            links,
            mailer: Arc::default(),
            mail_worker,
        }
    }

    /// Makes Bob a user.
    pub async fn put_bob(&self) {
        let subject = "bob@example.com".to_owned();
        let identity = Identity {
            issuer: PASSWORD_ISSUER.into(),
            email: Some(subject.clone()),
            subject,
            name: None,
        };
        let bob = User::new(UserId::generate(&SystemEntropy), identity, self.now());
        self.store.put_user(&bob, None).await.unwrap();
    }

    /// The same, with a postman and a worker.
    pub async fn at_work() -> Self {
        let harness = Self::open().await;
        harness.start_mail_worker();
        harness.start_worker();
        harness
    }

    pub fn start_mail_worker(&self) {
        let mail_worker = MailWorker::new(
            self.mailer.clone(),
            &self.environment,
            self.mail_worker.clone(),
        );
        tokio::spawn(mail_worker.run(CancellationToken::new()));
    }

    /// Has a link sent to Ada.
    pub async fn asked(&self) -> Waiting {
        self.asked_for(&ada()).await
    }

    pub async fn asked_for(&self, address: &Address) -> Waiting {
        self.try_to_ask(address, 1).await.unwrap()
    }

    /// Has a link sent, as the client with this number, in a browser that shows no cookie.
    pub async fn try_to_ask(&self, address: &Address, client: u8) -> Result<Waiting, BeginError> {
        self.try_to_ask_as(address, stranger(client)).await
    }

    /// Has a link sent.
    pub async fn try_to_ask_as(
        &self,
        address: &Address,
        asker: Asker,
    ) -> Result<Waiting, BeginError> {
        let ask = Ask {
            address: address.clone(),
            device: Device::new("Firefox on Linux"),
            next: None,
            asker,
        };
        let requested = soon("the link", self.links.request(ask)).await?;
        let cookie = requested
            .pending
            .cookie
            .encode(self.sign_ins.keys(), &requested.token);
        Ok(Waiting {
            token: requested.token,
            cookie,
        })
    }

    /// Has a link sent to Ada by a client that is under its cap.
    pub async fn asked_as(&self, asker: Asker) -> Waiting {
        self.try_to_ask_as(&ada(), asker).await.unwrap()
    }

    /// Has strangers ask for links to Ada until the cap is reached.
    pub async fn flooded(&self) {
        for client in 1..=PER_ADDRESS {
            self.try_to_ask(&ada(), u8::try_from(client).unwrap())
                .await
                .unwrap();
            self.letter().await;
        }
    }

    /// The cap that keeps the client with this number from asking.
    pub async fn refused(&self, address: &Address, client: u8) -> Capped {
        match self.try_to_ask(address, client).await {
            Err(BeginError::Capped(cap)) => cap,
            Err(BeginError::Store(error)) => panic!("the store can be used: {error}"),
            Ok(_) => panic!("it is not refused"),
        }
    }

    /// The next mail on its way.
    pub async fn sent(&self) -> Sent {
        soon("a mail", self.mailer.next()).await
    }

    /// What the next mail says, which is taken.
    pub async fn letter(&self) -> LinkMail {
        let sent = self.sent().await;
        let MailBody::Link(letter) = sent.body.clone() else {
            panic!("it is about no link")
        };
        sent.answer(Ok(()));
        letter
    }

    /// A browser that waits, and the letter with its link.
    pub async fn written_to(&self) -> (Waiting, LinkMail) {
        (self.asked().await, self.letter().await)
    }

    /// Waits until no mail is left to send.
    pub async fn nothing_is_left(&self) {
        let nothing = async {
            while self.store.next_mail().await.unwrap().is_some() {
                tokio::task::yield_now().await;
            }
        };
        soon("an empty outbox", nothing).await;
    }

    pub async fn status(&self, waiting: &Waiting) -> Progress {
        self.sign_ins
            .status(&waiting.token, Some(waiting.cookie()), None)
            .await
            .unwrap()
            .progress
    }

    /// What the page that waited is told, by a worker.
    pub async fn told(&self, waiting: &Waiting) -> Progress {
        soon("what it came to", async {
            loop {
                let status = self.status(waiting).await;
                if matches!(status, Progress::Done(_)) {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// The link's token as its address has it.
    pub fn token(&self, link: &LinkToken) -> Token {
        link.token(self.sign_ins.keys())
    }
}

/// A browser of the client with this number, which shows no cookie.
pub fn stranger(client: u8) -> Asker {
    Asker {
        client: Client::from_bytes([client; 16]),
        browser: None,
        known: false,
    }
}

/// The same, which shows a cookie of its own.
pub fn browser(client: u8, cookie: &str) -> Asker {
    Asker {
        browser: Some(Browser::new(cookie)),
        ..stranger(client)
    }
}

/// The same, which has signed in to the address before.
pub fn known(client: u8, cookie: &str) -> Asker {
    Asker {
        known: true,
        ..browser(client, cookie)
    }
}

pub fn ada() -> Address {
    "ada@example.com".parse().unwrap()
}
