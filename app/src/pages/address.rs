//! `/profile/address`: change the e-mail address, from the form to the ticket that comes back.

use crate::base::at;
use crate::components::{
    Button, CurrentPassword, Field, ForgottenPassword, HiddenFormToken, PracticeMailbox, WRONG,
    Wrong,
};
use leptos::prelude::*;

/// The page's heading and title. On a narrow screen it does not break at its hyphen (U+2011).
pub const TITLE: &str = "Change e\u{2011}mail address";
/// The title of the page for a ticket that is not valid.
pub const STALE: &str = "This link is for another account or has expired";

/// The form for the new address.
#[component]
pub fn AddressPage(
    /// The user's current address.
    from: String,
    /// Whether the current password is asked for as well.
    current: bool,
    /// What was typed before, or empty.
    email: String,
    /// Why it was not accepted, as a sentence.
    problem: Option<String>,
) -> impl IntoView {
    let wrong = problem.is_some();
    let field_problem = wrong.then_some(WRONG);
    view! {
        <h1>{TITLE}</h1>
        <p>
            "You sign in with " <strong>{from}</strong> " now. We will send a link to the new address. Nothing changes until you open it in this browser and confirm."
        </p>
        <Wrong problem=problem />
        <form method="post" action=at("/profile/address")>
            <HiddenFormToken />
            <CurrentPassword asked=current wrong=wrong />
            <Field
                name="email"
                label="New e-mail address"
                kind="email"
                autocomplete="email"
                value=email
                problem=field_problem
            />
            <div class="actions">
                <Button label="Send a link" />
            </div>
        </form>
        <ForgottenPassword offered=current next="/profile/address" />
        <p>
            <a href=at("/profile")>"Cancel"</a>
        </p>
    }
}

/// The ticket was mailed.
#[component]
pub fn SentPage(
    /// Where it goes.
    address: String,
    /// How many minutes the link is valid.
    minutes: u64,
    /// Whether the mail goes to the mailbox of practice mode.
    practice: bool,
) -> impl IntoView {
    view! {
        <h1>"Check your e-mail"</h1>
        <p>
            "A link is on its way to " <strong>{address}</strong>
            ". Open it in this browser within " {minutes} " minutes. Until then you sign in as before."
        </p>
        <PracticeMailbox practice=practice />
        <p>
            <a href=at("/profile/address")>"Use a different address"</a>
        </p>
    }
}

/// The ticket was opened: a button confirms it, so that a mail scanner that opens it changes
/// nothing.
#[component]
pub fn MovePage(
    /// The path of this page below the base.
    path: String,
    /// The new address.
    address: String,
) -> impl IntoView {
    view! {
        <h1>{TITLE}</h1>
        <p>"From now on you will sign in with " <strong>{address}</strong> ". Your other browsers will be signed out."</p>
        <form method="post" action=at(path)>
            <HiddenFormToken />
            <div class="actions">
                <Button label="Use this address" />
            </div>
        </form>
        <p>
            <a href=at("/profile")>"Cancel"</a>
        </p>
    }
}

/// The ticket is not valid here.
#[component]
pub fn StalePage(
    /// How many minutes it was valid.
    minutes: u64,
) -> impl IntoView {
    view! {
        <h1>{STALE}</h1>
        <p>"The link works once, within " {minutes} " minutes, in a browser that is signed in to the account that requested it. Nothing has changed."</p>
        <p>
            <a href=at("/profile/address")>"Request a new link"</a>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    #[test]
    fn what_was_typed_is_given_back_with_what_is_wrong_with_it() {
        let problem = Some("That is your address already.".to_owned());
        let from = "ada@example.com".to_owned();
        let email = "Ada@example.com".to_owned();
        let html = html_with_token(
            || view! { <AddressPage from=from current=false email=email problem=problem /> },
        );
        for part in [
            "role=\"alert\"",
            "aria-describedby=\"problem\"",
            "value=\"Ada@example.com\"",
            "value=\"mac\"",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_user_who_forgot_the_password_asked_for_is_offered_a_link_that_leads_back() {
        for (current, times) in [(false, 0), (true, 1)] {
            let html = html_with_token(
                || view! { <AddressPage from="a".into() current email=String::new() problem=None /> },
            );
            assert_eq!(
                html.matches("/login?again=1&amp;next=%2Fprofile%2Faddress")
                    .count(),
                times,
                "{html}"
            );
        }
    }

    #[test]
    fn a_ticket_that_came_back_changes_nothing_before_a_press() {
        let path = "/profile/address/abc".to_owned();
        let address = "king@example.com".to_owned();
        let html = html_with_token(|| view! { <MovePage path=path address=address /> });
        assert!(
            html.contains("method=\"post\" action=\"/profile/address/abc\"")
                && html.contains("value=\"mac\""),
            "{html}"
        );
    }
}
