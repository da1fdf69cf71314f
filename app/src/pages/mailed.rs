//! `/login/wait/{token}`: a link is on its way by mail.

use crate::base::at;
use crate::components::{Button, Field, HiddenFormToken, PracticeMailbox, WRONG, Wrong};
use leptos::prelude::*;

/// The page's heading and title.
pub const TITLE: &str = "Check your e-mail";

/// A link that is on its way, as the page tells of it.
#[derive(Clone, Debug, Default)]
pub struct MailedLink {
    /// The path of this page, such as `/login/wait/abc`.
    pub path: String,
    /// Where the link was sent.
    pub address: String,
    /// How many minutes the link is valid.
    pub minutes: u64,
    /// The number to type where the link is opened on another device.
    pub number: u8,
    /// Whether the mail goes to the mailbox of practice mode.
    pub practice: bool,
    /// Why the code was not accepted, as a sentence.
    pub problem: Option<String>,
    /// How many seconds until another link may be sent.
    pub resend_in: u64,
}

/// The page that waits for a link, around its island.
#[component]
pub fn MailedPage(
    /// The link.
    link: MailedLink,
    /// The confirmation itself: the island.
    children: Children,
) -> impl IntoView {
    let MailedLink {
        path,
        address,
        minutes,
        number,
        practice,
        problem,
        resend_in,
    } = link;
    let field_problem = problem.is_some().then_some(WRONG);
    // The style sheet counts down from there, in steps of its own.
    let left = (resend_in > 0).then(|| resend_in.next_multiple_of(5).to_string());
    let soon = (resend_in > 0).then(|| {
        view! {
            <p class="soon">
                "Another link can be sent in " <span class="count">{resend_in.to_string()}</span> " seconds."
            </p>
        }
    });
    view! {
        <h1>{TITLE}</h1>
        <p>
            "If " <strong>{address}</strong> " can sign in here, a link is on its way. It works for " {minutes} " minutes."
        </p>
        {children()}
        <PracticeMailbox practice=practice />
        <p>
            "If you open it on another device, enter this number there: " <strong class="number">{number}</strong>
        </p>
        <Wrong problem=problem />
        <form method="post" action=at(&path) + "/code">
            <HiddenFormToken />
            <Field
                name="code"
                label="Or enter the code from the e-mail"
                kind="text"
                autocomplete="one-time-code"
                inputmode="numeric"
                problem=field_problem
            />
            <div class="actions">
                <Button label="Sign in with the code" />
            </div>
        </form>
        <section class="help">
            <h2>"Didn’t get the e-mail?"</h2>
            <p>"Check your spam folder, and check that the address is right."</p>
            <div class="resend" data-left=left>
                {soon}
                <form method="post" action=at(&path) + "/again">
                    <HiddenFormToken />
                    <div class="actions">
                        <Button label="Send another link" quiet=true />
                    </div>
                </form>
            </div>
            <p>
                <a href=at("/login")>"Use a different address"</a>
            </p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form_token::html_with_token;

    fn page(problem: Option<&str>) -> String {
        page_with(problem, 0)
    }

    fn page_with(problem: Option<&str>, resend_in: u64) -> String {
        let link = MailedLink {
            path: "/login/wait/abc".into(),
            address: "ada@example.com".into(),
            minutes: 15,
            number: 42,
            problem: problem.map(str::to_owned),
            resend_in,
            ..MailedLink::default()
        };
        html_with_token(|| {
            view! {
                <MailedPage link=link>
                    <section class="confirm"></section>
                </MailedPage>
            }
        })
    }

    #[test]
    fn it_says_where_the_link_went_and_which_number_to_type() {
        let html = page(None);
        for part in [
            "ada@example.com",
            ">42<",
            "action=\"/login/wait/abc/code\"",
            "action=\"/login/wait/abc/again\"",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        for part in [
            "autocomplete=\"one-time-code\"",
            "inputmode=\"numeric\"",
            "type=\"text\"",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert_eq!(html.matches("name=\"proof\" value=\"mac\"").count(), 2);
        assert!(!html.contains("role=\"alert\""));
    }

    #[test]
    fn another_link_is_counted_down_to() {
        assert!(!page(None).contains("data-left"));
        let html = page_with(None, 27);
        assert!(
            html.contains("data-left=\"30\"") && html.contains(">27<"),
            "{html}"
        );
    }

    #[test]
    fn a_wrong_code_is_an_alert_that_the_field_refers_to() {
        let html = page(Some("That is not the code."));
        assert!(
            html.contains("role=\"alert\"") && html.contains("aria-describedby=\"problem\""),
            "{html}"
        );
    }
}
