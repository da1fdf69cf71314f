//! A shop whose customers sign in by the coupons in their mail: its pages.

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};
use vestibule_app::Confirm;

/// Who vouches for the shop's customers: itself, by its coupons.
pub const SHOP: &str = "https://shop.example";
/// Where strangers sign in, and from where they come back.
const LOGIN: &str = "/auth/login?next=/orders";

/// The document around each page.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>"Shop"</title>
                <link rel="icon" href="data:," />
                <link rel="stylesheet" id="leptos" href="/pkg/shop.css" />
                <AutoReload options=options.clone() />
                <HydrationScripts options />
            </head>
            <body><Shop /></body>
        </html>
    }
}

/// All pages.
#[component]
pub fn Shop() -> impl IntoView {
    view! {
        <Router>
            <nav><a href="/">"Shop"</a>" "<a href="/orders">"Your orders"</a></nav>
            <Routes fallback=|| "There is no such page.">
                <Route path=path!("/") view=Home />
                <Route path=path!("/welcome/:token") view=Welcome />
                <Route path=path!("/orders") view=Orders ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}

#[component]
fn Home() -> impl IntoView {
    view! {
        <h1>"Coupons to try it with"</h1>
        <p><a href="/welcome/coupon-of-ada">"Ada's"</a>" is good once."</p>
        <p><a href="/welcome/coupon-of-eve">"Eve's"</a>" is forged."</p>
    }
}

/// Where the links in the shop's mails lead.
#[component]
fn Welcome() -> impl IntoView {
    view! { <h1>"Your coupon"</h1> <Confirm /> }
}

/// The customer who is signed in, if one is, with their orders. Other issuers may have the same
/// subjects: Vestibule's own passwords have addresses.
#[server]
async fn orders() -> Result<Option<(String, Vec<String>)>, ServerFnError> {
    let user: Option<vestibule_server::SignedIn> = leptos_axum::extract().await?;
    let Some(user) = user.filter(|user| user.issuer() == SHOP) else {
        return Ok(None);
    };
    let shop: sqlx::SqlitePool = expect_context();
    let orders = sqlx::query_scalar("select what from orders where customer = ?");
    let orders = orders.bind(user.subject()).fetch_all(&shop).await;
    // What is wrong with the database is not for browsers.
    let orders = orders.map_err(|_| ServerFnError::new("the database does not answer"))?;
    Ok(Some((user.subject().to_owned(), orders)))
}

/// Its route is `Async`: the page leaves the server with its orders, not with a script that puts
/// them in.
#[component]
fn Orders() -> impl IntoView {
    let orders = Resource::new(|| (), |()| orders());
    let page = move || {
        Suspend::new(async move {
            match orders.await {
                Ok(Some((customer, orders))) => view! { <List customer orders /> }.into_any(),
                Ok(None) => view! { <a href=LOGIN rel="external">"Sign in"</a> }.into_any(),
                Err(_) => "Your orders cannot be shown now.".into_any(),
            }
        })
    };
    view! { <Suspense>{page}</Suspense> }
}

#[component]
fn List(customer: String, orders: Vec<String>) -> impl IntoView {
    view! {
        <h1>"Orders of "<bdi>{customer}</bdi></h1>
        <ul>{orders.into_iter().map(|what| view! { <li>{what}</li> }).collect_view()}</ul>
        <form method="post" action="/auth/logout"><button>"Sign out"</button></form>
    }
}

#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(Shop);
}
