//! Pages that differ from one request to the next in a few values only: rendered once, and filled
//! in after that.

use std::sync::OnceLock;

/// A page with `N` values that differ. It is rendered when it is first asked for.
#[derive(Debug)]
pub struct Template<const N: usize> {
    /// Without the client's files, and with them.
    documents: [OnceLock<GappedDocument>; 2],
}

impl<const N: usize> Default for Template<N> {
    fn default() -> Self {
        Self {
            documents: [OnceLock::new(), OnceLock::new()],
        }
    }
}

impl<const N: usize> Template<N> {
    /// The document with `nonce` and `values`, with its script if the site `has_client`. Where it was
    /// not asked for before, `render` renders it with marks in place of the values, and returns
    /// it with its nonce. `None`: a value is no plain text, and would have to be escaped.
    pub fn fill(
        &self,
        has_client: bool,
        nonce: &str,
        values: [&str; N],
        render: impl FnOnce([String; N]) -> (String, String),
    ) -> Option<String> {
        if !values.iter().all(|value| is_plain(value)) {
            return None;
        }
        let document = self.documents[usize::from(has_client)].get_or_init(|| {
            let marks: [String; N] = std::array::from_fn(|place| format!("~{place}~{MARK}~"));
            let (html, nonce) = render(marks.clone());
            let mut marks: Vec<&str> = marks.iter().map(String::as_str).collect();
            marks.push(&nonce);
            GappedDocument::cut(&html, &marks)
        });
        let mut all: Vec<&str> = values.to_vec();
        all.push(nonce);
        Some(document.fill(&all))
    }
}

/// What no page of ours has in it otherwise.
const MARK: &str = "here-is-a-value-that-differs";

/// Whether a value stands for itself wherever it is in a document.
fn is_plain(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    value.bytes().all(plain)
}

/// A document with gaps.
#[derive(Debug)]
struct GappedDocument {
    /// All text between the gaps.
    text: String,
    /// Where in the text a gap is, and which value belongs there.
    gaps: Vec<(usize, usize)>,
}

impl GappedDocument {
    /// Cuts the `marks` out of `html`: each is a gap.
    fn cut(html: &str, marks: &[&str]) -> Self {
        let mut text = String::with_capacity(html.len());
        let mut gaps = Vec::new();
        let mut rest = html;
        let first = |rest: &str| {
            let found = marks.iter().enumerate();
            let found = found.filter(|(_, mark)| !mark.is_empty());
            let found = found.filter_map(|(place, mark)| Some((rest.find(mark)?, place)));
            found.min()
        };
        while let Some((at, place)) = first(rest) {
            text.push_str(&rest[..at]);
            gaps.push((text.len(), place));
            rest = &rest[at + marks[place].len()..];
        }
        text.push_str(rest);
        Self { text, gaps }
    }

    fn fill(&self, values: &[&str]) -> String {
        let added: usize = self
            .gaps
            .iter()
            .map(|(_, place)| values[*place].len())
            .sum();
        let mut html = String::with_capacity(self.text.len() + added);
        let mut filled = 0;
        for (at, place) in &self.gaps {
            html.push_str(&self.text[filled..*at]);
            html.push_str(values[*place]);
            filled = *at;
        }
        html.push_str(&self.text[filled..]);
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render([one, two]: [String; 2]) -> (String, String) {
        (
            format!("<a href=\"{one}\" nonce=\"N1\">{two}{one}</a>"),
            "N1".to_owned(),
        )
    }

    #[test]
    fn it_is_rendered_once_and_filled_in_wherever_a_value_was() {
        let template = Template::default();
        let filled = template.fill(true, "n", ["x", ""], render);
        assert_eq!(filled.as_deref(), Some("<a href=\"x\" nonce=\"n\">x</a>"));
        let again = |_| -> (String, String) { panic!("it is rendered again") };
        let filled = template.fill(true, "m", ["~0~", "z"], again);
        assert_eq!(
            filled.as_deref(),
            Some("<a href=\"~0~\" nonce=\"m\">z~0~</a>")
        );
    }

    #[test]
    fn what_would_have_to_be_escaped_is_not_filled_in() {
        let template = Template::default();
        for value in ["\"", "a b", "<", "&amp;", "é", "/", "a\n"] {
            let rendered = |_| -> (String, String) { panic!("it is rendered for {value}") };
            assert_eq!(template.fill(false, "n", ["x", value], rendered), None);
        }
    }
}
