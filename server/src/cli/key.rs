//! `vestibule key rotate`: other keys to sign assertions with.

use crate::{
    cli::output::CommandOutput,
    config::Config,
    startup::storage::{self, Storage},
};
use serde_json::json;
use vestibule::{
    assertion::{RotateError, Signer},
    audit::Event,
    secret::SystemEntropy,
};

/// Has all servers sign with the next key within ten seconds; with `now`, with a fresh one, and
/// none of the former ones stays.
pub async fn key_rotate(mut config: Config, now: bool) -> Result<CommandOutput, String> {
    let Storage {
        keys,
        stores,
        clock,
        ..
    } = storage::open(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let store = &*stores.signing_keys;
    let rotated = Signer::rotate(store, clock.now(), &keys, &SystemEntropy, now).await;
    let id = rotated.map_err(|error| match error {
        RotateError::TooSoon(_) => format!("{error}, or at once with --now"),
        RotateError::Keys(_) => format!("{error}; --now makes new ones"),
        RotateError::Store(_) => error.to_string(),
    })?;
    Event::Operated {
        event: "key_rotated",
        user: None,
    }
    .record();
    Ok(CommandOutput {
        line: format!("assertions are signed with the key {id} within 10 s"),
        json: json!({ "key": id }),
    })
}
