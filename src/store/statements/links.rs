//! Statements about the tables `links` and `wrong_codes`.

/// The columns that [`row::link`](crate::store::row::link) reads.
macro_rules! link_columns {
    () => {
        "id, revision, token, waiting, address, admits, mailed, known, code, guesses, number, \
         device, requested_at, expires_at, state, used_by, next"
    };
}

/// `$1`: the hash of its token.
pub(in crate::store) const LINK_BY_TOKEN: &str =
    concat!("select ", link_columns!(), " from links where token = $1");

/// `$1`: the id of the confirmation that waits for it.
pub(in crate::store) const LINK_BY_WAITING: &str =
    concat!("select ", link_columns!(), " from links where waiting = $1");

/// The open link that a browser has asked for just before. `$1`: the address; `$2` and `$3`:
/// between which moments; `$4`: the browser; `$5`: where the link leads.
pub(in crate::store) const LINK_ASKED_FOR_BEFORE: &str = concat!(
    "select ",
    link_columns!(),
    " from links
     where address = $1 and requested_at > $2 and requested_at < $3 and browser = $4
         and next is not distinct from $5 and state = 'open'
     order by requested_at desc limit 1"
);

/// `$1` to `$22`: its columns, in their order here; its revision is 0.
pub(in crate::store) const INSERT_LINK: &str = "insert into links
         (id, revision, token, waiting, address, mailbox, admits, mailed, known, code, guesses,
          number, device, requested_at, expires_at, state, used_by, next, browser, client,
          network_56, network_48, stranger)
     values ($1, 0, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
         $19, $20, $21, $22)";

/// Compare-and-set: only if the link is at the revision before `$1`. `$2` to `$4`: what may change;
/// `$5`: its id.
pub(in crate::store) const REPLACE_LINK: &str =
    "update links set revision = $1, guesses = $2, state = $3, used_by = $4
     where id = $5 and revision = $1 - 1";

/// In the table, a revoked link is `void`. The revision counts on, so that no server that has read
/// one of them before can still write it.
pub(in crate::store) const REVOKE_ALL_LINKS: &str =
    "update links set state = 'void', revision = revision + 1 where state in ('open', 'approved')";

/// What limits a new link, to be read by [`row::link_counts`](crate::store::row::link_counts).
/// `$1`: the address; `$2`: its mailbox; `$3`: since when links count; `$4` to `$6`: the client's
/// networks, the narrowest first; `$7`: the most mails that are counted; `$8`: the most links to
/// strangers.
pub(in crate::store) const COUNT_LINKS: &str =
    "select to_known, to_others, to_64, to_56, to_48, asked_64, asked_56, asked_48,
         waiting_64, waiting_56, waiting_48,
         (select count(*) from (select 1 from mails limit $7) as waiting) as in_all,
         (select count(*) from (
             select 1 from links
             where mailed = 1 and stranger = 1 and requested_at > $3 limit $8) as new)
             as to_strangers
     from (select count(*) filter (where known = 1 and address = $1) as to_known,
                  count(*) filter (where known = 0) as to_others,
                  count(*) filter (where known = 0 and client = $4) as to_64,
                  count(*) filter (where known = 0 and network_56 = $5) as to_56,
                  count(*) filter (where known = 0 and network_48 = $6) as to_48
           from links where mailbox = $2 and requested_at > $3 and mailed = 1) as mailed,
          (select count(*) filter (where client = $4) as asked_64,
                  count(*) filter (where network_56 = $5) as asked_56,
                  count(*) as asked_48,
                  count(mails.id) filter (where client = $4) as waiting_64,
                  count(mails.id) filter (where network_56 = $5) as waiting_56,
                  count(mails.id) as waiting_48
           from links left join mails on mails.link = links.id
           where network_48 = $6 and requested_at > $3) as asked";

/// Counts one more wrong code, unless there were too many, and returns how many there are. `$1`:
/// the address; `$2`: whether the browser is known; `$3`: the present moment; `$4`: up to when
/// earlier ones are forgotten; `$5`: how many are too many.
pub(in crate::store) const COUNT_WRONG_CODE: &str =
    "insert into wrong_codes (address, known, wrong, last_at) values ($1, $2, 1, $3)
     on conflict (address, known) do update
         set wrong = case when wrong_codes.last_at > $4 then wrong_codes.wrong + 1 else 1 end,
             last_at = $3
         where wrong_codes.wrong < $5 or wrong_codes.last_at <= $4
     returning wrong";

/// `$1`: the address; `$2`: whether the browser is known; `$3`: since when they count.
pub(in crate::store) const WRONG_CODES_SINCE: &str =
    "select wrong from wrong_codes where address = $1 and known = $2 and last_at > $3";

/// `$1`: the address; `$2`: whether the browser is known.
pub(in crate::store) const FORGET_WRONG_CODES: &str =
    "delete from wrong_codes where address = $1 and known = $2";

/// Once the address has signed in. `$1`: the address; `$2`: how many are too many, and stay.
pub(in crate::store) const FORGET_WRONG_CODES_OF_ADDRESS: &str =
    "delete from wrong_codes where address = $1 and wrong < $2";
