//! `vestibule confirmation ask-again`: has the validator asked at once.

use super::{describe::decision, operator, parse_id, unknown};
use crate::{accounts::time_format::rfc3339, cli::output::CommandOutput, config::Config};
use serde_json::json;
use vestibule::{
    audit::Event,
    confirmation::{CannotAskAgain, ConfirmationId},
    operator::AskedAgain,
};

/// Makes the next question about the confirmation with this id due now.
pub async fn confirmation_ask_again(config: Config, id: &str) -> Result<CommandOutput, String> {
    let id = parse_id(id)?;
    let operator = operator(config).await?;
    let asked = operator.ask_again(id).await;
    match asked.map_err(|error| error.to_string())? {
        None => Err(unknown(id)),
        Some(AskedAgain::Now) => {
            Event::Operated {
                event: "confirmation_asked_again",
                user: None,
            }
            .record();
            Ok(output(id, "due", "is due now: a worker asks as soon as it can"))
        }
        Some(AskedAgain::Not(CannotAskAgain::Due)) => {
            let line = "is due already: a worker asks as soon as it can";
            Ok(output(id, "due", line))
        }
        Some(AskedAgain::Not(CannotAskAgain::BeingAsked(until))) => {
            let line = format!("is being asked about now, until {} at most", rfc3339(until));
            Ok(output(id, "being_asked", &line))
        }
        Some(AskedAgain::Not(CannotAskAgain::Decided(decided))) => {
            Err(format!("it was decided: {}", decision(decided)))
        }
        Some(AskedAgain::Not(CannotAskAgain::Overdue)) => {
            Err("it is past its deadline, and will be decided as unavailable".into())
        }
        Some(AskedAgain::LinkOfOurs) => Err(
            "it is about a link of Vestibule's own, of which no validator is asked; it may wait for a mail to be opened"
                .into(),
        ),
        Some(AskedAgain::Sealed) => Err(
            "its token was sealed under a key that is not in VESTIBULE_SECRET, so no validator can be asked"
                .into(),
        ),
    }
}

fn output(id: ConfirmationId, state: &str, line: &str) -> CommandOutput {
    CommandOutput {
        line: format!("{id} {line}"),
        json: json!({ "id": id.to_string(), "state": state }),
    }
}
