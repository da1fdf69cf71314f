//! The least that is needed to read JSON.

/// A parsed JSON value, in the form that the program at hand has it in.
pub trait JsonObject: Sized {
    /// The member called `name`, where this is an object and has it.
    fn member(&self, name: &str) -> Option<Self>;

    /// The text of the member called `name`.
    fn text(&self, name: &str) -> Option<String>;

    /// The number of the member called `name`, without its fraction; outside the range it is the
    /// range's end.
    fn number(&self, name: &str) -> Option<u32>;
}
