//! JSON, read with the parser that is at hand: in the browser, the browser's own. A second one, with what it takes to
//! tell why a text is no JSON, would be the largest part of the island.

#[cfg(feature = "hydrate")]
type Value = wasm_bindgen::JsValue;
#[cfg(not(feature = "hydrate"))]
type Value = serde_json::Value;

/// A JSON value.
#[derive(Debug)]
pub struct Json(Value);

#[cfg(feature = "hydrate")]
impl Json {
    /// Parses a text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        js_sys::JSON::parse(text).ok().map(Self)
    }

    /// The member called `name`, where this is an object and has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        js_sys::Reflect::get(&self.0, &name.into()).ok().map(Self)
    }

    /// The text of the member called `name`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.member(name)?.0.as_string()
    }

    /// The number of the member called `name`, where it is a whole one and not negative.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        let number = self.member(name)?.0.as_f64()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared afterwards")]
        let whole = number as u32;
        (f64::from(whole) == number).then_some(whole)
    }
}

#[cfg(not(feature = "hydrate"))]
impl Json {
    /// Parses a text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The member called `name`, where this is an object and has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        self.0.get(name).cloned().map(Self)
    }

    /// The text of the member called `name`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    /// The number of the member called `name`, where it is a whole one and not negative.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.0.get(name)?.as_u64()?.try_into().ok()
    }
}
