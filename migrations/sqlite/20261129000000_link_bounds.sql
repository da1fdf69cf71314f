-- Who asks for links is counted. A mail with a link goes with it; it is good for minutes, so none is kept over.
alter table links add column client blob; -- a keyed hash; null: an operator has made it

drop index links_address;
create index links_open on links (address, state, mailed);
create index links_mailed on links (address, asked) where mailed = 1;
create index links_client on links (client, asked);

drop table mails;
create table mails (
    id         blob primary key not null,
    link       blob unique, -- null: it is about no link
    address    text, -- null: for nobody, but to take its time
    letter     blob not null, -- sealed
    letter_key integer not null,
    failed     integer not null,
    due        integer not null,
    expires    integer not null
) strict, without rowid;

create index mails_due on mails (due);
create index mails_expires on mails (expires);
