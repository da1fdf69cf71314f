-- Who asks for links is counted. A mail with a link goes with it; it is good for minutes, so none is kept over.
alter table links add column client bytea; -- a keyed hash; null: an operator has made it

drop index links_address;
create index links_open on links (address, state, mailed);
create index links_mailed on links (address, asked) where mailed = 1;
create index links_client on links (client, asked);

drop table mails;
create table mails (
    id         bytea primary key,
    link       bytea unique, -- null: it is about no link
    address    text, -- null: for nobody, but to take its time
    letter     bytea not null, -- sealed
    letter_key bigint not null,
    failed     bigint not null,
    due        bigint not null,
    expires    bigint not null
);

create index mails_due on mails (due);
create index mails_expires on mails (expires);
