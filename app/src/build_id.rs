//! Which build this is. Server and client are compiled apart, and a page works only if both are of
//! the same sources.
//!
//! The client's wasm contains [`MARK`], however it was built, so the server can check that its site
//! is of the same build. A page carries its build id, so a newer or older script leaves it alone.

/// What stands before the id.
pub const PREFIX: &str = "vestibule-build:";

/// What a page says of itself: the id of the sources that both halves are made of.
pub const OF_PAGE: &str = env!("VESTIBULE_BUILD");

/// What the client says of itself: the same, and how it was compiled.
pub const MARK: &str = if cfg!(debug_assertions) {
    concat!("vestibule-build:", env!("VESTIBULE_BUILD"), ";debug;")
} else {
    concat!("vestibule-build:", env!("VESTIBULE_BUILD"), ";release;")
};

/// Whether a page of this server works with a client that carries `mark`.
///
/// A client without optimisation looks for more than a server with optimisation writes, and panics
/// where it does not find it. The other way round nothing is missing.
pub fn goes_with_client(mark: &str) -> bool {
    mark == MARK
        || (cfg!(debug_assertions)
            && mark == concat!("vestibule-build:", env!("VESTIBULE_BUILD"), ";release;"))
}

/// Whether this client is of the same build as the page that it runs in.
#[cfg(feature = "hydrate")]
pub fn is_of_this_page() -> bool {
    let page = leptos::prelude::document()
        .document_element()
        .and_then(|page| page.get_attribute("data-build"));
    page.is_some_and(|page| MARK[PREFIX.len()..].starts_with(&page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_goes_with_a_server_of_the_same_sources() {
        assert!(MARK.starts_with(&format!("{PREFIX}{OF_PAGE};")));
        assert!(goes_with_client(MARK));
        assert!(goes_with_client(&format!("{PREFIX}{OF_PAGE};release;")));
        assert_eq!(
            goes_with_client(&format!("{PREFIX}{OF_PAGE};debug;")),
            cfg!(debug_assertions)
        );
        for other in [
            "",
            OF_PAGE,
            "vestibule-build:0000000000000000;release;",
            "vestibule-build:0000000000000000;debug;",
        ] {
            assert!(!goes_with_client(other), "{other}");
        }
    }
}
