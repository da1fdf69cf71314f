//! A browser: it keeps its cookies and shows them.

use super::soon;
use std::collections::BTreeMap;
use vestibule::{
    caps::Client,
    device::Device,
    entry::{Entry, PresentedSecrets, SignIn, SignedIn},
    pending::{PendingCookie, TokenTag},
    secret::SessionSecret,
    sign_ins::{Pending, Report, SignIns},
    store::BeginError,
    token::Token,
    user::User,
};

/// A browser that does with cookies what a response tells it to. A clone is the same browser before
/// it has heard the next response: a parallel tab, a response that was lost, or a thief of the
/// cookies.
#[derive(Clone)]
pub struct Browser {
    pub sign_ins: SignIns,
    pub session: Option<SessionSecret>,
    pub client: Client,
    pub device: Option<Device>,
    jar: BTreeMap<TokenTag, String>,
}

impl Browser {
    pub fn new(sign_ins: SignIns) -> Self {
        Self {
            sign_ins,
            session: None,
            client: Client::from_bytes([1; 16]),
            device: Device::new("Firefox on Linux"),
            jar: BTreeMap::new(),
        }
    }

    /// A browser with a session cookie and nothing else.
    pub fn holding(sign_ins: SignIns, session: SessionSecret) -> Self {
        Self {
            session: Some(session),
            ..Self::new(sign_ins)
        }
    }

    /// The text of its pending cookie for `token`, or of a planted one in its place.
    pub fn cookie(&self, token: &Token) -> Option<&str> {
        let shown = self.jar.iter().map(|(tag, text)| (*tag, text.as_str()));
        let in_its_place = || self.jar.get(&self.tag(token)).map(String::as_str);
        PendingCookie::among(self.sign_ins.keys(), token, shown).or_else(in_its_place)
    }

    /// Plants a cookie.
    pub fn plant(&mut self, token: &Token, text: impl Into<String>) {
        self.jar.insert(self.tag(token), text.into());
    }

    /// Gets the cookies of its other tab's response as well.
    pub fn adopt(&mut self, tab: &Self) {
        self.jar.extend(tab.jar.clone());
    }

    /// The name of a cookie that it would get for `token` now.
    pub fn tag(&self, token: &Token) -> TokenTag {
        TokenTag::of(self.sign_ins.keys(), token)
    }

    /// Opens the link's page. Whether the browser got a fresh cookie.
    pub fn land(&mut self, token: &Token) -> bool {
        let pending = self.sign_ins.land(token, self.cookie(token));
        self.take(token, &pending)
    }

    pub async fn begin(&mut self, token: &Token) -> Report {
        self.ask_to_begin(token, false).await
    }

    /// Presses Try again.
    pub async fn begin_again(&mut self, token: &Token) -> Report {
        self.ask_to_begin(token, true).await
    }

    /// Begins with a link that leads to `next`.
    pub async fn begin_leading_to(&mut self, token: &Token, next: &str) -> Report {
        let next = next.parse().unwrap();
        let begin = self
            .sign_ins
            .begin(token, self.cookie(token), false, self.client, Some(&next));
        let (pending, report) = soon("begin", begin).await.unwrap();
        self.take(token, &pending);
        report
    }

    async fn ask_to_begin(&mut self, token: &Token, again: bool) -> Report {
        self.try_to_begin(token, again).await.unwrap()
    }

    /// Begins, or presses Try again, where it may be refused.
    pub async fn try_to_begin(&mut self, token: &Token, again: bool) -> Result<Report, BeginError> {
        let begin = self
            .sign_ins
            .begin(token, self.cookie(token), again, self.client, None);
        let (pending, report) = soon("begin", begin).await?;
        self.take(token, &pending);
        Ok(report)
    }

    pub async fn status(&self, token: &Token) -> Report {
        soon(
            "status",
            self.sign_ins
                .status(token, self.cookie(token), self.session.as_ref()),
        )
        .await
        .unwrap()
    }

    pub async fn cancel(&self, token: &Token) -> Report {
        soon("cancel", self.sign_ins.cancel(token, self.cookie(token)))
            .await
            .unwrap()
    }

    pub async fn who(&self) -> Option<SignedIn> {
        self.sign_ins.who(self.session.as_ref()).await.unwrap()
    }

    /// Opens a page that needs a user.
    pub async fn enter(&mut self) -> Entry {
        let entry = soon("enter", self.sign_ins.enter(&self.shown()))
            .await
            .unwrap();
        self.obey(&entry);
        entry
    }

    pub async fn choose(&mut self, choice: Option<TokenTag>) -> Entry {
        let entry = soon("choose", self.sign_ins.choose(&self.shown(), choice))
            .await
            .unwrap();
        self.obey(&entry);
        entry
    }

    /// Signs out. The cookies stay, as in a browser that did not hear the answer.
    pub async fn sign_out(&self) {
        soon("sign-out", self.sign_ins.sign_out(&self.shown(), false))
            .await
            .unwrap();
    }

    pub async fn sign_out_everywhere(&self) {
        soon("sign-out", self.sign_ins.sign_out(&self.shown(), true))
            .await
            .unwrap();
    }

    /// The name that a page that needs a user greets; `None` if no one is signed in.
    pub async fn greeted(&mut self) -> Option<String> {
        match self.enter().await {
            Entry::SignedOut => None,
            Entry::SignedIn(SignIn { who, .. }) => Some(name(&who.user)),
            Entry::ChooseAccount { .. } => panic!("the page asks who the browser wants to be"),
        }
    }

    /// What a request to a page shows.
    pub fn shown(&self) -> PresentedSecrets {
        let claimed =
            |(tag, text): (&TokenTag, &String)| Some((*tag, PendingCookie::claimed_secret(text)?));
        PresentedSecrets {
            session: self.session.clone(),
            pending: self.jar.iter().filter_map(claimed).collect(),
            device: self.device.clone(),
        }
    }

    fn take(&mut self, token: &Token, pending: &Pending) -> bool {
        if pending.fresh {
            let keys = self.sign_ins.keys();
            let text = pending.cookie.encode(keys, token);
            let replaced = TokenTag::each(keys, token);
            self.jar.retain(|tag, _| !replaced.contains(tag));
            self.plant(token, text);
        }
        pending.fresh
    }

    fn obey(&mut self, entry: &Entry) {
        if let Entry::SignedIn(SignIn { renewed, spent, .. }) = entry {
            self.session = renewed.clone().or(self.session.take());
            self.jar.retain(|tag, _| !spent.contains(tag));
        }
    }
}

fn name(user: &User) -> String {
    user.display_name().to_owned()
}
