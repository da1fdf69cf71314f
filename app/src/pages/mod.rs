//! What each address shows: one page a file, from finished data to HTML.
//!
//! A page knows nothing of requests, cookies or the database; its handler has already decided what
//! it says. It goes into [`Layout`](crate::components::Layout), and opens with its only `h1`.

mod address;
mod confirm;
mod continue_as;
mod error;
mod home;
mod link;
mod login;
mod mailbox;
mod mailed;
mod no_cookies;
mod password;
mod profile;
mod wait;

pub use address::{AddressPage, MovePage, SentPage, StalePage};
pub use confirm::ConfirmPage;
pub use continue_as::{Candidate, ContinuePage, Person};
pub use error::{ErrorPage, Problem};
pub use home::{HomePage, PracticeLink};
pub use link::{LetInPage, LinkPage, SpentPage};
pub use login::{LoginFormState, LoginPage};
pub use mailbox::{MailboxPage, PracticeMail};
pub use mailed::{MailedLink, MailedPage};
pub use no_cookies::{NoCookies, NoCookiesPage};
pub use password::PasswordPage;
pub use profile::{ProfileDetails, ProfilePage, SessionRow};
pub use wait::{WaitPage, WaitState};

/// The descriptions of the pages that a stranger may find.
pub mod description {
    pub use super::confirm::DESCRIPTION as CONFIRM;
    pub use super::home::DESCRIPTION as HOME;
    pub use super::login::DESCRIPTION as LOGIN;
}

/// The pages' headings, for the titles of their documents. An error's is [`Problem::title`].
pub mod title {
    pub use super::address::{STALE, TITLE as ADDRESS};
    pub use super::confirm::TITLE as CONFIRM;
    pub use super::continue_as::title as continue_as;
    pub use super::home::TITLE as HOME;
    pub use super::link::{LET_IN, SPENT, TITLE as LINK};
    pub use super::login::{AGAIN as LOGIN_AGAIN, TITLE as LOGIN};
    pub use super::mailbox::TITLE as MAILBOX;
    pub use super::mailed::TITLE as MAILED;
    pub use super::password::TITLE as PASSWORD;
    pub use super::profile::TITLE as PROFILE;
    pub use super::wait::TITLE as WAIT;
}
