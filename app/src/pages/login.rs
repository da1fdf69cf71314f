//! `/login`: signing in with a password, and why a link did not work.

use crate::base::at;
use crate::components::{Button, Field, HiddenFormToken, Notice, PracticeUser, WRONG, Wrong};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Sign in";
/// The description of its document.
pub const DESCRIPTION: &str =
    "Sign in with your password, or have a sign-in link sent to your e-mail address.";
/// The same for a user who is already signed in.
pub const AGAIN: &str = "Confirm it’s you";

/// What the form says and offers.
#[derive(Clone, Debug, Default)]
pub struct LoginFormState {
    /// Why a link did not sign them in, as a sentence.
    pub reason: Option<&'static str>,
    /// Why the form did not sign them in, as a sentence.
    pub error: Option<String>,
    /// Whether a signed-in user is asked to sign in again.
    pub again: bool,
    /// The address typed before, or nothing. The password is never given back.
    pub email: String,
    /// The path to go to after signing in.
    pub next: Option<String>,
    /// The practice user's address and password, in practice mode.
    pub practice: Option<(String, String)>,
    /// Whether a link can be sent to the address.
    pub mails: bool,
    /// Whether that link can lead to a page to set a password.
    pub forgotten: bool,
}

/// E-mail address and password.
#[component]
pub fn LoginPage(
    /// What the form says and offers.
    form: LoginFormState,
) -> impl IntoView {
    let LoginFormState {
        reason,
        error,
        again,
        email,
        next,
        practice,
        mails,
        forgotten,
    } = form;
    let problem = error.is_some().then_some(WRONG);
    let otherwise = if mails {
        "Sign in with your password, or request a new link."
    } else {
        "Sign in with your password, or ask whoever sent you the link for a new one."
    };
    let reason = reason.map(|reason| {
        view! {
            <Notice>
                <p>{reason}</p>
                <p class="soft">{otherwise}</p>
            </Notice>
        }
    });
    let next = next.map(|next| view! { <input type="hidden" name="next" value=next /> });
    let practice = practice.map(|(email, password)| {
        view! {
            <section class="help">
                <h2>"Practice mode"</h2>
                <p>"Sign in as the practice user."</p>
                <PracticeUser email=email password=password />
            </section>
        }
    });
    let heading = if again { AGAIN } else { TITLE };
    let why = again.then(|| {
        view! { <p>"Sign in again before you change how you sign in."</p> }
    });
    let again = again.then(|| view! { <input type="hidden" name="again" value="1" /> });
    let forgotten = forgotten.then(|| {
        view! {
            <p>"Forgot your password?"</p>
            <div class="actions">
                <Button label="Send a link to set a new one" quiet=true action="/login/link" choice=at("/profile/password") />
            </div>
        }
    });
    view! {
        <h1>{heading}</h1>
        {why}
        {reason}
        <Wrong problem=error />
        <form method="post" action=at("/login")>
            <HiddenFormToken />
            {next}
            {again}
            <Field
                name="email"
                label="E-mail address"
                kind="email"
                autocomplete="username"
                value=email
                problem=problem
            />
            <Field
                name="password"
                label="Password"
                kind="password"
                autocomplete="current-password"
                problem=problem
            />
            <div class="actions">
                <Button label="Sign in" />
                {mails.then(|| view! { <Button label="Send me a link instead" quiet=true action="/login/link" /> })}
            </div>
            {forgotten}
        </form>
        {practice}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    fn page(error: Option<&str>, email: &str, next: Option<&str>) -> String {
        let form = LoginFormState {
            error: error.map(str::to_owned),
            email: email.to_owned(),
            next: next.map(str::to_owned),
            ..LoginFormState::default()
        };
        html_with_token(|| view! { <LoginPage form=form /> })
    }

    #[test]
    fn the_form_carries_the_token_and_where_to_go_on() {
        let html = page(None, "", Some("/profile"));
        assert!(html.contains("name=\"proof\" value=\"mac\""), "{html}");
        assert!(html.contains("name=\"next\" value=\"/profile\""), "{html}");
    }

    #[test]
    fn a_failed_attempt_is_an_alert_that_the_fields_refer_to() {
        let html = page(Some("Wrong."), "a@example.com", None);
        assert!(
            html.contains("role=\"alert\"") && html.contains("aria-describedby=\"problem\""),
            "{html}"
        );
        assert!(html.contains("value=\"a@example.com\""), "{html}");
        assert!(!page(None, "", None).contains("role=\"alert\""));
    }

    #[test]
    fn what_was_typed_cannot_leave_its_attribute() {
        let html = page(None, "\"><script>", Some("\"><script>"));
        assert!(!html.contains("\"><script>"), "{html}");
    }
}
