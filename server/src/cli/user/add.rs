//! `vestibule user add`: adds a user who signs in with a password.

use crate::{
    accounts::passwords,
    cli::output::CommandOutput,
    config::Config,
    startup::storage::{self, Storage},
};
use serde_json::json;
use std::io::{self, BufRead as _};
use vestibule::{audit::Event, email_address::Address, secret::SystemEntropy};
use zeroize::Zeroizing;

/// Adds the user, or gives the known one the new password, ends their sessions and revokes their
/// links. The password is the first line of the standard input.
pub async fn user_add(
    mut config: Config,
    email: &str,
    name: Option<String>,
) -> Result<CommandOutput, String> {
    let not_one = |_| format!("--email: {email:?} is not an address (example: ada@example.com)");
    let address: Address = email.parse().map_err(not_one)?;
    storage::refuse_practice_user(&config, &address)?;
    let identity = passwords::identity(address.typed(), name.clone())
        .checked()
        .map_err(|error| format!("--email, --name: {error}"))?;
    let mut password = Zeroizing::new(String::new());
    io::stdin()
        .lock()
        .read_line(&mut password)
        .map_err(|error| format!("the standard input cannot be read: {error}"))?;
    let password = password.trim_end_matches(['\r', '\n']);
    passwords::strong(password, &identity)
        .map_err(|weak| format!("the password on the standard input: {weak}"))?;
    let Storage { stores, clock, .. } = storage::open(&mut config)
        .await
        .map_err(|error| error.to_string())?;
    let known = stores
        .users
        .user_by_identity(&identity.issuer, &identity.subject)
        .await;
    let known = known.map_err(|error| error.to_string())?.is_some();
    let email = identity.subject.clone();
    let user = passwords::put_user(
        &*stores.users,
        &SystemEntropy,
        clock.now(),
        identity,
        password,
    )
    .await;
    let user = user.map_err(|error| error.to_string())?;
    let what = if known {
        Event::PasswordSet {
            user,
            by_operator: true,
        }
    } else {
        Event::Operated {
            event: "user_added",
            user: Some(user),
        }
    };
    what.record();
    let answer = |line: String| {
        let json = json!({ "email": email, "name": name, "added": !known, "signed_out": known });
        Ok(CommandOutput { line, json })
    };
    if !known {
        return answer(format!("{email} can sign in"));
    }
    // Anyone who had the former password, or a browser or mailbox of its owner, is signed out
    // (OWASP ASVS 5.0, 7.4.3): links are revoked in the same write; earlier sessions, also those in
    // a server's memory, sign no one in any more, and are deleted where they can be.
    stores
        .sessions
        .delete_sessions_of(user, None)
        .await
        .map_err(|error| error.to_string())?;
    answer(format!(
        "{email} has the new password and is signed out everywhere"
    ))
}
