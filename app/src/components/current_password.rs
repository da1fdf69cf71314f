//! The field for the current password, and what to do without it.

use super::{Field, WRONG};
use crate::base::at;
use leptos::prelude::*;

/// Asks for the current password, where there is one: a stranger at an open browser does not know
/// it.
#[component]
pub fn CurrentPassword(
    /// Whether it is asked for.
    asked: bool,
    /// Whether the last attempt was wrong.
    wrong: bool,
) -> impl IntoView {
    let problem = wrong.then_some(WRONG);
    asked.then(|| {
        view! {
            <Field
                name="current"
                label="Current password"
                kind="password"
                autocomplete="current-password"
                problem=problem
            />
        }
    })
}

/// Offers a link by mail to a user who forgot the current password; it leads back to this page.
#[component]
pub fn ForgottenPassword(
    /// Whether it is asked for, and a link can be sent.
    offered: bool,
    /// The path of this page below the base.
    next: &'static str,
) -> impl IntoView {
    offered.then(|| {
        let next = at(next).replace('/', "%2F");
        let href = at(format!("/login?again=1&next={next}"));
        view! {
            <p>
                <a href=href>"Forgot your current password? Get a link by e-mail"</a>
            </p>
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_while_it_is_typed() {
        let html = view! { <CurrentPassword asked=true wrong=false /> }.to_html();
        assert!(
            html.contains("type=\"password\"") && !html.contains("type=\"text\""),
            "{html}"
        );
    }
}
