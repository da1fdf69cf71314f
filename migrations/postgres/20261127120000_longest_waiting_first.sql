-- Those that must be decided first are claimed first; whether each may be claimed stands beside it, so that those that may not
-- are passed over without a look at their rows.
create index confirmations_waiting on confirmations
    (greatest(deadline, lease_until), greatest(due, lease_until)) where state = 'queued';
