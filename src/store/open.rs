//! What opening a database comes to, for every kind of it.

use crate::{secret::Keys, user::PRACTICE_SUBJECT};
use sqlx::migrate::MigrateError;

/// The store could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached, opened or created, or is no database.
    #[error("cannot be opened: {0}")]
    Cannot(#[source] sqlx::Error),
    /// The server does not know this user, or the password is wrong.
    #[error("refuses this user name and password: {0}")]
    Credentials(#[source] sqlx::Error),
    /// It was written by a newer version.
    #[error(
        "was written by a newer version of Vestibule (migration {0}); start that version instead"
    )]
    Newer(i64),
    /// A migration failed.
    #[error("cannot be migrated: {0}")]
    Migrate(#[source] MigrateError),
    /// It was written under a key that is not among the configured ones.
    #[error(
        "was written under another key; give the old key after the new one, separated by a comma"
    )]
    OtherKey,
    /// It is the memory of an application, which no other connection can open.
    #[error("is kept in memory, where nothing can be kept beside it; give it a file")]
    InMemory,
    /// In it, tables of ours would hide those of the application that have the same names.
    #[error(
        "would show the application the tables of Vestibule: its search_path names the schema vestibule, or its user does; \
         set the application's search_path"
    )]
    HidesTables,
    /// Its connections do not keep to the schema that they ask for.
    #[error(
        "does not keep Vestibule's tables apart: something between, such as PgBouncer, leaves out the `options` of a \
         connection; connect past it, or have it pass them on"
    )]
    OtherSchema,
    /// Someone else owns the schema.
    #[error(
        "has a schema vestibule of another user, who could change what is in it; give it to the application's user \
         (alter schema vestibule owner to …)"
    )]
    ForeignSchema,
    /// Practice mode made it, and this is not practice mode.
    #[error(
        "was made in practice mode, whose password is public; use another one (VESTIBULE_DATA, DATABASE_URL), or delete it"
    )]
    OfPractice,
    /// Practice mode did not make it, and this is practice mode.
    #[error(
        "is in use outside practice mode; set VALIDATOR_URL, or let practice mode use another one (VESTIBULE_DATA)"
    )]
    OfProduction,
    /// It holds practice mode's user, and this is not practice mode.
    #[error(
        "holds {PRACTICE_SUBJECT}, the user of practice mode, whose password is public; set PRACTICE=forget to remove it, \
         sign everybody out and revoke open links, then see in `vestibule user list` who else came in"
    )]
    PracticeUser,
}

/// What a database is for. Each database remembers it, and is never opened for the other.
///
/// Practice mode makes a user with a public password, signs in anyone who asks, and shows all mail
/// to everyone. None of that may sign anyone in anywhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Practice mode.
    Practice {
        /// Whether it has a key that nothing else has: then a database of an earlier version under
        /// that key is its own.
        own_key: bool,
    },
    /// Everything else.
    Production {
        /// The fingerprint of the key of a practice mode that used the same folder: a database of
        /// an earlier version under that key is practice mode's.
        practice_key: Option<u32>,
        /// Whether practice mode's user is removed, where a version that fell into practice mode
        /// has added it. Else such a database is refused.
        forget: bool,
    },
}

impl Mode {
    /// Everything but practice mode.
    pub const PRODUCTION: Self = Self::Production {
        practice_key: None,
        forget: false,
    };

    /// What the database notes.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Practice { .. } => PRACTICE,
            Self::Production { .. } => "production",
        }
    }
}

const PRACTICE: &str = "practice";

/// What a database has noted about itself. Nothing: it is new.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// The fingerprint of the key that it was last opened with.
    pub key: Option<String>,
    /// What it is for; versions before this one did not note it.
    pub mode: Option<String>,
    /// Whether practice mode's user is in it.
    pub practice_user: bool,
}

impl Notes {
    /// Reads rows of the table `settings`.
    pub fn read(rows: Vec<(String, String)>, practice_user: bool) -> Self {
        let mut notes = Self {
            practice_user,
            ..Self::default()
        };
        for (name, value) in rows {
            match &*name {
                "key" => notes.key = Some(value),
                "mode" => notes.mode = Some(value),
                _ => {}
            }
        }
        notes
    }

    /// Whether the database may be opened for `mode` with `keys`.
    pub fn check(&self, mode: Mode, keys: &Keys) -> Result<(), OpenError> {
        let of_practice = match (&self.mode, &self.key, mode) {
            (Some(noted), ..) => Some(noted == PRACTICE),
            (None, None, _) => None,
            (None, Some(_), Mode::Practice { own_key }) => Some(own_key),
            (None, Some(key), Mode::Production { practice_key, .. }) => {
                Some(practice_key.is_some_and(|practice| practice.to_string() == *key))
            }
        };
        match (mode, of_practice) {
            (Mode::Practice { .. }, Some(false)) => return Err(OpenError::OfProduction),
            (Mode::Production { .. }, Some(true)) => return Err(OpenError::OfPractice),
            _ => {}
        }
        if self.key.as_ref().is_some_and(|key| !is_ours(keys, key)) {
            return Err(OpenError::OtherKey);
        }
        match mode {
            Mode::Production { forget: false, .. } if self.practice_user => {
                Err(OpenError::PracticeUser)
            }
            _ => Ok(()),
        }
    }
}

/// Says that practice mode's user was found where it must not be, and is gone.
pub(super) fn warn_of_practice_user() {
    tracing::warn!(
        "{PRACTICE_SUBJECT}, the user of practice mode, is removed, everybody is signed out and open links are revoked; \
         `vestibule user list` says who else came in"
    );
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Newer(version),
            MigrateError::Execute(error) => Self::Cannot(error),
            error => Self::Migrate(error),
        }
    }
}

/// Whether what was written under the key with the fingerprint `noted` is ours. A server with
/// another key would take its own cookies for forged and could unseal nothing.
fn is_ours(keys: &Keys, noted: &str) -> bool {
    keys.fingerprints().any(|own| own.to_string() == noted)
}
