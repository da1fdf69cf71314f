//! Whether the scripts of a site go with the pages of this server.

use super::file::File;
use std::{collections::HashMap, fmt};
use vestibule_app::build_id::{self, PREFIX};

/// The longest mark of a client, in bytes.
const LONGEST: usize = 64;

/// What is wrong with a site's client.
#[derive(Debug, PartialEq, Eq)]
pub enum WrongClient {
    /// There is none.
    Missing,
    /// It does not say of which build it is.
    Unmarked,
    /// It is of another build.
    Other(String),
}

impl fmt::Display for WrongClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("has no client"),
            Self::Unmarked => f.write_str("has a client that does not say of which build it is"),
            Self::Other(mark) => write!(
                f,
                "has the client of another build ({mark} beside {})",
                build_id::MARK
            ),
        }
    }
}

/// Looks at the client among these files, whose names begin with the folder `pkg`.
///
/// # Errors
/// [`WrongClient`] says why it does not go with this server.
pub fn check(files: &HashMap<String, File>, pkg: &str) -> Result<(), WrongClient> {
    let file = |ending: &str| {
        files
            .get(&format!("/{pkg}/vestibule.{ending}"))
            .ok_or(WrongClient::Missing)
    };
    file("js")?;
    let mark = mark(file("wasm")?.bytes()).ok_or(WrongClient::Unmarked)?;
    if build_id::goes_with_client(&mark) {
        Ok(())
    } else {
        Err(WrongClient::Other(mark))
    }
}

/// The mark in these bytes: the prefix, and two parts that end in a semicolon.
fn mark(wasm: &[u8]) -> Option<String> {
    let first = PREFIX.as_bytes()[0];
    let mut rest = wasm;
    while let Some(place) = rest.iter().position(|byte| *byte == first) {
        rest = &rest[place..];
        if rest.starts_with(PREFIX.as_bytes()) {
            let text = String::from_utf8_lossy(&rest[..rest.len().min(LONGEST)]);
            let (end, _) = text.match_indices(';').nth(1)?;
            return Some(text[..=end].to_owned());
        }
        rest = &rest[1..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(wasm: Option<&str>) -> HashMap<String, File> {
        let file = |name: &str, text: &str| {
            (
                name.to_owned(),
                File::new(name, text.as_bytes().to_vec(), None),
            )
        };
        let wasm = wasm.map(|wasm| file("/pkg/vestibule.wasm", wasm));
        wasm.into_iter()
            .chain([file("/pkg/vestibule.js", "")])
            .collect()
    }

    #[test]
    fn a_client_of_the_same_build_is_good_wherever_its_mark_is() {
        let wasm = format!("\0asm vvestibule-bu {} and more;", build_id::MARK);
        assert_eq!(check(&site(Some(&wasm)), "pkg"), Ok(()));
        assert_eq!(
            mark(build_id::MARK.as_bytes()).as_deref(),
            Some(build_id::MARK)
        );
    }

    #[test]
    fn any_other_client_is_told_apart() {
        assert_eq!(check(&HashMap::new(), "pkg"), Err(WrongClient::Missing));
        assert_eq!(check(&site(None), "pkg"), Err(WrongClient::Missing));
        assert_eq!(
            check(&site(Some("\0asm")), "pkg"),
            Err(WrongClient::Unmarked)
        );
        assert_eq!(
            check(&site(Some("vestibule-build:")), "pkg"),
            Err(WrongClient::Unmarked)
        );
        let other = "vestibule-build:0123456789abcdef;release;";
        assert_eq!(
            check(&site(Some(&format!("x{other}x"))), "pkg"),
            Err(WrongClient::Other(other.to_owned()))
        );
    }
}
