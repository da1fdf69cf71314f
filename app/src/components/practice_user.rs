//! Practice mode's one user.

use leptos::prelude::*;

/// What to type to sign in as the practice user. Only ever rendered in practice mode, where nothing
/// is secret.
#[component]
pub fn PracticeUser(
    /// The practice user's e-mail address.
    email: String,
    /// The practice user's password.
    password: String,
) -> impl IntoView {
    view! {
        <dl class="facts">
            <div>
                <dt>"E-mail"</dt>
                <dd>
                    <code>{email}</code>
                </dd>
            </div>
            <div>
                <dt>"Password"</dt>
                <dd>
                    <code>{password}</code>
                </dd>
            </div>
        </dl>
    }
}
