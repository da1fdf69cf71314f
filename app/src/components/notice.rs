//! A boxed message above what a page is about.

use leptos::prelude::*;

/// A message in a box.
#[component]
pub fn Notice(
    /// Something went wrong: drawn in the colour of problems and announced at once.
    #[prop(optional)]
    problem: bool,
    /// What a field's `aria-describedby` refers to.
    #[prop(optional)]
    id: Option<&'static str>,
    /// The message, in paragraphs.
    children: Children,
) -> impl IntoView {
    let class = if problem {
        "notice notice-problem"
    } else {
        "notice"
    };
    let role = problem.then_some("alert");
    view! {
        <div class=class role=role id=id>
            {children()}
        </div>
    }
}
