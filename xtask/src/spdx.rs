//! Licence expressions as crates state them: `MIT OR Apache-2.0`, `(MIT OR X) AND Y`,
//! `X WITH exception`.
//!
//! The grammar is annex D of the SPDX specification; older crates write `MIT/Apache-2.0` for "or".

/// Whether the licences in `allowed` are enough to meet the terms of `expression`.
///
/// `None` if the text is no licence expression.
pub fn is_met(expression: &str, allowed: &[String]) -> Option<bool> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = Reader {
        words: spaced.split_whitespace().collect(),
        next: 0,
        allowed,
    };
    let met = words.alternatives()?;
    (words.next == words.words.len()).then_some(met)
}

struct Reader<'a> {
    words: Vec<&'a str>,
    next: usize,
    allowed: &'a [String],
}

impl Reader<'_> {
    fn alternatives(&mut self) -> Option<bool> {
        let mut met = self.conjunction()?;
        while self.skip("OR") {
            met |= self.conjunction()?;
        }
        Some(met)
    }

    fn conjunction(&mut self) -> Option<bool> {
        let mut met = self.licence()?;
        while self.skip("AND") {
            met &= self.licence()?;
        }
        Some(met)
    }

    fn licence(&mut self) -> Option<bool> {
        if self.skip("(") {
            let met = self.alternatives()?;
            return self.skip(")").then_some(met);
        }
        let mut name = self.name()?.to_owned();
        if self.skip("WITH") {
            name = format!("{name} WITH {}", self.name()?);
        }
        Some(self.allowed.contains(&name))
    }

    fn name(&mut self) -> Option<&str> {
        let word = *self.words.get(self.next)?;
        self.next += 1;
        (!["(", ")", "AND", "OR", "WITH"].contains(&word)).then_some(word)
    }

    fn skip(&mut self, word: &str) -> bool {
        let found = self.words.get(self.next) == Some(&word);
        self.next += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::is_met;

    fn met(expression: &str) -> Option<bool> {
        is_met(
            expression,
            &[
                "MIT".to_owned(),
                "Zlib".to_owned(),
                "Apache-2.0 WITH LLVM-exception".to_owned(),
            ],
        )
    }

    #[test]
    fn one_allowed_alternative_is_enough() {
        assert_eq!(met("GPL-3.0 OR MIT"), Some(true));
        assert_eq!(met("MIT/Apache-2.0"), Some(true));
        assert_eq!(met("GPL-3.0"), Some(false));
    }

    #[test]
    fn every_part_of_a_conjunction_has_to_be_allowed() {
        assert_eq!(met("MIT AND Zlib"), Some(true));
        assert_eq!(met("MIT AND GPL-3.0"), Some(false));
        assert_eq!(met("(GPL-3.0 OR MIT) AND Zlib"), Some(true));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert_eq!(met("MIT OR Zlib AND GPL-3.0"), Some(true));
        assert_eq!(met("GPL-3.0 AND Zlib OR GPL-2.0"), Some(false));
    }

    #[test]
    fn an_exception_belongs_to_its_licence() {
        assert_eq!(met("Apache-2.0 WITH LLVM-exception"), Some(true));
        assert_eq!(met("Apache-2.0"), Some(false));
    }

    #[test]
    fn what_is_no_expression_is_said_to_be_none() {
        for text in ["", "MIT OR", "(MIT", "MIT Zlib", "AND"] {
            assert_eq!(met(text), None, "{text}");
        }
    }
}
