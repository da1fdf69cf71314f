//! The document around a page, and the one way from a page to HTML.

use crate::{base::at, build_id, components::Layout};
use hydration_context::SsrSharedContext;
use leptos::{
    hydration::AutoReload,
    nonce::{Nonce, provide_nonce, use_nonce},
    prelude::*,
};
use std::sync::Arc;
use vestibule_protocol::path::Base;

/// What the document says of its page.
#[derive(Clone, Debug)]
pub struct Head {
    /// The title, to which the product's name is added.
    pub title: String,
    /// One sentence on what the page is for, which search engines show below its title.
    pub description: &'static str,
    /// Whether the page has an island, so that its script is wanted. No other page has any script.
    pub live: bool,
}

impl Head {
    /// A page without a script, for one user's eyes: what it says is in no description.
    pub fn titled(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: "Sign in, and manage how you sign in.",
            live: false,
        }
    }

    /// The same, with another description.
    #[must_use]
    pub fn described(self, description: &'static str) -> Self {
        Self {
            description,
            ..self
        }
    }
}

/// A document, and the nonce that its scripts carry and its Content-Security-Policy must name.
#[derive(Clone, Debug)]
pub struct Document {
    /// The HTML.
    pub html: String,
    /// The nonce (CSP level 3, section 2.3.1): fresh for each document.
    pub nonce: Nonce,
}

/// Renders `page`, whose links lie below `base`, in its document. Pages are made of finished data,
/// so nothing is waited for.
pub fn render<P: IntoView + 'static>(
    options: &LeptosOptions,
    base: &Base,
    head: Head,
    page: impl FnOnce() -> P,
) -> Document {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    owner.with(|| {
        provide_nonce();
        provide_context(base.clone());
        let html = shell(options, head, page()).to_html();
        Document {
            html,
            nonce: use_nonce().unwrap_or_default(),
        }
    })
}

fn shell(options: &LeptosOptions, head: Head, page: impl IntoView + 'static) -> impl IntoView {
    let Head {
        title,
        description,
        live,
    } = head;
    let style = at(format!(
        "/{}/{}.css",
        options.site_pkg_dir, options.output_name
    ));
    let build = live.then_some(build_id::OF_PAGE);
    let scripts = live.then(|| view! { <IslandScript options=options.clone() /> });
    view! {
        <!DOCTYPE html>
        <html lang="en" data-build=build>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="description" content=description />
                <title>{format!("{title} – Vestibule")}</title>
                <link rel="icon" href=at("/favicon.svg") type="image/svg+xml" />
                <link rel="stylesheet" href=style />
                <AutoReload options=options.clone() />
                {scripts}
            </head>
            <body>
                <Layout>{page.into_any()}</Layout>
            </body>
        </html>
    }
}

/// Loads the client, and makes the page's islands live as soon as it is there. It knows no islands
/// within islands: there are none.
#[component]
fn IslandScript(
    /// Where the built site is.
    options: LeptosOptions,
) -> impl IntoView {
    let LeptosOptions {
        site_pkg_dir,
        output_name,
        ..
    } = options;
    let file = |kind: &str| at(format!("/{site_pkg_dir}/{output_name}.{kind}"));
    let js = file("js");
    let wasm = file("wasm");
    let script = format!(
        "import(\"{js}\").then(async m => {{ \
         await m.default({{ module_or_path: \"{wasm}\" }}); \
         m.hydrate(); \
         for (const island of document.querySelectorAll(\"leptos-island\")) m[island.dataset.component](island); \
         }})"
    );
    view! {
        <link rel="modulepreload" href=js nonce=use_nonce() />
        <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="" />
        <script type="module" nonce=use_nonce() inner_html=script></script>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_it_is_for_and_cannot_leave_the_attribute() {
        let document = |head| {
            render(
                &LeptosOptions::builder().output_name("x").build(),
                &Base::default(),
                head,
                || (),
            )
            .html
        };
        let html = document(Head::titled("Title"));
        assert!(
            html.contains("<meta name=\"description\" content=\"Sign in, "),
            "{html}"
        );
        let html = document(Head::titled("Title").described("\"><script>"));
        assert!(
            html.contains("content=\"&quot;&gt;&lt;script&gt;\""),
            "{html}"
        );
    }
}
