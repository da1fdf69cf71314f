//! `vestibule user remove`: removes a user.

use crate::{
    cli::output::CommandOutput,
    config::Config,
    startup::storage::{self, Storage},
};
use serde_json::json;
use vestibule::audit::Event;

/// Removes the user with this address, ends their sessions and revokes their links.
pub async fn user_remove(mut config: Config, email: &str) -> Result<CommandOutput, String> {
    let Storage { stores, .. } = storage::open(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let user = storage::known_user(&*stores.users, email).await?;
    // Sessions in a server's memory are out of reach from here, but sign no one in without their
    // user.
    stores
        .remove_user(user.id)
        .await
        .map_err(|error| error.to_string())?;
    Event::Operated {
        event: "user_removed",
        user: Some(user.id),
    }
    .record();
    let email = user.identity.subject;
    let line = format!("{email} is removed and signed out everywhere");
    Ok(CommandOutput {
        line,
        json: json!({ "email": email, "removed": true }),
    })
}
