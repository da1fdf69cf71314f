//! Opens the storage: the folder, the key of practice mode, the database, the sessions.

use crate::{
    accounts::passwords,
    config::{Config, ConnectionUrl, DatabaseLocation, Practice, SessionLocation},
    practice::{self, PracticeClock},
    private_files,
    startup::error::StartProblem,
};
use std::{
    fmt::Display,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use vestibule::{
    clock::{Clock, SystemClock},
    email_address::Address as MailAddress,
    secret::{Keys, SystemEntropy},
    store::{
        ApplicationDatabase, SessionStore, Stores, UserStore,
        memory::MemorySessions,
        postgres::PostgresStore,
        redis::RedisSessions,
        sqlite::{Mode, OpenError, SqliteStore},
    },
    user::{PASSWORD_ISSUER, PRACTICE_SUBJECT, User},
};

/// What Vestibule calls its keys in a Redis that it shares with others.
const REDIS_PREFIX: &str = "vestibule:";

/// The opened storage.
pub struct Storage {
    /// The operator's keys.
    pub keys: Keys,
    /// Where everything is stored.
    pub stores: Stores,
    /// The time that all processes on this store share.
    pub clock: Arc<dyn Clock>,
    /// The same, where it can be moved forward.
    pub practice_clock: Option<Arc<PracticeClock>>,
    /// The database whose hints wake a worker, if it has some.
    pub hints: Option<PostgresStore>,
}

/// Where sessions are, as seen from this process.
enum Sessions {
    InDatabase,
    External(Arc<dyn SessionStore>),
    /// In a server's memory.
    OutOfReach,
}

impl Sessions {
    /// The stores of a `database` that is told whether sessions are in it.
    fn beside(self, bound: Duration, database: impl FnOnce(bool) -> Stores) -> Stores {
        match self {
            Self::InDatabase => database(true),
            Self::External(sessions) => database(false).with_external_sessions(sessions, bound),
            Self::OutOfReach => database(false),
        }
    }
}

/// Opens what is kept, making what is not there yet. The configured keys are taken out of `config`.
pub async fn open(config: &mut Config) -> Result<Storage, StartProblem> {
    open_as(config, true).await
}

/// The same, for a command that decides confirmations. If sessions are in a server's memory, a
/// decision is left for that server to settle: from here its session would seem to have gone.
pub async fn open_beside_servers(config: &mut Config) -> Result<Storage, StartProblem> {
    open_as(config, false).await
}

async fn open_as(config: &mut Config, is_server: bool) -> Result<Storage, StartProblem> {
    let storage = &config.storage;
    let mode = mode(config)?;
    if config.keys.is_none() || matches!(storage.database, DatabaseLocation::Sqlite(_)) {
        let data = &storage.data;
        private_files::make_folder(data).map_err(refused(data))?;
    }
    let keys = match config.keys.take() {
        Some(keys) => keys,
        None => practice::key(&storage.data, &SystemEntropy)?,
    };
    match &storage.database {
        DatabaseLocation::Sqlite(file) => {
            private_files::make_database(file).map_err(refused(file))?;
            let opened = SqliteStore::open_for(mode, file, &keys).await;
            let store = opened.map_err(|error| StartProblem::Database {
                name: file.display().to_string(),
                error,
            })?;
            let (clock, practice_clock) = movable(config, Arc::new(SystemClock), is_server);
            let sessions = sessions(config, clock.clone(), is_server).await?;
            let stores = sessions.beside(config.timing.bound, |are_here| {
                Stores::in_one(if are_here {
                    store
                } else {
                    store.without_sessions()
                })
            });
            Ok(Storage {
                keys,
                stores,
                clock,
                practice_clock,
                hints: None,
            })
        }
        DatabaseLocation::Postgres(address) => {
            let opened = PostgresStore::open_for(mode, address.expose(), &keys).await;
            in_postgres(config, keys, address, opened, is_server).await
        }
        DatabaseLocation::Application(ApplicationDatabase::Postgres(options)) => {
            let opened = PostgresStore::open_beside(mode, (**options).clone(), &keys).await;
            in_postgres(config, keys, &"of the application", opened, is_server).await
        }
        DatabaseLocation::Application(ApplicationDatabase::Sqlite(_)) => {
            Err(StartProblem::Database {
                name: "of the application".into(),
                error: OpenError::InMemory,
            })
        }
    }
}

/// The storage in the PostgreSQL database of this name.
async fn in_postgres(
    config: &Config,
    keys: Keys,
    name: &(dyn Display + Sync),
    opened: Result<PostgresStore, OpenError>,
    is_server: bool,
) -> Result<Storage, StartProblem> {
    let store = opened.map_err(|error| StartProblem::Database {
        name: name.to_string(),
        error,
    })?;
    let (clock, practice_clock) = movable(config, Arc::new(store.clock()), is_server);
    let hints = Some(store.clone());
    let sessions = sessions(config, clock.clone(), is_server).await?;
    let stores = sessions.beside(config.timing.bound, |are_here| {
        Stores::in_one(if are_here {
            store
        } else {
            store.without_sessions()
        })
    });
    Ok(Storage {
        keys,
        stores,
        clock,
        practice_clock,
        hints,
    })
}

/// The time of all processes: `shared`, unless this is the server of a practice mode that is
/// controlled, whose clock can be moved.
fn movable(
    config: &Config,
    shared: Arc<dyn Clock>,
    is_server: bool,
) -> (Arc<dyn Clock>, Option<Arc<PracticeClock>>) {
    if !(is_server && config.is_practice() && config.ops_addr.is_some()) {
        return (shared, None);
    }
    let clock = Arc::new(PracticeClock::new(shared));
    (clock.clone(), Some(clock))
}

/// The user with this address, for a command.
pub async fn known_user(users: &dyn UserStore, email: &str) -> Result<User, String> {
    let user = users
        .user_by_identity(PASSWORD_ISSUER, &passwords::subject(email))
        .await;
    let user = user.map_err(|error| error.to_string())?;
    user.ok_or_else(|| {
        format!(
            "--email: there is no user with the address {email:?} (vestibule user list shows all)"
        )
    })
}

/// Outside practice mode no user may be added under the name of practice mode's user: a database
/// that has one is not opened there.
pub fn refuse_practice_user(config: &Config, address: &MailAddress) -> Result<(), String> {
    if config.is_practice() || address.as_str() != PRACTICE_SUBJECT {
        return Ok(());
    }
    Err(format!(
        "--email: {PRACTICE_SUBJECT} is practice mode's own user"
    ))
}

async fn sessions(
    config: &Config,
    clock: Arc<dyn Clock>,
    is_server: bool,
) -> Result<Sessions, StartProblem> {
    Ok(match &config.storage.sessions {
        SessionLocation::Database => Sessions::InDatabase,
        SessionLocation::Memory if is_server => {
            Sessions::External(Arc::<MemorySessions>::default())
        }
        SessionLocation::Memory => Sessions::OutOfReach,
        SessionLocation::Redis(address) => {
            Sessions::External(Arc::new(redis(address, clock).await?))
        }
    })
}

async fn redis(
    address: &ConnectionUrl,
    clock: Arc<dyn Clock>,
) -> Result<RedisSessions, StartProblem> {
    let opened = RedisSessions::open(address.expose(), clock, REDIS_PREFIX).await;
    opened.map_err(|error| StartProblem::Redis {
        name: address.to_string(),
        error,
    })
}

/// What the database has to be for.
fn mode(config: &Config) -> Result<Mode, StartProblem> {
    if config.is_practice() {
        return Ok(Mode::Practice {
            own_key: config.keys.is_none(),
        });
    }
    let beside = match &config.storage.database {
        DatabaseLocation::Sqlite(file) => file.parent(),
        DatabaseLocation::Postgres(_) | DatabaseLocation::Application(_) => None,
    };
    let found = beside
        .into_iter()
        .chain([&*config.storage.data])
        .filter_map(practice::fingerprint);
    let found: Vec<(PathBuf, u32)> = found.collect();
    let is_ours = |(_, practice): &&(PathBuf, u32)| {
        config
            .keys
            .iter()
            .flat_map(Keys::fingerprints)
            .any(|fingerprint| fingerprint == *practice)
    };
    if let Some((path, _)) = found.iter().find(is_ours) {
        return Err(StartProblem::PracticeKey(path.display().to_string()));
    }
    let practice_key = found.first().map(|(_, fingerprint)| *fingerprint);
    Ok(Mode::Production {
        practice_key,
        forget: config.practice == Practice::Off { forget: true },
    })
}

fn refused(path: &Path) -> impl FnOnce(io::Error) -> StartProblem {
    let path = path.display().to_string();
    |error| StartProblem::Data { path, error }
}
