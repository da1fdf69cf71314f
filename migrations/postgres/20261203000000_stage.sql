-- What the validator has said that answers later: 0: nothing, 1: that it does, 2: that its check is received, 3: that it is
-- being reviewed, 4: that it is almost done.
alter table confirmations add column stage bigint not null default 0;

-- How many of them each network has.
create index confirmations_later on confirmations (network_48, network_56, client) where state = 'queued' and stage > 0;
