//! `vestibule confirmation show`: one sign-in, also after it was decided.

use super::{
    describe::{lines, object},
    parse_id, unknown,
};
use crate::{
    cli::output::CommandOutput,
    config::Config,
    startup::storage::{self, Storage},
};

/// Says how far the confirmation with this id has come, or what it came to.
pub async fn confirmation_show(mut config: Config, id: &str) -> Result<CommandOutput, String> {
    let id = parse_id(id)?;
    let Storage { stores, clock, .. } = storage::open_beside_servers(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let confirmation = stores.confirmations.confirmation(id).await;
    let confirmation = confirmation
        .map_err(|error| error.to_string())?
        .ok_or_else(|| unknown(id))?;
    Ok(CommandOutput {
        line: lines(&confirmation, clock.now()),
        json: object(&confirmation),
    })
}
