//! The values of settings, as they were given.

use super::{ALL, Setting, SettingError};
use std::{
    collections::HashMap,
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The longest file of a secret that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// The values that were given. A blank value counts as none.
#[derive(Default)]
pub struct RawSettings {
    values: HashMap<&'static str, String>,
    blank: Vec<&'static str>,
}

impl RawSettings {
    /// Values from `lookup`, which is asked for each setting.
    #[doc(hidden)]
    pub fn from_lookup(lookup: impl Fn(&'static Setting) -> Option<String>) -> Self {
        let mut given = Self::default();
        for setting in ALL {
            if let Some(value) = lookup(setting) {
                given.add(setting, value);
            }
        }
        given
    }

    /// The settings in `pairs`, by the names of their environment variables: a configuration in
    /// code. Nothing is read of the environment.
    ///
    /// ```
    /// use vestibule_server::RawSettings;
    ///
    /// let settings = RawSettings::from_pairs([("PUBLIC_URL", "http://127.0.0.1:3000/auth")])?;
    /// # Ok::<(), vestibule_server::SettingError>(())
    /// ```
    ///
    /// # Errors
    /// [`SettingError`] if there is no setting of such a name. What is wrong with a value is told
    /// where it is read.
    pub fn from_pairs<K, V>(pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, SettingError>
    where
        K: AsRef<str>,
        V: Into<String>,
    {
        Self::default().or(pairs)
    }

    /// These settings, and those in `pairs` that are not among them: defaults of a program under
    /// its environment, perhaps. A blank value is taken for none, and gives way.
    ///
    /// ```
    /// use vestibule_server::RawSettings;
    ///
    /// let settings = RawSettings::from_environment()?.or([("CONFIRM_REDIRECT", "/orders")])?;
    /// # Ok::<(), vestibule_server::SettingError>(())
    /// ```
    ///
    /// # Errors
    /// [`SettingError`] if there is no setting of such a name.
    pub fn or<K, V>(mut self, pairs: impl IntoIterator<Item = (K, V)>) -> Result<Self, SettingError>
    where
        K: AsRef<str>,
        V: Into<String>,
    {
        for (name, value) in pairs {
            let setting = Setting::named(name.as_ref())?;
            if self.text(setting).is_none() {
                self.add(setting, value.into());
            }
        }
        Ok(self)
    }

    fn add(&mut self, setting: &'static Setting, value: String) {
        if value.trim().is_empty() {
            self.blank.push(setting.key);
        } else {
            self.values.insert(setting.key, value);
        }
    }

    /// Values from `lookup`, which is asked for each name; secrets also from the files that are
    /// named.
    pub(crate) fn from_names(
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SettingError> {
        let mut given = Self::default();
        for setting in ALL {
            let value = lookup(setting.key).map(OsString::into_string).transpose();
            if let Some(value) = value.map_err(|_| setting.wrong("not UTF-8"))? {
                given.add(setting, value);
            }
            let file =
                lookup(&setting.file_key()).filter(|file| setting.has_file() && !file.is_empty());
            if let Some(file) = file {
                if given.text(setting).is_some() {
                    return Err(setting.wrong_file(format!(
                        "{} is given as well; leave one of them out",
                        setting.key
                    )));
                }
                given.add(setting, read_file(setting, Path::new(&file))?);
            }
        }
        Ok(given)
    }

    /// Values from the environment.
    pub fn from_environment() -> Result<Self, SettingError> {
        Self::from_names(|name| std::env::var_os(name))
    }

    /// Whether `setting` was given, but blank.
    pub(crate) fn is_blank(&self, setting: &'static Setting) -> bool {
        self.text(setting).is_none() && self.blank.contains(&setting.key)
    }

    /// The value of `setting`.
    pub(crate) fn text(&self, setting: &'static Setting) -> Option<&str> {
        self.values.get(setting.key).map(String::as_str)
    }

    /// The value of `setting`, read by `read`, which says what is wrong with it.
    pub(crate) fn read<T, P: Into<String>>(
        &self,
        setting: &'static Setting,
        read: impl FnOnce(&str) -> Result<T, P>,
    ) -> Result<Option<T>, SettingError> {
        self.text(setting)
            .map(|text| read(text).map_err(|problem| setting.wrong(problem)))
            .transpose()
    }
}

/// A secret from its file, without the end of its line.
fn read_file(setting: &'static Setting, file: &Path) -> Result<String, SettingError> {
    let name = file.display();
    let wrong = |error: io::Error| setting.wrong_file(format!("{name} cannot be read: {error}"));
    let mut text = String::new();
    let read = File::open(file)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text))
        .map_err(wrong)?;
    if read as u64 > MAX_FILE {
        return Err(setting.wrong_file(format!("{name} is longer than any secret")));
    }
    let text = text.trim_end_matches(['\r', '\n']);
    if text.trim().is_empty() {
        return Err(setting.wrong_file(format!("{name} is empty")));
    }
    Ok(text.to_owned())
}
