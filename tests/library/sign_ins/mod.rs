//! What a page can ask for on the way in.

mod begin;
mod callback;
mod caps;
mod landing;
mod status;
mod told_by_mail;
