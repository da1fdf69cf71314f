//! Links and mails where there are none.

use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    email_address::Address,
    link::{Link, Tries},
    mail::{Mail, MailId, Posted, Posting},
    notice::Notice,
    secret::SecretHash,
    store::{BeginError, LinkStore, MailStore, NoticeStore, StoreError},
};
use async_trait::async_trait;

/// For a database that has no links and no mails: each call fails.
pub(super) struct NoLinks;

macro_rules! fails {
    ($trait:ident { $($method:ident($($argument:ty),*) -> $result:ty;)* }) => {
        #[async_trait]
        impl $trait for NoLinks {
            $(async fn $method(&self, $(_: $argument),*) -> $result {
                let error = StoreError::Unavailable("this database has no links".into());
                Err(error)?
            })*
        }
    };
}

fails! {
    LinkStore {
        add_link(&Link) -> Result<(), StoreError>;
        post_link(&Link, &Posting) -> Result<Posted, BeginError>;
        revoke_links(&Address) -> Result<(), StoreError>;
        link_by_token(&SecretHash) -> Result<Option<Link>, StoreError>;
        link_by_waiting(ConfirmationId) -> Result<Option<Link>, StoreError>;
        replace_link(&Link) -> Result<bool, StoreError>;
        count_code(&Tries, Timestamp, Timestamp) -> Result<Option<u32>, StoreError>;
        codes_tried(&Tries, Timestamp) -> Result<u32, StoreError>;
        forget_codes(&Tries) -> Result<(), StoreError>;
        sweep_codes(Timestamp) -> Result<u64, StoreError>;
        sweep_links(Timestamp) -> Result<u64, StoreError>;
    }
}

fails! {
    MailStore {
        take_mail(u32, Timestamp, Timestamp) -> Result<Vec<Mail>, StoreError>;
        next_mail() -> Result<Option<Timestamp>, StoreError>;
        put_mail_off(MailId, Timestamp) -> Result<(), StoreError>;
        remove_mail(MailId) -> Result<(), StoreError>;
        add_mail(&Mail, u32) -> Result<bool, StoreError>;
        sweep_mails(Timestamp) -> Result<u64, StoreError>;
    }
}

fails! {
    NoticeStore {
        take_notices(u32, Timestamp, Timestamp) -> Result<Vec<Notice>, StoreError>;
        remove_notice(ConfirmationId) -> Result<(), StoreError>;
    }
}
