//! `/confirm/{token}` for one of our own links, opened in another browser than the one that asked
//! for it.

use crate::base::at;
use crate::components::{Button, Field, HiddenFormToken, WRONG, Wrong};
use leptos::prelude::*;

/// The page's title.
pub const TITLE: &str = "Sign in";
/// The title of the page that has let another browser in.
pub const LET_IN: &str = "You are signed in on the other device";
/// The title of the page for a link that is not valid.
pub const SPENT: &str = "This link no longer works";

/// Says who the link signs in and which device asked for it, and asks where to sign in.
#[component]
pub fn LinkPage(
    /// The path of the landing below the base, such as `/confirm/abc`.
    token_path: String,
    /// The e-mail address that it signs in.
    address: String,
    /// The browser that asked for it, in words.
    device: String,
    /// When, in words.
    asked: String,
    /// Whether a page waits for it, which shows a number.
    waited_for: bool,
    /// What is wrong with the number that was typed, as a sentence.
    problem: Option<String>,
) -> impl IntoView {
    let field_problem = problem.is_some().then_some(WRONG);
    // Where none waits, it is an operator's link: the person who handed it over can explain it.
    let pick = waited_for.then(|| {
        view! {
            <h2>"Sign in on the other device"</h2>
            <p>"Enter the number shown there. If you do not see one, do not enter any."</p>
            <Wrong problem=problem />
            <form method="post" action=at(format!("{token_path}/pick"))>
                <HiddenFormToken />
                <Field
                    name="choice"
                    label="Two-digit number"
                    kind="text"
                    autocomplete="off"
                    inputmode="numeric"
                    problem=field_problem
                />
                <div class="actions">
                    <Button label="Sign in there" quiet=true />
                </div>
            </form>
        }
    });
    let facts = waited_for.then(|| {
        view! {
            <dl class="facts">
                <div>
                    <dt>"Requested from"</dt>
                    <dd>{device}</dd>
                </div>
                <div>
                    <dt>"Requested at"</dt>
                    <dd>{asked}</dd>
                </div>
            </dl>
        }
    });
    let not_asked = waited_for.then(|| {
        view! {
            <section class="help">
                <h2>"Didn’t request this?"</h2>
                <p>"Someone else may have entered your address. Close this page and nothing will happen."</p>
            </section>
        }
    });
    view! {
        <h1>"Sign in as " {address} "?"</h1>
        {facts}
        {pick}
        <h2>"Sign in here"</h2>
        <form method="post" action=at(token_path)>
            <HiddenFormToken />
            <div class="actions">
                <Button label="Sign in on this device" />
            </div>
        </form>
        {not_asked}
    }
}

/// The waiting browser was let in.
#[component]
pub fn LetInPage(
    /// What was let in, in words.
    device: String,
) -> impl IntoView {
    view! {
        <h1>{LET_IN}</h1>
        <p>"The page in " {device} " continues by itself. You can close this one."</p>
    }
}

/// The link is not valid. The page does not show its whole address: a stranger may have found the
/// link.
#[component]
pub fn SpentPage(
    /// Why, as a sentence.
    why: &'static str,
    /// The masked address that it was for, if known.
    address: Option<String>,
    /// The path of the login page below the base, where a new one can be asked for.
    login: String,
) -> impl IntoView {
    let address = address.map(|address| view! { <p>"It was sent to " {address} "."</p> });
    view! {
        <h1>{SPENT}</h1>
        <p>{why}</p>
        {address}
        <p>
            <a href=at(login)>"Sign in, or request a new link"</a>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    fn page(waited_for: bool, problem: Option<&str>) -> String {
        let problem = problem.map(str::to_owned);
        html_with_token(|| {
            view! {
                <LinkPage
                    token_path="/confirm/abc".into()
                    address="ada@example.com".into()
                    device="Firefox on Linux".into()
                    asked="2026-01-01, 00:00 UTC".into()
                    waited_for=waited_for
                    problem=problem
                />
            }
        })
    }

    #[test]
    fn it_names_the_account_and_the_device_and_offers_both_ways() {
        let html = page(true, None);
        for part in [
            "ada@example.com",
            "Firefox on Linux",
            "name=\"choice\"",
            "inputmode=\"numeric\"",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(
            html.contains("action=\"/confirm/abc/pick\"")
                && html.contains("action=\"/confirm/abc\""),
            "{html}"
        );
        assert_eq!(html.matches("name=\"proof\" value=\"mac\"").count(), 2);
    }

    #[test]
    fn without_a_waiting_page_there_is_no_requester_to_name_and_no_number_to_type() {
        let html = page(false, None);
        assert!(
            !["/pick", "Requested", "request this?"]
                .iter()
                .any(|part| html.contains(part)),
            "{html}"
        );
    }

    #[test]
    fn a_number_that_is_none_is_an_alert_that_the_field_refers_to() {
        let html = page(true, Some("Enter the two-digit number."));
        assert!(
            html.contains("role=\"alert\"") && html.contains("aria-describedby=\"problem\""),
            "{html}"
        );
    }

    #[test]
    fn a_spent_link_leads_to_the_login_page() {
        let page = |address: Option<&str>| {
            let address = address.map(str::to_owned);
            html_with_token(
                || view! { <SpentPage why="It has expired." address=address login="/login?next=%2Forders".into() /> },
            )
        };
        let html = page(Some("a…@example.com"));
        assert!(
            html.contains("a…@example.com") && html.contains("href=\"/login?next=%2Forders\""),
            "{html}"
        );
        assert!(!page(None).contains("sent to"));
    }
}
