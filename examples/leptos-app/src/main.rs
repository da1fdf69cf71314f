//! A shop whose customers sign in by the coupons in their mail: its server.

use axum::Router;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, file_and_error_handler_with_context, generate_route_list};
use shop::{SHOP, Shop, shell};
use sqlx::{Executor as _, SqlitePool};
use std::{error::Error, net::SocketAddr};
use vestibule_server::validator::{ConfirmationId, Identity, Reason, Timestamp, Token};
use vestibule_server::validator::{ValidationError, Validator, Verdict, async_trait};
use vestibule_server::{RawSettings, StopSignals, Vestibule};

type Answer = Result<Verdict, ValidationError>;

/// Where Vestibule's own site is built in a clone. The published crate has it inside.
const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/site");

/// Judges coupons, each of which is good for one confirmation.
struct Coupons(SqlitePool);

#[async_trait]
impl Validator for Coupons {
    async fn validate(&self, id: ConfirmationId, token: &Token, _: Timestamp) -> Answer {
        let redeem = sqlx::query_as::<_, (String, bool)>(include_str!("redeem.sql"));
        let redeem = redeem.bind(id.to_string()).bind(token.expose());
        let coupon = redeem.fetch_optional(&self.0).await;
        let coupon = coupon.map_err(|error| ValidationError::temporary(error.to_string()))?;
        Ok(match coupon {
            None => Verdict::Invalid(Reason::Invalid),
            Some((_, false)) => Verdict::Invalid(Reason::Used),
            Some((customer, true)) => Verdict::Valid(Identity::new(SHOP, customer), None),
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = get_configuration(None)?.leptos_options;
    let address = options.site_addr;
    let pool = SqlitePool::connect("sqlite:shop.db?mode=rwc").await?;
    pool.execute(include_str!("shop.sql")).await?;
    let settings = RawSettings::from_environment()?.or([
        ("PUBLIC_URL", format!("http://{address}/auth").as_str()),
        ("CONFIRM_REDIRECT", "/orders"),
        ("VESTIBULE_SITE_ROOT", SITE),
    ])?;
    let builder = Vestibule::builder(settings).database(pool.clone());
    let mounted = builder.validator(Coupons(pool.clone())).build().await?;
    let state = options.clone();
    let document = move || shell(state.clone());
    let database = move || provide_context(pool.clone());
    let app = Router::new()
        .leptos_routes_with_context(
            &options,
            generate_route_list(Shop),
            database.clone(),
            document,
        )
        .fallback(file_and_error_handler_with_context(database, shell))
        .layer(mounted.vestibule.landing("/welcome/{token}"))
        .layer(mounted.vestibule.layer())
        .with_state(options)
        .merge(mounted.routes)
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = tokio::net::TcpListener::bind(address).await?;
    let stop = StopSignals::listen()?;
    println!("listening on http://{address}");
    let serving = axum::serve(listener, app);
    serving.with_graceful_shutdown(stop.received()).await?;
    mounted.running.shutdown().await;
    Ok(())
}
