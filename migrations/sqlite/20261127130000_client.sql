-- Whose confirmation it is: a keyed hash of a network address, never the address. Null where it was begun before this.
alter table confirmations add column client blob;

-- How many undecided ones a client has.
create index confirmations_client on confirmations (client) where state = 'queued';
