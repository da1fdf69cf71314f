//! Statements about the table `mails`.

/// The columns that [`row::mails`](crate::store::row::mails) reads.
macro_rules! mail_columns {
    () => {
        "id, address, class, letter, letter_key, failed, due_at, expires_at"
    };
}
pub(in crate::store) use mail_columns;

/// `$1`: its id; `$2`: the link that it carries, or null; `$3`: where it goes, or null if it is
/// never sent; `$4` to `$8`: its other columns. One that is there already stays as it is;
/// of the class `Confirmed`, one waits for each address.
pub(in crate::store) const INSERT_MAIL: &str =
    "insert into mails (id, link, address, class, letter, letter_key, failed, due_at, expires_at)
     select $1, $2, $3, $4, $5, $6, 0, $7, $8
     where $4 <> 6 or not exists (select 1 from mails where class = $4 and address = $3)
     on conflict (id) do nothing";

/// When the next one is due.
pub(in crate::store) const NEXT_MAIL: &str = "select due_at from mails order by due_at limit 1";

/// How many of a class wait that carry no link. `$1`: the class; `$2`: the most that are counted.
pub(in crate::store) const COUNT_MAILS_OF_CLASS: &str = "select count(*) from (
         select 1 from mails where class = $1 and link is null limit $2) as counted";

/// `$1`: when it is tried again; `$2`: its id.
pub(in crate::store) const PUT_MAIL_OFF: &str =
    "update mails set due_at = $1, failed = failed + 1 where id = $2";

/// `$1`: its id.
pub(in crate::store) const DELETE_MAIL: &str = "delete from mails where id = $1";

/// `$1`: the id of the link that it carries.
pub(in crate::store) const DELETE_MAIL_OF_LINK: &str = "delete from mails where link = $1";

/// Those that are due and never sent. `$1`: the present moment.
pub(in crate::store) const DELETE_UNSENT_MAILS: &str =
    "delete from mails where address is null and due_at <= $1";

/// Those that carry a link: with the links revoked, they would lead nowhere.
pub(in crate::store) const DELETE_MAILS_WITH_LINKS: &str =
    "delete from mails where link is not null";
