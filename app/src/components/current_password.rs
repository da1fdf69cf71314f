//! The field for the password that is valid now.

use super::{Field, WRONG};
use leptos::prelude::*;

/// Asks for the current password, where there is one: a stranger at an open browser does not know it.
#[component]
pub fn CurrentPassword(
    /// Whether it is asked for.
    asked: bool,
    /// Whether what was typed last was not taken.
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
