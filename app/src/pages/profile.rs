//! `/profile`: who you are, and where you are signed in.

use crate::base::at;
use crate::components::{Button, HiddenFormToken, Notice};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Your profile";
/// Where a form goes that ends other sessions.
const END: &str = "/profile/sessions/end";

/// One browser that is signed in.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// What the browser calls itself.
    pub device: String,
    /// Since when, as it is shown.
    pub since: String,
    /// When it was last used, as it is shown.
    pub seen: String,
    /// What the form sends to end it; `None`: it is the browser that asks.
    pub handle: Option<String>,
}

/// What the page says about the user, and what it offers them.
#[derive(Clone, Debug, Default)]
pub struct ProfileDetails {
    /// The user's name, if one is known.
    pub name: Option<String>,
    /// The user's e-mail address, if one is known.
    pub email: Option<String>,
    /// The issuer of the user's identity.
    pub issuer: String,
    /// The user's name with the issuer.
    pub subject: String,
    /// What was changed just now, as a sentence.
    pub changed: Option<&'static str>,
    /// Whether the user has a password here, or may have one.
    pub password: bool,
    /// Whether the user can change their address.
    pub address: bool,
    /// Where the user is signed in.
    pub sessions: Vec<SessionRow>,
}

/// The user's details and sessions, and how to end those.
#[component]
pub fn ProfilePage(
    /// What the page says and offers.
    profile: ProfileDetails,
) -> impl IntoView {
    let ProfileDetails {
        name,
        email,
        issuer,
        subject,
        changed,
        password,
        address,
        sessions,
    } = profile;
    let facts = [
        ("Name", name),
        ("E-mail", email),
        ("Signed in with", Some(issuer)),
        ("Account ID", Some(subject)),
    ]
    .into_iter()
    .filter_map(|(term, fact)| {
        fact.map(|fact| {
            view! {
                <div>
                    <dt>{term}</dt>
                    <dd><bdi>{fact}</bdi></dd>
                </div>
            }
        })
    })
    .collect_view();
    let others = sessions
        .iter()
        .any(|session| session.handle.is_some())
        .then(|| {
            view! {
                <form method="post" action=at(END)>
                    <HiddenFormToken />
                    <Button label="Sign out other sessions" quiet=true choice="others" />
                </form>
            }
        });
    let rows = sessions
        .into_iter()
        .map(|session| view! { <Row session=session /> })
        .collect_view();
    let changed = changed.map(|changed| {
        view! {
            <Notice>
                <p>{changed}</p>
            </Notice>
        }
    });
    let password = password.then(
        || view! { <li><a href=at("/profile/password")>"Set or change your password"</a></li> },
    );
    let address = address
        .then(|| view! { <li><a href=at("/profile/address")>"Change e-mail address"</a></li> });
    let ways = (password.is_some() || address.is_some()).then(|| {
        view! {
            <h2>"How you sign in"</h2>
            <ul class="rows">{password} {address}</ul>
        }
    });
    view! {
        <h1>{TITLE}</h1>
        {changed}
        <dl class="facts">{facts}</dl>
        {ways}
        <h2>"Where you are signed in"</h2>
        <ul class="rows sessions">{rows}</ul>
        <div class="actions">
            <form method="post" action=at("/logout")>
                <HiddenFormToken />
                <Button label="Sign out" />
            </form>
            {others}
            <form method="post" action=at("/logout")>
                <HiddenFormToken />
                <input type="hidden" name="everywhere" value="1" />
                <Button label="Sign out everywhere" quiet=true />
            </form>
        </div>
    }
}

/// A browser, and the way to sign it out if it is another one.
#[component]
fn Row(session: SessionRow) -> impl IntoView {
    let SessionRow {
        device,
        since,
        seen,
        handle,
    } = session;
    let here = handle.is_none().then_some(", this browser");
    let end = handle.map(|handle| {
        view! {
            <form method="post" action=at(END)>
                <HiddenFormToken />
                <Button label="Sign out" quiet=true choice=handle about=format!("{device}, since {since}") />
            </form>
        }
    });
    view! {
        <li>
            <div>
                <p>
                    <strong>{device}</strong>
                    {here}
                </p>
                <p class="soft">"Since " {since}</p>
                <p class="soft">"Last used " {seen}</p>
            </div>
            {end}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    fn page(name: Option<&str>) -> String {
        page_with(name, &[None, Some("0123456789abcdef")])
    }

    fn page_with(name: Option<&str>, handles: &[Option<&str>]) -> String {
        let row = |handle: Option<&str>| SessionRow {
            device: "Firefox on Linux".into(),
            since: "yesterday".into(),
            seen: "today".into(),
            handle: handle.map(str::to_owned),
        };
        let sessions = handles.iter().copied().map(row).collect::<Vec<_>>();
        let profile = ProfileDetails {
            name: name.map(str::to_owned),
            issuer: "practice".into(),
            subject: "ada".into(),
            password: true,
            sessions,
            ..ProfileDetails::default()
        };
        html_with_token(|| view! { <ProfilePage profile=profile /> })
    }

    #[test]
    fn each_way_out_carries_the_proof_and_only_one_means_everywhere() {
        let html = page(None);
        assert_eq!(html.matches("<form").count(), 4, "{html}");
        assert_eq!(
            html.matches("name=\"proof\" value=\"mac\"").count(),
            4,
            "{html}"
        );
        assert_eq!(html.matches("name=\"everywhere\"").count(), 1, "{html}");
    }

    #[test]
    fn another_browser_can_be_signed_out_and_this_one_is_named() {
        let html = page(None);
        assert_eq!(html.matches(", this browser").count(), 1, "{html}");
        assert_eq!(
            html.matches("name=\"choice\" value=\"0123456789abcdef\"")
                .count(),
            1,
            "{html}"
        );
        assert!(
            html.contains("aria-label=\"Sign out: Firefox on Linux, since yesterday\""),
            "{html}"
        );
        assert_eq!(
            html.matches("name=\"choice\" value=\"others\"").count(),
            1,
            "{html}"
        );
    }

    #[test]
    fn signing_out_others_is_not_offered_where_there_are_none() {
        assert!(!page_with(None, &[None]).contains("Sign out other sessions"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        assert!(!page(None).contains("<dt>Name</dt>"));
        assert!(page(Some("Ada")).contains("<dd><bdi>Ada</bdi></dd>"));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        assert!(!page(Some("<img src=x onerror=alert(1)>")).contains("<img"));
    }
}
