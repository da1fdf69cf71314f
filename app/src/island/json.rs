//! JSON, read with the parser that is at hand: in the browser, the browser's own. A second one,
//! with what it takes to tell why a text is no JSON, would be the largest part of the island.

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
    pub fn parse(text: &str) -> Option<Self> {
        js_sys::JSON::parse(text).ok().map(Self)
    }

    /// The member called `name`, where this is an object and has it.
    pub fn member(&self, name: &str) -> Option<Self> {
        js_sys::Reflect::get(&self.0, &name.into()).ok().map(Self)
    }

    /// The text of the member called `name`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.member(name)?.0.as_string()
    }

    /// The number of the member called `name`, without its fraction; outside the range it is the
    /// range's end.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "as documented"
    )]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.member(name)?.0.as_f64().map(|number| number as u32)
    }
}

#[cfg(not(feature = "hydrate"))]
impl Json {
    /// Parses a text.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// The member called `name`, where this is an object and has it.
    pub fn member(&self, name: &str) -> Option<Self> {
        self.0.get(name).cloned().map(Self)
    }

    /// The text of the member called `name`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_str().map(str::to_owned)
    }

    /// The number of the member called `name`, without its fraction; outside the range it is the
    /// range's end.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "as documented"
    )]
    pub fn number(&self, name: &str) -> Option<u32> {
        self.0.get(name)?.as_f64().map(|number| number as u32)
    }
}
