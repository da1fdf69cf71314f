//! `/profile`: who you are, and where you are signed in.

use crate::components::{Button, HiddenProof};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Your profile";

/// One browser that is signed in.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Since when, as it is shown.
    pub started: String,
    /// Whether it is the browser that asks.
    pub current: bool,
}

/// The user's facts, sessions, and the ways out.
#[component]
pub fn ProfilePage(
    /// The user's name, if one is known.
    name: Option<String>,
    /// The user's e-mail address, if one is known.
    email: Option<String>,
    /// Who vouches for the user.
    issuer: String,
    /// The user's name with the issuer.
    subject: String,
    /// Where the user is signed in.
    sessions: Vec<SessionRow>,
    /// See [`HiddenProof`].
    proof: Option<String>,
) -> impl IntoView {
    let facts = [("Name", name), ("E-mail", email), ("Signed in by", Some(issuer)), ("Known there as", Some(subject))]
        .into_iter()
        .filter_map(|(term, fact)| {
            fact.map(|fact| {
                view! {
                    <div>
                        <dt>{term}</dt>
                        <dd>{fact}</dd>
                    </div>
                }
            })
        })
        .collect_view();
    let rows = sessions
        .into_iter()
        .map(|SessionRow { started, current }| {
            view! {
                <li>
                    <p>{if current { "This browser" } else { "Another browser" }}</p>
                    <p class="soft">"Since " {started}</p>
                </li>
            }
        })
        .collect_view();
    view! {
        <h1>{TITLE}</h1>
        <dl class="facts">{facts}</dl>
        <h2>"Where you are signed in"</h2>
        <ul class="rows">{rows}</ul>
        <div class="actions">
            <form method="post" action="/logout">
                <HiddenProof proof=proof.clone() />
                <Button label="Sign out" />
            </form>
            <form method="post" action="/logout">
                <HiddenProof proof=proof />
                <input type="hidden" name="everywhere" value="1" />
                <Button label="Sign out everywhere" quiet=true />
            </form>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: Option<&str>) -> String {
        let sessions = vec![
            SessionRow { started: "today".into(), current: true },
            SessionRow { started: "yesterday".into(), current: false },
        ];
        view! {
            <ProfilePage
                name=name.map(str::to_owned)
                email=None
                issuer="practice".into()
                subject="ada".into()
                sessions=sessions
                proof=Some("mac".into())
            />
        }
        .to_html()
    }

    #[test]
    fn both_ways_out_carry_the_proof_and_only_one_means_everywhere() {
        let html = page(None);
        assert_eq!(html.matches("name=\"proof\" value=\"mac\"").count(), 2, "{html}");
        assert_eq!(html.matches("name=\"everywhere\"").count(), 1, "{html}");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        assert!(!page(None).contains("<dt>Name</dt>"));
        assert!(page(Some("Ada")).contains("<dd>Ada</dd>"));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        assert!(!page(Some("<img src=x onerror=alert(1)>")).contains("<img"));
    }
}
