//! The wasm entry: makes the page's islands live, nothing else.

#[expect(unused_imports, reason = "without it the linker drops the islands' exports")]
use vestibule_app::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the script that the shell puts on each page with an island.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
