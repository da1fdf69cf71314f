-- Those that must be decided first are claimed first; whether each may be claimed stands beside it, so that those that may not
-- are passed over without a look at their rows.
create index confirmations_waiting on confirmations
    (max(deadline, coalesce(lease_until, 0)), max(due, coalesce(lease_until, 0))) where state = 'queued';
