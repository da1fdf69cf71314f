//! `vestibule link create`: a link that an operator hands over.

use crate::{
    accounts::time_format::rfc3339,
    cli::output::CommandOutput,
    config::Config,
    mail::UrlBuilder,
    startup::{
        origins,
        storage::{self, Storage},
    },
};
use serde_json::json;
use std::time::Duration;
use vestibule::{audit::Event, email_address::Address, link, secret::SystemEntropy};

/// How long a link lives at least, and at most: while it does, it is as good as a password.
const LIVES: [Duration; 2] = [Duration::from_mins(1), Duration::from_hours(30 * 24)];

/// Makes a link that signs its holder in as the user with this address, known or not, once, until
/// it `expires`.
pub async fn link_create(
    mut config: Config,
    email: &str,
    expires: &str,
) -> Result<CommandOutput, String> {
    let not_one = || {
        format!(
            "--email: {email:?} is no address that mail can be sent to (example: ada@example.com)"
        )
    };
    let address: Address = email.parse().map_err(|_| not_one())?;
    storage::refuse_practice_user(&config, &address)?;
    let lives = humantime::parse_duration(expires)
        .ok()
        .filter(|lives| (LIVES[0]..=LIVES[1]).contains(lives));
    let lives = lives.ok_or_else(|| {
        format!("--expires: {expires:?} is not between 1min and 30days (example: 24h)")
    })?;
    if config.public.is_none() && config.addr.port() == 0 {
        return Err(format!(
            "PUBLIC_URL: missing; browsers cannot be told to come to {}",
            config.addr
        ));
    }
    let origin = origins::origin(&config);
    let Storage {
        keys,
        stores,
        clock,
        ..
    } = storage::open(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let now = clock.now();
    let token = link::create(&*stores.links, &keys, &SystemEntropy, now, &address, lives).await;
    let token = token.map_err(|error| error.to_string())?;
    Event::Operated {
        event: "link_made",
        user: None,
    }
    .record();
    let link = UrlBuilder {
        origin,
        base: config.base,
        keys: keys.into(),
    }
    .url(&token);
    let json = json!({ "link": link, "email": address.as_str(), "expires": rfc3339(now + lives) });
    Ok(CommandOutput { line: link, json })
}
