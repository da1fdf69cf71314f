//! Bundles the style sheets into one: each `@import` of a local file is replaced by that file, in
//! order.
//!
//! cargo-leptos does the same with the same sources. A browser would load the imports one after the
//! other.

use std::fs;
use std::path::Path;

use crate::fault::{At, Fault, Result};

/// Deeper than any sane style sheet; an import circle ends here.
const DEPTH: usize = 8;

/// The text of the style sheet at `path` with its local imports in place.
pub fn bundle(path: &Path) -> Result<String> {
    let mut sheet = String::new();
    append(path, DEPTH, &mut sheet)?;
    Ok(sheet)
}

fn append(path: &Path, depth: usize, sheet: &mut String) -> Result {
    if depth == 0 {
        return Err(Fault::new(format!(
            "{}: the style sheets import each other in a circle",
            path.display()
        )));
    }
    let text = fs::read_to_string(path).at(path)?;
    for line in text.lines() {
        let Some(import) = Import::read(line) else {
            sheet.push_str(line);
            sheet.push('\n');
            continue;
        };
        let wrapper = import.wrapper();
        if let Some(rule) = &wrapper {
            sheet.push_str(rule);
            sheet.push_str(" {\n");
        }
        append(&path.with_file_name(import.file), depth - 1, sheet)?;
        if wrapper.is_some() {
            sheet.push_str("}\n");
        }
    }
    Ok(())
}

/// An import on a line of its own, as in `@import "tokens.css" layer(tokens);`.
struct Import<'a> {
    file: &'a str,
    condition: &'a str,
}

impl<'a> Import<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let rest = line
            .trim()
            .strip_prefix("@import")?
            .trim()
            .strip_suffix(';')?;
        let (file, condition) = if let Some(url) = rest.strip_prefix("url(") {
            let (file, condition) = url.split_once(')')?;
            (file.trim().trim_matches(['"', '\'']), condition)
        } else {
            let quote = rest
                .chars()
                .next()
                .filter(|first| ['"', '\''].contains(first))?;
            rest.get(1..)?.split_once(quote)?
        };
        // A remote import stays an import.
        (!file.contains("://")).then_some(Self {
            file,
            condition: condition.trim(),
        })
    }

    /// The rule that means the same around the file's text as the condition meant behind its name.
    fn wrapper(&self) -> Option<String> {
        if self.condition.is_empty() {
            return None;
        }
        let name = self
            .condition
            .strip_prefix("layer(")
            .and_then(|rest| rest.strip_suffix(')'));
        Some(match name {
            Some(name) => format!("@layer {name}"),
            None if self.condition == "layer" => "@layer".to_owned(),
            None => format!("@media {}", self.condition),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Import, bundle};

    #[test]
    fn imports_are_recognised_in_each_spelling() {
        for line in [
            "@import \"a.css\";",
            "@import 'a.css';",
            "  @import url(a.css);",
            "@import url(\"a.css\");",
        ] {
            assert_eq!(
                Import::read(line).map(|import| import.file),
                Some("a.css"),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_elsewhere_stays_an_import() {
        assert!(Import::read("@import \"https://example.com/a.css\";").is_none());
    }

    #[test]
    fn a_condition_becomes_a_rule_around_the_file() {
        let wrapper = |line| Import::read(line).and_then(|import| import.wrapper());
        assert_eq!(wrapper("@import \"a.css\";"), None);
        assert_eq!(
            wrapper("@import \"a.css\" layer(base);").as_deref(),
            Some("@layer base")
        );
        assert_eq!(
            wrapper("@import \"a.css\" print;").as_deref(),
            Some("@media print")
        );
    }

    #[test]
    fn files_stand_where_their_imports_stood() -> std::io::Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-style-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("parts"))?;
        std::fs::write(
            folder.join("main.css"),
            "@import \"parts/a.css\" layer(base);\nmain {}\n",
        )?;
        std::fs::write(folder.join("parts/a.css"), "@import \"b.css\";\na {}\n")?;
        std::fs::write(folder.join("parts/b.css"), "b {}\n")?;
        let sheet = bundle(&folder.join("main.css"))
            .map_err(|fault| std::io::Error::other(fault.to_string()));
        std::fs::remove_dir_all(&folder)?;
        assert_eq!(sheet?, "@layer base {\nb {}\na {}\n}\nmain {}\n");
        Ok(())
    }
}
