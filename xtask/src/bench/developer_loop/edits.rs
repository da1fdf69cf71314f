//! The edits that are measured: one of each kind, and how it is seen from outside.

use std::fs;
use std::path::Path;

use crate::error::{At, Error, Result};

/// Stands for a word that no one has seen before.
const MARKER: &str = "MARKER";

/// A change of one line, as a developer saves it.
pub struct SourceEdit {
    pub what: &'static str,
    /// Seconds until it is served.
    pub goal: &'static str,
    file: &'static str,
    /// Is there once, and becomes this.
    before: &'static str,
    after: &'static str,
    /// What the server serves with the marker in it then.
    pub path: &'static str,
}

pub const EDITS: [SourceEdit; 5] = [
    SourceEdit {
        what: "a page",
        goal: "5",
        file: "app/src/pages/home.rs",
        before: "\"Or use a password\"",
        after: "\"Or use a password MARKER\"",
        path: "/",
    },
    SourceEdit {
        what: "the island",
        goal: "3",
        file: "app/src/island/sentence.rs",
        before: "Your link is waiting to be checked.",
        after: "Your link is waiting MARKER to be checked.",
        path: "/pkg/vestibule.wasm",
    },
    SourceEdit {
        what: "the style",
        goal: "0.3",
        file: "style/ground.css",
        before: "\nbody {\n",
        after: "\n.MARKER {\n  top: 0;\n}\n\nbody {\n",
        path: "/pkg/vestibule.css",
    },
    SourceEdit {
        what: "server code",
        goal: "4",
        file: "server/src/handlers/home/mod.rs",
        before: "Signs you in as Ada Lovelace.",
        after: "Signs you in MARKER as Ada Lovelace.",
        path: "/",
    },
    SourceEdit {
        what: "the library",
        goal: "6",
        file: "src/assertion/keys.rs",
        before: "\"use\": \"sig\",",
        after: "\"use\": \"sig\", \"MARKER\": true,",
        path: "/.well-known/jwks.json",
    },
];

impl SourceEdit {
    /// The whole file with the change in it.
    fn changed(&self, root: &Path, marker: &str) -> Result<String> {
        let path = root.join(self.file);
        let text = fs::read_to_string(&path).at(&path)?;
        if text.matches(self.before).count() != 1 {
            return Err(Error::new(format!(
                "{} does not have `{}` once, which `cargo xtask bench loop` edits",
                self.file,
                self.before.trim()
            )));
        }
        Ok(text.replace(self.before, &self.after.replace(MARKER, marker)))
    }

    /// Saves the change to the project in `root` in its `copy`.
    pub fn save(&self, root: &Path, copy: &Path, marker: &str) -> Result {
        let path = copy.join(self.file);
        fs::write(&path, self.changed(root, marker)?).at(&path)
    }

    /// Saves what does not compile, with the marker in it.
    pub fn break_off(&self, root: &Path, copy: &Path, marker: &str) -> Result {
        let path = copy.join(self.file);
        let whole = self.changed(root, marker)?;
        fs::write(&path, format!("{whole}\nfn {marker}() -> u8 {{\n")).at(&path)
    }
}

#[cfg(test)]
mod tests {
    use super::{EDITS, MARKER};
    use crate::error::Result;
    use crate::workspace;

    #[test]
    fn each_edit_finds_its_line() -> Result {
        for edit in EDITS {
            let text = edit.changed(&workspace::root(), "as_edited")?;
            assert!(
                text.contains("as_edited") && !text.contains(MARKER),
                "{}",
                edit.what
            );
        }
        Ok(())
    }
}
