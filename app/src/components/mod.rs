//! The parts that pages are put together from. Plain server-rendered components: none of them
//! reaches the browser's wasm.
//!
//! [`Layout`] is the frame around every page; the rest are the few parts that more than one page
//! needs. Their looks are in `style/`, under the class names used here.

mod button;
mod current_password;
mod field;
mod form_token;
mod help;
mod layout;
mod notice;
mod practice_mailbox;
mod practice_user;
mod wrong;

pub use button::Button;
pub use current_password::{CurrentPassword, ForgottenPassword};
pub use field::Field;
pub use form_token::HiddenFormToken;
pub use help::WhatIsThis;
pub use layout::Layout;
pub use notice::Notice;
pub use practice_mailbox::PracticeMailbox;
pub use practice_user::PracticeUser;
pub use wrong::{WRONG, Wrong};
