//! `/profile/password`: set or change the password.

use crate::base::at;
use crate::components::{
    Button, CurrentPassword, Field, ForgottenPassword, HiddenFormToken, WRONG, Wrong,
};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Set your password";

/// A field for a new password, which a browser or a password manager may suggest.
#[component]
pub fn PasswordPage(
    /// Whose it is: for the password manager.
    email: String,
    /// Whether the current one is asked for as well.
    current: bool,
    /// Whether the user is told by mail.
    told: bool,
    /// Why the last one was not accepted, as a sentence.
    problem: Option<String>,
) -> impl IntoView {
    let wrong = problem.is_some();
    let field_problem = wrong.then_some(WRONG);
    let forgotten = current && told;
    let told = told.then_some(" We will also let you know by e-mail.");
    view! {
        <h1>{TITLE}</h1>
        <p>"Choose something long and unusual. Your other browsers will be signed out." {told}</p>
        <Wrong problem=problem />
        <form method="post" action=at("/profile/password")>
            <HiddenFormToken />
            <input type="hidden" name="username" autocomplete="username" value=email />
            <CurrentPassword asked=current wrong=wrong />
            <Field
                name="password"
                label="New password"
                kind="password"
                autocomplete="new-password"
                problem=field_problem
            />
            <div class="actions">
                <Button label="Save password" />
            </div>
        </form>
        <ForgottenPassword offered=forgotten next="/profile/password" />
        <p>
            <a href=at("/profile")>"Cancel"</a>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    fn page(problem: Option<&str>) -> String {
        asking(false, problem)
    }

    fn asking(current: bool, problem: Option<&str>) -> String {
        let problem = problem.map(str::to_owned);
        let email = "ada@example.com".to_owned();
        html_with_token(
            || view! { <PasswordPage email=email current=current told=true problem=problem /> },
        )
    }

    #[test]
    fn the_current_password_is_asked_for_where_it_is_known_and_a_link_is_offered_in_its_place() {
        for (current, times) in [(false, 0), (true, 1)] {
            let html = asking(current, None);
            assert_eq!(
                html.matches("autocomplete=\"current-password\"").count(),
                times,
                "{html}"
            );
            assert_eq!(html.matches("/login?again=1").count(), times, "{html}");
        }
    }

    #[test]
    fn a_password_manager_is_told_whose_it_is_and_that_it_is_new() {
        let html = page(None);
        for part in [
            "autocomplete=\"username\"",
            "value=\"ada@example.com\"",
            "autocomplete=\"new-password\"",
            "value=\"mac\"",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(!html.contains("role=\"alert\""));
    }

    #[test]
    fn a_password_that_was_not_taken_is_an_alert_that_the_field_refers_to_and_not_given_back() {
        let html = page(Some("Use at least 8 characters."));
        assert!(
            html.contains("role=\"alert\"") && html.contains("aria-describedby=\"problem\""),
            "{html}"
        );
    }
}
