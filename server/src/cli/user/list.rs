//! `vestibule user list`: all users.

use crate::{
    accounts::time_format::rfc3339,
    cli::output::ListOutput,
    config::Config,
    startup::storage::{self, Storage},
};
use serde_json::{Value, json};
use std::io::Write;
use vestibule::user::User;

/// How many users are read at once.
const BATCH: u32 = 500;

/// Writes a line for each user, in columns with tabs between them, or with `json` one array of
/// objects.
pub async fn user_list(
    mut config: Config,
    json: bool,
    out: &mut (dyn Write + Send),
) -> Result<(), String> {
    let Storage { stores, .. } = storage::open(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let mut output = ListOutput::new(out, json);
    let mut last: Option<User> = None;
    loop {
        let batch = stores
            .users
            .users(last.as_ref(), BATCH)
            .await
            .map_err(|error| error.to_string())?;
        for user in &batch {
            output.write(|| line(user), || object(user))?;
        }
        last = batch.into_iter().next_back();
        if last.is_none() {
            return output.end();
        }
    }
}

/// An identity has no control characters, and so no tabs.
fn line(user: &User) -> String {
    let identity = &user.identity;
    let name = identity.name.as_deref().unwrap_or_default();
    let state = if user.disabled { "disabled" } else { "" };
    [
        &*identity.subject,
        name,
        &*identity.issuer,
        &rfc3339(user.created_at),
        state,
    ]
    .join("\t")
}

fn object(user: &User) -> Value {
    let identity = &user.identity;
    json!({
        "issuer": identity.issuer,
        "subject": identity.subject,
        "name": identity.name,
        "email": identity.email,
        "since": rfc3339(user.created_at),
        "disabled": user.disabled,
    })
}
