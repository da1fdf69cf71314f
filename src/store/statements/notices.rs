//! Statements about the table `notices`.

/// The columns that [`row::notices`](crate::store::row::notices) reads.
macro_rules! notice_columns {
    () => {
        "confirmation, user_id, is_new, created_at"
    };
}
pub(in crate::store) use notice_columns;

/// Whether one is due. `$1`: the present moment.
pub(in crate::store) const NOTICE_IS_DUE: &str =
    "select exists (select 1 from notices where due_at <= $1)";

/// `$1`: the confirmation.
pub(in crate::store) const DELETE_NOTICE: &str = "delete from notices where confirmation = $1";
