//! `vestibule confirmation list`: the sign-ins that are not decided.

use super::describe::{line, object};
use crate::{
    cli::output::ListOutput,
    config::Config,
    startup::storage::{self, Storage},
};
use std::io::Write;
use vestibule::confirmation::Confirmation;

/// How many confirmations are read at once: there may be a hundred thousand, and the database
/// sorts what is left for each batch.
const BATCH: u32 = 10_000;

/// Writes a line for each undecided confirmation, the oldest first, or with `json` one array of
/// objects.
pub async fn confirmation_list(
    mut config: Config,
    json: bool,
    out: &mut (dyn Write + Send),
) -> Result<(), String> {
    let Storage { stores, clock, .. } = storage::open_beside_servers(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let mut output = ListOutput::new(out, json);
    let mut last: Option<Confirmation> = None;
    loop {
        let batch = stores
            .queue
            .list_undecided(last.as_ref(), BATCH)
            .await
            .map_err(|error| error.to_string())?;
        for confirmation in &batch {
            let to_line = || line(confirmation, clock.now());
            output.write(to_line, || object(confirmation))?;
        }
        last = batch.into_iter().next_back();
        if last.is_none() {
            return output.end();
        }
    }
}
