//! `vestibule confirmation cancel`: ends a sign-in as if its user had cancelled it.

use super::{describe::decision, operator, parse_id, unknown};
use crate::{cli::output::CommandOutput, config::Config};
use serde_json::json;
use vestibule::{audit::Event, operator::Cancelled};

/// Cancels the confirmation with this id, or takes its sign-in back if no browser has got it.
pub async fn confirmation_cancel(config: Config, id: &str) -> Result<CommandOutput, String> {
    let id = parse_id(id)?;
    let operator = operator(config).await?;
    let cancelled = operator.cancel(id).await;
    match cancelled.map_err(|error| error.to_string())? {
        None => Err(unknown(id)),
        Some(Cancelled::DecidedBefore(decided)) => Err(format!(
            "it was decided before, and that stands: {}",
            decision(decided)
        )),
        Some(Cancelled::Now) => {
            Event::Operated {
                event: "confirmation_cancelled",
                user: None,
            }
            .record();
            Ok(CommandOutput {
                line: format!("{id} is cancelled"),
                json: json!({ "id": id.to_string(), "cancelled": true }),
            })
        }
    }
}
