//! JSON, read with the parser that is at hand: in the browser, the browser's own. A second one,
//! with what it takes to tell why a text is no JSON, would be the largest part of the island.

#[cfg(not(feature = "hydrate"))]
pub use serde_json::Value as Json;

/// Parses a text.
#[cfg(not(feature = "hydrate"))]
#[must_use]
pub fn parse(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

#[cfg(feature = "hydrate")]
pub use in_browser::{Json, parse};

#[cfg(feature = "hydrate")]
mod in_browser {
    use vestibule_protocol::JsonObject;
    use wasm_bindgen::JsValue;

    /// A JSON value.
    #[derive(Debug)]
    pub struct Json(JsValue);

    /// Parses a text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Json> {
        js_sys::JSON::parse(text).ok().map(Json)
    }

    impl JsonObject for Json {
        fn member(&self, name: &str) -> Option<Self> {
            js_sys::Reflect::get(&self.0, &name.into()).ok().map(Self)
        }

        fn text(&self, name: &str) -> Option<String> {
            self.member(name)?.0.as_string()
        }

        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "as documented"
        )]
        fn number(&self, name: &str) -> Option<u32> {
            self.member(name)?.0.as_f64().map(|number| number as u32)
        }
    }
}
