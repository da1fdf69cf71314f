//! The question that `/profile` asks before a signed-in browser switches to another user.

use crate::base::at;
use crate::components::HiddenFormToken;
use leptos::prelude::*;

/// A user that a link has signed in here, but who has not been accepted yet.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// What the form sends for it.
    pub value: String,
    /// The user.
    pub person: Person,
}

/// A user, as shown where two may have the same name. Names are shown apart from the text around
/// them (`bdi`): what was stored long ago may turn its direction.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name to know the user by. Another user may have the same.
    pub name: String,
    /// What tells them apart.
    pub about: String,
}

/// A name for a title, which has no markup: isolated by characters (Unicode UAX #9) where it may
/// need to be.
fn in_title(name: &str) -> String {
    if name.is_ascii() {
        name.to_owned()
    } else {
        format!("\u{2068}{name}\u{2069}")
    }
}

/// The page's heading and title: the question.
pub fn title(candidates: &[Candidate]) -> String {
    match candidates {
        [only] => format!("Continue as {}?", in_title(&only.person.name)),
        _ => "Choose an account".to_owned(),
    }
}

/// Asks who to be. Nothing changes until one of the buttons is pressed.
#[component]
pub fn ContinuePage(
    /// The user signed in here, if any.
    current: Option<Person>,
    /// The users it could switch to.
    candidates: Vec<Candidate>,
) -> impl IntoView {
    let several = candidates.len() > 1;
    let (heading, opened) = if let [
        Candidate {
            person: Person { name, about },
            ..
        },
    ] = candidates.as_slice()
    {
        let heading = view! { "Continue as "<bdi>{name.clone()}</bdi>"?" }.into_any();
        let opened = view! {
            "You opened a sign-in link for "<bdi>{name.clone()}</bdi>", "<bdi>{about.clone()}</bdi>"."
        };
        (heading, opened.into_any())
    } else {
        let opened = "Sign-in links for different people were opened in this browser.";
        (title(&candidates).into_any(), opened.into_any())
    };
    let now = current.clone().map(|Person { name, about }| {
        view! { " This browser is signed in as "<bdi>{name}</bdi>", "<bdi>{about}</bdi>"." }
    });
    let stay = match current {
        Some(Person { name, .. }) => view! { "Stay signed in as "<bdi>{name}</bdi> }.into_any(),
        None => "Cancel".into_any(),
    };
    let choices = candidates
        .into_iter()
        .map(
            |Candidate {
                 value,
                 person: Person { name, about },
             }| {
                let about = several.then(|| view! { <p class="soft"><bdi>{about}</bdi></p> });
                view! {
                    <button class="button" name="choice" value=value>
                        "Continue as "<bdi>{name}</bdi>
                    </button>
                    {about}
                }
            },
        )
        .collect_view();
    view! {
        <h1>{heading}</h1>
        <p>{opened}{now}</p>
        <p>"If someone else sent you the link, do not continue."</p>
        <form class="actions" method="post" action=at("/continue")>
            <HiddenFormToken />
            {choices}
            <button class="button button-quiet" name="choice" value="stay">
                {stay}
            </button>
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    fn person(name: &str) -> Person {
        Person {
            name: name.into(),
            about: format!("{name}@example.com"),
        }
    }

    fn candidate(value: &str, name: &str) -> Candidate {
        Candidate {
            value: value.into(),
            person: person(name),
        }
    }

    fn page(current: Option<&str>, candidates: Vec<Candidate>) -> String {
        let current = current.map(person);
        html_with_token(|| view! { <ContinuePage current=current candidates=candidates /> })
    }

    /// The page without the marks between its texts.
    fn plain(html: &str) -> String {
        html.replace("<!>", "")
    }

    #[test]
    fn one_other_user_is_asked_about_by_name_and_by_what_tells_them_from_others() {
        let html = plain(&page(Some("Ada"), vec![candidate("s1", "Grace")]));
        assert!(html.contains("Continue as <bdi>Grace</bdi>?"), "{html}");
        assert!(html.contains("name=\"choice\" value=\"s1\""), "{html}");
        assert!(html.contains("Stay signed in as <bdi>Ada</bdi>"), "{html}");
        assert!(
            html.contains("<bdi>Grace@example.com</bdi>")
                && html.contains("<bdi>Ada@example.com</bdi>"),
            "{html}"
        );
        assert!(html.contains("name=\"proof\" value=\"mac\""), "{html}");
    }

    #[test]
    fn of_several_users_none_is_taken_for_granted() {
        let html = page(None, vec![candidate("s1", "Grace"), candidate("s2", "Ada")]);
        assert!(html.contains("Choose an account"), "{html}");
        assert!(
            html.contains("value=\"s1\"") && html.contains("value=\"s2\""),
            "{html}"
        );
        assert!(
            html.contains("Grace@example.com") && html.contains("Ada@example.com"),
            "{html}"
        );
        assert!(html.contains("Cancel"), "{html}");
    }

    #[test]
    fn a_title_keeps_a_names_direction_to_the_name() {
        assert_eq!(title(&[candidate("s", "Ada")]), "Continue as Ada?");
        assert_eq!(
            title(&[candidate("s", "\u{202e}adA")]),
            "Continue as \u{2068}\u{202e}adA\u{2069}?"
        );
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let html = page(Some("<b>"), vec![candidate("s1", "<script>")]);
        assert!(
            !html.contains("<b>") && !html.contains("<script>"),
            "{html}"
        );
    }
}
