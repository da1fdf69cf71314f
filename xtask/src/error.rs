//! The one error of these commands: a line that says what went wrong, where, and what to do about
//! it.

use std::fmt;
use std::io;
use std::path::Path;

/// The result of a command.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// One line for the person at the terminal.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    /// An error that says `line`.
    pub fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    /// A file operation at `path` that failed.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Names the file in an I/O error, which does not do so by itself.
pub trait At<T> {
    /// The same result, with `path` in the error.
    fn at(self, path: &Path) -> Result<T>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T> {
        self.map_err(|error| Error::file(path, &error))
    }
}
