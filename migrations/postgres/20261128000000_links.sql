-- Links of our own, and the mails that carry them.
create table links (
    id       bytea primary key,
    revision bigint not null,
    token    bytea not null unique,
    waiting  bytea unique, -- the confirmation of the browser that asked
    address  text collate "C" not null,
    admits   bigint not null,
    mailed   bigint not null,
    code     bytea not null, -- a keyed hash
    guesses  bigint not null,
    number   bigint not null,
    device   text not null,
    asked    bigint not null,
    expires  bigint not null,
    state    text not null check (state in ('open', 'approved', 'used', 'void')),
    used_by  bytea -- a confirmation
);

create index links_address on links (address, asked);
create index links_expires on links (expires);

create table mails (
    id         bytea primary key,
    address    text not null,
    letter     bytea not null, -- sealed
    letter_key bigint not null,
    failed     bigint not null,
    due        bigint not null,
    expires    bigint not null
);

create index mails_due on mails (due);
