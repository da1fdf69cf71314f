//! Statements about the table `confirmations`.

/// The columns that [`row::confirmation`](crate::store::row::confirmation) reads.
macro_rules! confirmation_columns {
    () => {
        "id, secret, token_tag, session, created_at, deadline, state, token, token_key, failed, \
         stage, due_at, fence, worker, lease_until, ending, user_id, decided_at, next"
    };
}
pub(in crate::store) use confirmation_columns;

/// The columns that [`row::claims`](crate::store::row::claims) reads.
macro_rules! claim_columns {
    () => {
        concat!(
            $crate::store::statements::confirmation_columns!(),
            ", network_48"
        )
    };
}
pub(in crate::store) use claim_columns;

/// `$1`: its id.
pub(in crate::store) const CONFIRMATION_BY_ID: &str = concat!(
    "select ",
    confirmation_columns!(),
    " from confirmations where id = $1"
);

/// `$1`: the hash of its pending secret.
pub(in crate::store) const CONFIRMATION_BY_SECRET: &str = concat!(
    "select ",
    confirmation_columns!(),
    " from confirmations where secret = $1"
);

/// How many wait for a decision. `$1`: the most that are counted.
pub(in crate::store) const COUNT_UNDECIDED: &str =
    "select count(*) from (select 1 from confirmations where state = 'queued' limit $1) as counted";

/// Some that are decided and whose sessions do not follow yet. `$1`: only those decided before.
pub(in crate::store) const UNSETTLED_CONFIRMATIONS: &str = concat!(
    "select ",
    confirmation_columns!(),
    " from confirmations where state = 'decided' and decided_at < $1 order by decided_at limit 100"
);

/// `$1`: its id.
pub(in crate::store) const MARK_CONFIRMATION_SETTLED: &str =
    "update confirmations set state = 'settled' where id = $1 and state = 'decided'";

/// How many confirmations wait whose validator answers later. `$1`: the most that are counted.
pub(in crate::store) const COUNT_ANSWERED_LATER: &str = "select count(*) from (
         select 1 from confirmations where state = 'queued' and stage > 0 limit $1) as counted";

/// Frees a claimed confirmation, only if the claim is still the last one. `$1` and `$2`: what
/// becomes of its columns; `$3`: its id; `$4`: the claim's fence.
pub(in crate::store) const POSTPONE_CONFIRMATION: &str =
    "update confirmations set failed = $1, due_at = $2, worker = null, lease_until = null
     where id = $3 and state = 'queued' and fence = $4";

/// That the validator of a confirmation answers later. Its deadline and its stage only grow: other
/// processes note that too. `$1`: the deadline; `$2`: the stage.
macro_rules! wait {
    () => {
        "deadline = case when deadline < $1 then $1 else deadline end,
         stage = case when stage < $2 then $2 else stage end"
    };
}

/// Whether one more may wait for a validator that answers later in each of the networks of its
/// client, or does so already. `$3` to `$5`: how many may, with this one, the narrowest network
/// first. What other transactions write at the same moment is not counted.
macro_rules! has_room {
    () => {
        "(stage > 0 or (
             (select count(*) from confirmations as other
              where other.state = 'queued' and other.stage > 0 and other.network_48 = confirmations.network_48
                  and other.network_56 = confirmations.network_56 and other.client = confirmations.client) < $3
             and (select count(*) from confirmations as other
              where other.state = 'queued' and other.stage > 0 and other.network_48 = confirmations.network_48
                  and other.network_56 = confirmations.network_56) < $4
             and (select count(*) from confirmations as other
              where other.state = 'queued' and other.stage > 0
                  and other.network_48 = confirmations.network_48) < $5))"
    };
}

/// Has a confirmation wait, under any claim. `$1` to `$5` as above; `$6`: its id; `$7`: the present
/// moment.
pub(in crate::store) const WAIT: &str = concat!(
    "update confirmations set ",
    wait!(),
    " where id = $6 and state = 'queued' and deadline > $7 and ",
    has_room!()
);

/// Frees a claimed confirmation whose validator answers later, only if the claim is still the last
/// one. `$1` to `$5` as above; `$6`: its id; `$7`: the claim's fence; `$8`: when it is due.
pub(in crate::store) const POSTPONE_TO_LATER: &str = concat!(
    "update confirmations set ",
    wait!(),
    ", due_at = $8, worker = null, lease_until = null where id = $6 and state = 'queued' and fence = $7 and ",
    has_room!()
);

/// `$1`: the id of a confirmation that waits for a link.
pub(in crate::store) const MAKE_CONFIRMATION_DUE: &str =
    "update confirmations set due_at = 0 where id = $1 and state = 'queued'";

/// Has a confirmation that waits asked about at once. One that is under a lease, is due already or
/// is past its deadline stays as it is. `$1`: its id; `$2`: the present moment.
pub(in crate::store) const ASK_AGAIN: &str = "update confirmations set due_at = $2
     where id = $1 and state = 'queued' and deadline > $2 and due_at > $2
         and coalesce(lease_until, 0) <= $2";

/// A page of the list of those that wait for a decision, the oldest first. `$1` and `$2`: when the
/// one before it was begun, and its id; `$3`: how many.
pub(in crate::store) const UNDECIDED_AFTER: &str = concat!(
    "select ",
    confirmation_columns!(),
    " from confirmations where state = 'queued' and (created_at, id) > ($1, $2) \
      order by created_at, id limit $3"
);
