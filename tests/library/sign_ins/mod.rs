//! What a page can ask for on the way in.

mod begin;
mod caps;
mod landing;
mod status;
