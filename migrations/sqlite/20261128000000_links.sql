-- Links of our own, and the mails that carry them.
create table links (
    id       blob primary key not null,
    revision integer not null,
    token    blob not null unique,
    waiting  blob unique, -- the confirmation of the browser that asked
    address  text not null,
    admits   integer not null,
    mailed   integer not null,
    code     blob not null, -- a keyed hash
    guesses  integer not null,
    number   integer not null,
    device   text not null,
    asked    integer not null,
    expires  integer not null,
    state    text not null check (state in ('open', 'approved', 'used', 'void')),
    used_by  blob -- a confirmation
) strict, without rowid;

create index links_address on links (address, asked);
create index links_expires on links (expires);

create table mails (
    id         blob primary key not null,
    address    text not null,
    letter     blob not null, -- sealed
    letter_key integer not null,
    failed     integer not null,
    due        integer not null,
    expires    integer not null
) strict, without rowid;

create index mails_due on mails (due);
