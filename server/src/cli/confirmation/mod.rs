//! `vestibule confirmation …`: sign-ins that have begun, as an operator sees them. Nothing here
//! shows a token.

pub mod ask_again;
pub mod cancel;
pub mod describe;
pub mod list;
pub mod show;

use crate::{
    config::{Config, PushConfig},
    startup::storage::{self, Storage},
};
use std::sync::Arc;
use vestibule::{
    confirmation::ConfirmationId,
    operator::Operator,
    publisher::{Publisher, PusherPublisher, Silent},
    secret::SystemEntropy,
};

/// Reads the id of a confirmation. What was given instead is not repeated: it may be a token.
fn parse_id(id: &str) -> Result<ConfirmationId, String> {
    id.parse()
        .map_err(|error| format!("ID: {error} (vestibule confirmation list shows them)"))
}

fn unknown(id: ConfirmationId) -> String {
    format!("there is no confirmation {id}; one that is decided is deleted after a while")
}

/// What the commands that change something work with.
async fn operator(mut config: Config) -> Result<Operator, String> {
    let Storage {
        keys,
        stores,
        clock,
        ..
    } = storage::open_beside_servers(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    Ok(Operator {
        stores,
        publisher: publisher(&config.push),
        clock,
        entropy: Arc::new(SystemEntropy),
        keys: Arc::new(keys),
        destinations: config.destinations,
        timing: config.timing,
    })
}

/// A Pusher server can be reached from here, a broker that is embedded in a server cannot: pages
/// ask.
fn publisher(push: &PushConfig) -> Arc<dyn Publisher> {
    match push {
        PushConfig::Server { app, .. } => Arc::new(PusherPublisher::new(app)),
        PushConfig::Embedded(_) => Arc::new(Silent),
    }
}
