//! `/profile/password`: to set a password, or another one.

use crate::components::{Button, Field, HiddenProof, WRONG, Wrong};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Set your password";

/// One password, for which a browser or a password manager may have an idea.
#[component]
pub fn PasswordPage(
    /// Whose it is: for the password manager.
    email: String,
    /// Whether whoever has the mailbox is told.
    told: bool,
    /// Why the last one was not taken, as a sentence.
    problem: Option<String>,
    /// See [`HiddenProof`].
    proof: Option<String>,
) -> impl IntoView {
    let field_problem = problem.is_some().then_some(WRONG);
    let told = told.then_some(" We tell you by mail, too.");
    view! {
        <h1>{TITLE}</h1>
        <p>"Choose something long and unusual. All your other browsers are then signed out." {told}</p>
        <Wrong problem=problem />
        <form method="post" action="/profile/password">
            <HiddenProof proof=proof />
            <input type="hidden" name="username" autocomplete="username" value=email />
            <Field
                name="password"
                label="New password"
                kind="password"
                autocomplete="new-password"
                problem=field_problem
            />
            <div class="actions">
                <Button label="Set this password" />
            </div>
        </form>
        <p>
            <a href="/profile">"Leave it as it is"</a>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(problem: Option<&str>) -> String {
        let problem = problem.map(str::to_owned);
        view! { <PasswordPage email="ada@example.com".into() told=true problem=problem proof=Some("mac".into()) /> }
            .to_html()
    }

    #[test]
    fn a_password_manager_is_told_whose_it_is_and_that_it_is_new() {
        let html = page(None);
        for part in
            ["autocomplete=\"username\"", "value=\"ada@example.com\"", "autocomplete=\"new-password\"", "value=\"mac\""]
        {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("role=\"alert\""));
    }

    #[test]
    fn a_password_that_was_not_taken_is_an_alert_that_the_field_refers_to_and_not_given_back() {
        let html = page(Some("Use at least 8 characters."));
        assert!(html.contains("role=\"alert\"") && html.contains("aria-describedby=\"problem\""), "{html}");
    }
}
