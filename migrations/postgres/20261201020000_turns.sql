-- The wider networks of a client, also keyed hashes: its /56 and its /48 of IPv6. An address of IPv4 is all three.
alter table confirmations add column network_56 bytea;
alter table confirmations add column network_48 bytea;

-- When its network has its turn: the first ones of all networks together, then their second ones.
alter table confirmations add column turn bigint not null default 0;

-- Those that wait now each began as a network of its own.
update confirmations set network_56 = client, network_48 = client where state = 'queued';

-- How many undecided ones a network has, and which turn its last one.
drop index confirmations_client;
create index confirmations_network on confirmations (network_48, network_56, client, turn) where state = 'queued';

-- Who is claimed next; whether each may be claimed stands beside it, so that those that may not are passed over without a
-- look at their rows.
create index confirmations_turn on confirmations
    (turn, deadline, greatest(due, lease_until), network_48) where state = 'queued';
