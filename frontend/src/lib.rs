//! The wasm entry: makes the page's islands live, nothing else.

#[expect(
    unused_imports,
    reason = "without it the linker drops the islands' exports"
)]
use vestibule_app::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the script that the shell puts on each page with an island.
///
/// Throws where the page is of another build, as in the midst of a deploy: its form works without
/// us, and half of a page brought to life does not.
#[wasm_bindgen]
pub fn hydrate() {
    if !vestibule_app::build_id::is_of_this_page() {
        wasm_bindgen::throw_str("this page is of another build than its script");
    }
    leptos::mount::hydrate_islands();
}
