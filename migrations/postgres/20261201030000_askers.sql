-- Who asks for a link: the browser, by a keyed hash of a cookie of its own (null: it shows none), whether that browser
-- has signed in to the address before, and the wider networks of the client.
alter table links add column browser bytea;
alter table links add column known bigint not null default 0;
alter table links add column network_56 bytea;
alter table links add column network_48 bytea;
update links set network_56 = client, network_48 = client;

-- The mailbox of the address: without what follows a + before the @.
alter table links add column mailbox text collate "C" not null default '';
update links set mailbox = address;

drop index links_open;
drop index links_mailed;
drop index links_client;
create index links_address on links (address, asked);
create index links_mailed on links (mailbox, asked) where mailed = 1;
create index links_network on links (network_48, asked);
