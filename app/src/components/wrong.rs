//! The error message of a form field.

use super::Notice;
use leptos::prelude::*;

/// The id by which a field refers to it.
pub const WRONG: &str = "problem";

/// Says it above the form, at once, if there is anything to say.
#[component]
pub fn Wrong(
    /// A sentence.
    problem: Option<String>,
) -> impl IntoView {
    problem.map(|problem| {
        view! {
            <Notice problem=true id=WRONG>
                <p>{problem}</p>
            </Notice>
        }
    })
}
