//! Why the server could not start.

use crate::{config::SettingError, practice::KeyError};
use std::{io, net::SocketAddr};
use vestibule::{
    assertion::RotateError,
    store::{StoreError, postgres::OpenError},
};

/// The server could not start. One line each; nothing was damaged.
#[derive(Debug, thiserror::Error)]
pub enum StartProblem {
    /// A setting is wrong or missing.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The data folder, or the database in it, cannot be used.
    #[error(
        "{path} cannot be used: {error}; make it writable or name another folder by VESTIBULE_DATA"
    )]
    Data {
        /// The folder or the file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// Practice mode's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The configured key is that of practice mode.
    #[error(
        "VESTIBULE_SECRET: it is the key of practice mode, {0}; make another one (example: openssl rand -base64 32)"
    )]
    PracticeKey(String),
    /// The database cannot be used.
    #[error("the database {name} {error}")]
    Database {
        /// The file, or the address without its password.
        name: String,
        /// What is wrong with it.
        error: OpenError,
    },
    /// Redis cannot be used.
    #[error("REDIS_URL: {name} {error}")]
    Redis {
        /// The address without its password.
        name: String,
        /// What is wrong with it.
        error: vestibule::store::redis::RedisOpenError,
    },
    /// The keys that sign assertions cannot be used.
    #[error(
        "VESTIBULE_SECRET: {0}; add the former one behind a comma, or make new keys (vestibule key rotate --now)"
    )]
    SigningKeys(RotateError),
    /// The database could not be written.
    #[error("the database cannot be written: {0}")]
    Store(#[from] StoreError),
    /// The validator's address is none.
    #[error("VALIDATOR_URL: {0} (example: https://tokens.example/validate)")]
    Validator(#[from] vestibule::validator::InvalidEndpoint),
    /// Mail cannot be sent from this machine.
    #[error("SMTP_URL: there can be no TLS: {0}")]
    Mail(#[from] lettre::transport::smtp::Error),
    /// The broker's HTTP API cannot listen where it should.
    #[error("BROKER_ADDR: {0} cannot be listened on: {1} (example: 127.0.0.1:6001)")]
    Broker(SocketAddr, io::Error),
    /// The operator's listener cannot listen where it should.
    #[error("OPS_ADDR: {0} cannot be listened on: {1} (example: 127.0.0.1:3080)")]
    Ops(SocketAddr, io::Error),
    /// No loopback port could be had.
    #[error("no port on loopback can be listened on: {0}")]
    Loopback(io::Error),
}

impl From<RotateError> for StartProblem {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Store(error) => Self::Store(error),
            error => Self::SigningKeys(error),
        }
    }
}
