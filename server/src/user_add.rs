//! `vestibule user add`: somebody who signs in with a password.

use crate::{
    config::Config,
    data::{self, Data},
    passwords,
};
use std::io::{self, BufRead as _};
use vestibule::secret::SystemEntropy;

/// The shortest password that is taken (NIST SP 800-63B, section 3.1.1.2), in characters.
const MIN_PASSWORD: usize = 8;

/// Adds the user, or gives the known one the new password. The password is the first line of the standard input.
///
/// # Errors
/// One line that says what is wrong.
pub async fn user_add(mut config: Config, email: &str, name: Option<String>) -> Result<String, String> {
    let is_address = email.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty());
    if !is_address || email.chars().any(|char| char.is_control() || char.is_whitespace()) {
        return Err(format!("--email: {email:?} is not an address (example: ada@example.com)"));
    }
    let identity = passwords::identity(email, name).checked().map_err(|error| format!("--email, --name: {error}"))?;
    let mut password = String::new();
    io::stdin()
        .lock()
        .read_line(&mut password)
        .map_err(|error| format!("the standard input cannot be read: {error}"))?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.chars().count() < MIN_PASSWORD {
        return Err(format!("the password on the standard input has under {MIN_PASSWORD} characters"));
    }
    let Data { store, clock, .. } = data::open(&mut config).await.map_err(|error| error.to_string())?;
    let added = passwords::put_user(&*store, &SystemEntropy, clock.now(), identity, password).await;
    added.map(|_| format!("{email} can sign in")).map_err(|error| error.to_string())
}
