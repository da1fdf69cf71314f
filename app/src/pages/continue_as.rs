//! The question that `/profile` asks before somebody becomes another user.

use crate::components::{Button, HiddenProof};
use leptos::prelude::*;

/// A user whom a link in this browser has signed in, but who has not been accepted yet.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What the form sends for it.
    pub value: String,
    /// The name to know the user by.
    pub name: String,
}

/// The page's heading and title: the question.
#[must_use]
pub fn title(candidates: &[Candidate]) -> String {
    match candidates {
        [only] => format!("Continue as {}?", only.name),
        _ => "Who do you want to be?".to_owned(),
    }
}

/// Asks who to be. Nothing changes until one of the buttons is pressed.
#[component]
pub fn ContinuePage(
    /// Whom this browser is signed in as, if anybody.
    current: Option<String>,
    /// Whom it could become.
    candidates: Vec<Candidate>,
    /// See [`HiddenProof`].
    proof: Option<String>,
) -> impl IntoView {
    let title = title(&candidates);
    let opened = match candidates.as_slice() {
        [only] => format!("You opened a sign-in link for {}.", only.name),
        _ => "Sign-in links for different people were opened in this browser.".to_owned(),
    };
    let (now, stay) = match current {
        Some(name) => (format!(" This browser is signed in as {name}."), format!("Stay signed in as {name}")),
        None => (String::new(), "Do not continue".to_owned()),
    };
    let choices = candidates
        .into_iter()
        .map(|Candidate { value, name }| {
            view! { <Button label=format!("Continue as {name}") choice=value /> }
        })
        .collect_view();
    view! {
        <h1>{title}</h1>
        <p>{opened + &now}</p>
        <p>"If somebody else sent you the link, do not continue."</p>
        <form class="actions" method="post" action="/continue">
            <HiddenProof proof=proof />
            {choices}
            <Button label=stay quiet=true choice="stay" />
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(value: &str, name: &str) -> Candidate {
        Candidate { value: value.into(), name: name.into() }
    }

    fn page(current: Option<&str>, candidates: Vec<Candidate>) -> String {
        let current = current.map(str::to_owned);
        view! { <ContinuePage current=current candidates=candidates proof=Some("mac".into()) /> }.to_html()
    }

    #[test]
    fn one_other_user_is_asked_about_by_name() {
        let html = page(Some("Ada"), vec![candidate("s1", "Grace")]);
        assert!(html.contains("Continue as Grace?"), "{html}");
        assert!(html.contains("name=\"choice\" value=\"s1\""), "{html}");
        assert!(html.contains(">Stay signed in as Ada</button>"), "{html}");
        assert!(html.contains("name=\"proof\" value=\"mac\""), "{html}");
    }

    #[test]
    fn of_several_users_none_is_taken_for_granted() {
        let html = page(None, vec![candidate("s1", "Grace"), candidate("s2", "Ada")]);
        assert!(html.contains("Who do you want to be?"), "{html}");
        assert!(html.contains("value=\"s1\"") && html.contains("value=\"s2\""), "{html}");
        assert!(html.contains(">Do not continue</button>"), "{html}");
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let html = page(Some("<b>"), vec![candidate("s1", "<script>")]);
        assert!(!html.contains("<b>") && !html.contains("<script>"), "{html}");
    }
}
