//! Which mails are sent first, where many wait.

use super::{AccountNotice, MailBody};

/// The priority of a mail. A lower class is sent first, and each has a bound of its own: mail that
/// strangers cause never delays what an owner should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MailClass {
    /// The way that a user signs in has changed.
    Change,
    /// Something else has happened to an account.
    Notice,
    /// A link that was asked for in a browser that has signed in to the address before.
    KnownBrowser,
    /// Another link to a user.
    User,
    /// A link to an address that no user has.
    Stranger,
    /// Asks whether an address is the user's own.
    Ticket,
    /// A check that took longer is done.
    Confirmed,
}

impl MailClass {
    /// All of them, those first that are sent first.
    const ALL: [Self; 7] = [
        Self::Change,
        Self::Notice,
        Self::KnownBrowser,
        Self::User,
        Self::Stranger,
        Self::Ticket,
        Self::Confirmed,
    ];

    /// The class of a link to a user or a `stranger`, asked for in a browser that is `known` or
    /// not.
    #[must_use]
    pub const fn of_link(known: bool, stranger: bool) -> Self {
        match (known, stranger) {
            (true, _) => Self::KnownBrowser,
            (false, false) => Self::User,
            (false, true) => Self::Stranger,
        }
    }

    /// The class of a mail that is about no link.
    #[must_use]
    pub const fn of(body: &MailBody) -> Self {
        match body {
            MailBody::AccountNotice(body) => match body.notice {
                AccountNotice::Password | AccountNotice::Moved { .. } => Self::Change,
                // Strangers may cause these.
                AccountNotice::Browser | AccountNotice::WrongCodes { .. } => Self::Notice,
            },
            MailBody::Link(_) => Self::User,
            MailBody::Address(_) => Self::Ticket,
            MailBody::Confirmed(_) => Self::Confirmed,
        }
    }

    /// The class as a database keeps it.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The class that a database keeps as `number`.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_read_back_and_stand_in_their_order() {
        assert!(MailClass::ALL.is_sorted());
        for class in MailClass::ALL {
            assert_eq!(MailClass::from_number(class.number()), Some(class));
        }
        assert_eq!(MailClass::from_number(7), None);
        // As the statement has it that keeps mails.
        assert_eq!(MailClass::Confirmed.number(), 6);
    }
}
