//! How the API differs from the one that is written down, and what that means for programs.

use std::collections::HashSet;

/// A line that is not as it is written down.
#[derive(Debug, PartialEq, Eq)]
pub enum ApiChange<'l> {
    /// It is written down, and no longer there.
    Gone(&'l str),
    /// It is new, and belongs to something that programs may have taken for complete.
    Breaking(&'l str),
    /// It is new, and breaks no program.
    New(&'l str),
}

impl ApiChange<'_> {
    /// What it means for the crate `package` of this `version`, and what to do about it.
    pub fn advice(&self, package: &str, version: &str) -> String {
        let next = next_that_breaks(version);
        match self {
            Self::Gone(line) => format!(
                "{package}: `{line}` of api/{package}.txt has gone or has changed, which breaks programs: keep it, or make \
                 the version {next} and run `cargo xtask api`"
            ),
            Self::Breaking(line) => format!(
                "{package}: `{line}` is new, and breaks programs that match on, build or implement what it belongs to: \
                 leave it out, or make the version {next} and run `cargo xtask api`"
            ),
            Self::New(line) => format!(
                "{package}: `{line}` is new: run `cargo xtask api`, which adds it to api/{package}.txt"
            ),
        }
    }
}

/// The changes from the lines that are `written` down to those of `now`.
pub fn between<'l>(written: &'l str, now: &'l [String]) -> Vec<ApiChange<'l>> {
    let before: HashSet<_> = written.lines().collect();
    let after: HashSet<_> = now.iter().map(String::as_str).collect();
    let gone = written.lines().filter(|line| !after.contains(line));
    let new = now
        .iter()
        .map(String::as_str)
        .filter(|line| !before.contains(line));
    gone.map(ApiChange::Gone)
        .chain(new.map(|line| {
            if completes(line, &before) {
                ApiChange::Breaking(line)
            } else {
                ApiChange::New(line)
            }
        }))
        .collect()
}

/// Whether a new line is a variant or a field of what was not `#[non_exhaustive]`, or an item of a
/// trait. That a trait's item has a default, or that a struct has private fields, is not written
/// down: then it breaks nothing, and this is too strict.
fn completes(line: &str, before: &HashSet<&str>) -> bool {
    let path = subject(line);
    let Some((owner, _)) = path.rsplit_once("::") else {
        return false;
    };
    // All other lines have a keyword before the path.
    let is_variant_or_field = line.starts_with(&format!("pub {path}"));
    before.iter().any(|old| {
        let is_whole = if is_variant_or_field {
            old.starts_with("pub ")
        } else {
            old.starts_with("pub trait ")
        };
        is_whole && subject(old) == owner
    })
}

/// The path that a line is about: `a::B::c` of `pub fn a::B::c(&self) -> d::E`.
pub fn subject(line: &str) -> &str {
    let words = line.split(' ');
    let word = words.skip(1).find(|word| word.contains("::"));
    let word = word.unwrap_or_default();
    let end = word.find(['(', '<']).unwrap_or(word.len());
    word[..end].trim_end_matches(':')
}

/// The first version after this one that may break programs.
fn next_that_breaks(version: &str) -> String {
    let mut numbers = version
        .split('.')
        .map_while(|number| number.parse::<u64>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(0), Some(minor)) => format!("0.{}.0", minor + 1),
        (major, _) => format!("{}.0.0", major.unwrap_or_default() + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiChange, between, next_that_breaks};

    const WRITTEN: &str = "\
pub mod a
pub enum a::Verdict
pub a::Verdict::Good
pub a::Verdict::Good::of: a::User
#[non_exhaustive] pub enum a::Reason
pub a::Reason::Old
pub struct a::User<T>
pub fn a::User<T>::id(&self) -> u64
pub trait a::Judge
";

    fn changed(edit: impl FnOnce(&mut Vec<String>)) -> Vec<String> {
        let mut now: Vec<_> = WRITTEN.lines().map(str::to_owned).collect();
        edit(&mut now);
        between(WRITTEN, &now)
            .iter()
            .map(|change| match change {
                ApiChange::Gone(line) => format!("gone: {line}"),
                ApiChange::Breaking(line) => format!("breaking: {line}"),
                ApiChange::New(line) => format!("new: {line}"),
            })
            .collect()
    }

    #[test]
    fn what_has_gone_or_changed_breaks_programs() {
        assert_eq!(changed(|_| {}), [""; 0]);
        let gone = changed(|now| now.retain(|line| !line.contains("id(")));
        assert_eq!(gone, ["gone: pub fn a::User<T>::id(&self) -> u64"]);
        let other = changed(|now| now[7] = "pub fn a::User<T>::id(self) -> u64".to_owned());
        assert_eq!(
            other,
            [
                "gone: pub fn a::User<T>::id(&self) -> u64",
                "new: pub fn a::User<T>::id(self) -> u64"
            ]
        );
    }

    #[test]
    fn what_is_new_breaks_programs_where_they_knew_all_of_it() {
        for line in [
            "pub a::Verdict::Bad",
            "pub a::Verdict::Good::why: u8",
            "pub a::User::name: u8",
            "pub fn a::Judge::judge(&self)",
        ] {
            let new = changed(|now| now.push(line.to_owned()));
            assert_eq!(new, [format!("breaking: {line}")]);
        }
        for line in [
            "pub a::Reason::New",
            "pub fn a::User<T>::name(&self)",
            "pub fn a::judge(a::Verdict)",
            "pub struct a::Other",
            "impl core::clone::Clone for a::User",
        ] {
            let new = changed(|now| now.push(line.to_owned()));
            assert_eq!(new, [format!("new: {line}")]);
        }
    }

    #[test]
    fn the_advice_is_one_line_with_the_version_to_make() {
        let advice = ApiChange::Gone("pub mod a").advice("shop", "0.1.4");
        assert!(advice.contains("api/shop.txt") && advice.contains("the version 0.2.0"));
        assert!(!advice.contains('\n'));
        assert_eq!(next_that_breaks("1.4.2"), "2.0.0");
    }
}
