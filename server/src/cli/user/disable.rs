//! `vestibule user disable` and `user enable`: keep a user out for a while.

use crate::{
    cli::output::CommandOutput,
    config::Config,
    startup::storage::{self, Storage},
};
use serde_json::json;
use vestibule::audit::Event;

/// Disables the user with this address, ends their sessions and revokes their links; or enables
/// them again, if not `disabled`.
pub async fn user_disable(
    mut config: Config,
    email: &str,
    disabled: bool,
) -> Result<CommandOutput, String> {
    let Storage { stores, clock, .. } = storage::open(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let user = storage::known_user(&*stores.users, email).await?;
    // First: whatever begins after it is refused, and their links are revoked in the same write.
    stores
        .users
        .disable_user(user.id, disabled, clock.now())
        .await
        .map_err(|error| error.to_string())?;
    let event = if disabled {
        "user_disabled"
    } else {
        "user_enabled"
    };
    Event::Operated {
        event,
        user: Some(user.id),
    }
    .record();
    let email = user.identity.subject;
    if disabled {
        // Sessions in a server's memory are out of reach from here; they sign no one in any more,
        // even once the user is enabled.
        stores
            .sessions
            .delete_sessions_of(user.id, None)
            .await
            .map_err(|error| error.to_string())?;
    }
    let what = if disabled {
        "is disabled and signed out everywhere"
    } else {
        "can sign in again"
    };
    Ok(CommandOutput {
        line: format!("{email} {what}"),
        json: json!({ "email": email, "disabled": disabled }),
    })
}
