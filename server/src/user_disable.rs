//! `vestibule user disable` and `user enable`: somebody who is kept out for a while.

use crate::{
    answer::Answer,
    config::Config,
    data::{self, Data},
    passwords,
};
use serde_json::json;

/// Keeps the user out who is known by this address, ends their sessions and takes back the links to them; or lets them in
/// again, if they are not to be `disabled`.
///
/// # Errors
/// One line that says what is wrong.
pub async fn user_disable(mut config: Config, email: &str, disabled: bool) -> Result<Answer, String> {
    let identity = passwords::identity(email, None);
    let nobody = || format!("--email: nobody is known by {email:?} (vestibule user list says who is)");
    let Data { store, links, .. } = data::open(&mut config).await.map_err(|error| error.to_string())?;
    let user = store.user_by_identity(&identity.issuer, &identity.subject).await.map_err(|error| error.to_string())?;
    let id = user.ok_or_else(nobody)?.id;
    // First: whatever begins after it is refused.
    if !store.disable_user(id, disabled).await.map_err(|error| error.to_string())? {
        return Err(nobody());
    }
    if disabled {
        if let Ok(address) = identity.subject.parse() {
            links.void_links(&address).await.map_err(|error| error.to_string())?;
        }
        // Sessions in a server's memory are out of reach from here, and sign nobody in who is disabled.
        store.delete_sessions_of(id, None).await.map_err(|error| error.to_string())?;
    }
    let email = identity.subject;
    let what = if disabled { "is disabled and signed out everywhere" } else { "can sign in again" };
    Ok(Answer { line: format!("{email} {what}"), json: json!({ "email": email, "disabled": disabled }) })
}
