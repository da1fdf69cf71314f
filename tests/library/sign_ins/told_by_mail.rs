//! A person whose check took longer is told by mail that it is done.

use crate::support::{Browser, Harness, Plan, ada, confirmed, soon, token};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use vestibule::{
    mail::{ConfirmedMail, MailBody, MailWorker},
    publisher::Announcement,
    sign_ins::{Progress, Reception, Step},
    store::MailStore as _,
    testing::ScriptedMailer,
    token::Token,
    user::Identity,
    validator::{Answer, Reason, ValidationError, Verdict},
};

const PAUSE: Duration = Duration::from_secs(30);

/// Ada, as a validator knows her that knows her address.
fn with_address(email: &str) -> Identity {
    Identity {
        email: Some(email.to_owned()),
        ..ada()
    }
}

fn without_address() -> Identity {
    Identity {
        email: None,
        ..ada()
    }
}

struct MailHarness {
    inner: Harness,
    mailer: Arc<ScriptedMailer>,
}

impl MailHarness {
    async fn open() -> Self {
        let plan = Plan {
            mails: true,
            ..Plan::default()
        };
        let harness = Harness::built(plan).await;
        harness.start_worker();
        Self {
            inner: harness,
            mailer: Arc::default(),
        }
    }

    fn start_mail_worker(&self) {
        let wake = self.inner.mail_wake.clone();
        let worker = MailWorker::new(self.mailer.clone(), &self.inner.environment, wake);
        tokio::spawn(worker.run(CancellationToken::new()));
    }

    /// A browser whose link's check takes longer.
    async fn waiting(&self, link: &Token) -> Browser {
        let browser = self.inner.begun(link).await;
        self.inner
            .question()
            .await
            .answer(Err(ValidationError::Later {
                ask_again: Duration::from_mins(10),
                stage: None,
            }));
        let channel = browser.channel(link);
        let later = Announcement::Progress(Step::Later { stage: None });
        while self.inner.announced().await != (channel.clone(), later.clone()) {}
        browser
    }

    async fn call(&self, browser: &Browser, link: &Token, verdict: Verdict) {
        let id = self.inner.confirmation(browser, link).await.id;
        let answer = Answer::Verdict(verdict);
        let reception = self.inner.sign_ins.receive(id, answer).await.unwrap();
        assert_eq!(reception, Reception::Taken);
    }

    /// To whom the next mail goes, and what it says.
    async fn sent(&self) -> (String, MailBody) {
        let sent = soon("a mail", self.mailer.next()).await;
        let said = (sent.to.typed().to_owned(), sent.body.clone());
        sent.answer(Ok(()));
        said
    }

    /// How many mails wait.
    async fn mails(&self) -> usize {
        let now = self.inner.now() + Duration::from_hours(1);
        let store = &self.inner.store;
        let mails = store.take_mail(100, now, now).await.unwrap();
        mails.len()
    }
}

#[tokio::test]
async fn it_leads_back_to_the_link_in_the_browser_that_began_and_signs_in_no_other() {
    let harness = MailHarness::open().await;
    let link = token("link");
    let mut browser = harness.waiting(&link).await;
    let verdict = Verdict::Valid(with_address("ada@example.com"), None);
    harness.call(&browser, &link, verdict).await;
    let session = harness.inner.confirmation(&browser, &link).await.session;
    harness.start_mail_worker();
    harness.inner.advance(PAUSE);
    let (to, body) = harness.sent().await;
    assert_eq!(to, "ada@example.com");
    let token = link.clone();
    assert_eq!(body, MailBody::Confirmed(ConfirmedMail { token, session }));
    // Opened elsewhere, it is an attempt of its own.
    let mut other = harness.inner.browser();
    assert_eq!(other.status(&link).await.progress, Progress::Unknown);
    assert_eq!(other.greeted().await, None);
    let done = Progress::Done(confirmed());
    assert_eq!(browser.status(&link).await.progress, done);
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_verdict_in_an_answer_is_mailed_too_and_only_once() {
    let harness = MailHarness::open().await;
    let link = token("link");
    let browser = harness.waiting(&link).await;
    harness.inner.advance(Duration::from_mins(10));
    let question = harness.inner.question().await;
    let verdict = Verdict::Valid(with_address("ada@example.com"), None);
    question.answer(Ok(verdict.clone()));
    assert_eq!(harness.inner.outcome().await, confirmed());
    harness.call(&browser, &link, verdict).await;
    assert_eq!(harness.mails().await, 1);
}

#[tokio::test]
async fn there_is_no_mail_if_it_went_on_has_no_address_was_rejected_or_was_quick() {
    let harness = MailHarness::open().await;
    let valid = |email: &str| Verdict::Valid(with_address(email), None);
    let mut gone_on = None;
    for (number, verdict) in [
        Verdict::Valid(without_address(), None),
        valid("no address"),
        Verdict::Invalid(Reason::Used),
        valid("ada@example.com"),
    ]
    .into_iter()
    .enumerate()
    {
        let link = token(&format!("link-{number}"));
        let browser = harness.waiting(&link).await;
        harness.call(&browser, &link, verdict).await;
        gone_on = Some(browser);
    }
    // It did not take longer.
    let quick = token("quick");
    let browser = harness.inner.begun(&quick).await;
    let question = harness.inner.question().await;
    let verdict = valid("quick@example.com");
    harness.call(&browser, &quick, verdict.clone()).await;
    question.answer(Ok(verdict));
    // The page was still open.
    assert_eq!(gone_on.unwrap().greeted().await.as_deref(), Some("Ada"));
    harness.start_mail_worker();
    harness.inner.advance(PAUSE);
    // All of them are passed over: the next mail is that of another one.
    let link = token("another");
    let browser = harness.waiting(&link).await;
    harness
        .call(&browser, &link, valid("another@example.com"))
        .await;
    harness.inner.advance(PAUSE);
    assert_eq!(harness.sent().await.0, "another@example.com");
}

#[tokio::test]
async fn one_mail_waits_for_each_address_and_no_two_ever_share_an_id() {
    let harness = MailHarness::open().await;
    let verdict = || Verdict::Valid(with_address("ada@example.com"), None);
    let mut ids = Vec::new();
    for number in 0..2 {
        for again in 0..2 {
            let link = token(&format!("link-{number}-{again}"));
            let browser = harness.waiting(&link).await;
            harness.call(&browser, &link, verdict()).await;
        }
        let store = &harness.inner.store;
        let later = harness.inner.now() + Duration::from_hours(1);
        let mails = store.take_mail(100, later, later).await.unwrap();
        assert_eq!(mails.len(), 1, "one at a time");
        store.remove_mail(mails[0].id).await.unwrap();
        ids.push(mails[0].id);
    }
    assert_ne!(ids[0], ids[1], "a mail server would take them for one");
}
