//! Bundles the style sheets into one: each `@import "file.css";` is replaced by that file, in
//! order.
//!
//! cargo-leptos does the same with the same sources. A browser would load the imports one after the
//! other.

use std::fs;
use std::path::Path;

use crate::error::{At, Error, Result};

/// The text of the style sheet at `path` with the files that it imports in place.
///
/// Imports with a condition or a layer, and imports in imported files, are not needed here and
/// are refused.
pub fn bundle(path: &Path) -> Result<String> {
    let mut bundle = String::new();
    for line in fs::read_to_string(path).at(path)?.lines() {
        if let Some(name) = imported(line) {
            let file = path.with_file_name(name);
            bundle.push_str(&fs::read_to_string(&file).at(&file)?);
        } else {
            bundle.push_str(line);
            bundle.push('\n');
        }
    }
    if bundle.contains("@import") {
        return Err(Error::new(format!(
            "{}: only `@import \"file.css\";` can be bundled, and only from this file",
            path.display()
        )));
    }
    Ok(bundle)
}

fn imported(line: &str) -> Option<&str> {
    line.strip_prefix("@import \"")?.strip_suffix("\";")
}

#[cfg(test)]
mod tests {
    use std::{env, fs, io, process};

    use super::bundle;

    fn bundled(name: &str, main: &str) -> io::Result<Option<String>> {
        let folder = env::temp_dir().join(format!("xtask-style-{}-{name}", process::id()));
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("main.css"), main)?;
        fs::write(folder.join("a.css"), "a {}\n")?;
        fs::write(folder.join("nested.css"), "@import \"a.css\";\n")?;
        let sheet = bundle(&folder.join("main.css"));
        fs::remove_dir_all(&folder)?;
        Ok(sheet.ok())
    }

    #[test]
    fn files_stand_where_their_imports_stood() -> io::Result<()> {
        let sheet = bundled("order", "/* ours */\n@import \"a.css\";\nmain {}\n")?;
        assert_eq!(sheet.as_deref(), Some("/* ours */\na {}\nmain {}\n"));
        Ok(())
    }

    #[test]
    fn an_import_that_would_be_left_in_the_bundle_is_an_error() -> io::Result<()> {
        for main in [
            "@import \"a.css\" print;\n",
            "@import url(a.css);\n",
            "@import \"nested.css\";\n",
            "@import \"missing.css\";\n",
        ] {
            assert_eq!(bundled("refused", main)?, None, "{main}");
        }
        Ok(())
    }
}
