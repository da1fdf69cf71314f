//! The token by which a form shows that our own page sent it.

use leptos::prelude::use_context;

/// What the forms of one page carry: a MAC bound to the browser's cookie, for browsers that send
/// neither `Sec-Fetch-Site` nor `Origin`.
///
/// It is a context of the page, provided where the page is rendered.
#[derive(Clone, Debug, Default)]
pub struct FormToken(pub Option<String>);

impl FormToken {
    /// The token of the page that is being rendered.
    #[must_use]
    pub fn of_page() -> Option<String> {
        use_context::<Self>()?.0
    }
}

/// The HTML of a page whose forms carry the token `mac`.
#[cfg(test)]
pub fn html_with_token<P: leptos::IntoView>(page: impl FnOnce() -> P) -> String {
    use leptos::prelude::{Owner, RenderHtml as _, provide_context};

    Owner::new().with(|| {
        provide_context(FormToken(Some("mac".to_owned())));
        page().into_view().to_html()
    })
}
