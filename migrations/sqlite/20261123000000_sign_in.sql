-- Times are milliseconds since 1970 in UTC. Ids are 16 random bytes, hashes SHA-256.

create table users (
    id       blob primary key not null,
    issuer   text not null,
    subject  text not null,
    name     text,
    email    text,
    password text, -- a PHC string
    since    integer not null,
    unique (issuer, subject)
) strict, without rowid;

create table sessions (
    id           blob primary key not null,
    revision     integer not null,
    state        text not null check (state in ('pending', 'bound', 'established')),
    secret       blob not null unique,
    user         blob references users (id) on delete cascade,
    token_tag    blob,
    since        integer not null,
    seen         integer,
    former       blob,
    former_until integer,
    expires      integer not null
) strict, without rowid;

create unique index sessions_former on sessions (former) where former is not null;
create index sessions_user on sessions (user) where user is not null;
create index sessions_expires on sessions (expires);

create table confirmations (
    id          blob primary key not null,
    secret      blob not null unique,
    token_tag   blob not null,
    session     blob not null,
    begun       integer not null,
    deadline    integer not null,
    state       text not null check (state in ('queued', 'decided', 'settled')),
    -- while queued
    token       blob, -- sealed; wiped when settled
    token_key   integer,
    failed      integer not null default 0,
    due         integer,
    fence       integer not null default 0,
    worker      blob,
    lease_until integer,
    -- once decided
    ending      text check (ending in ('confirmed', 'invalid', 'expired', 'used', 'cancelled', 'unavailable')),
    user        blob,
    decided     integer
) strict, without rowid;

-- When a worker may claim it.
create index confirmations_due on confirmations (max(due, coalesce(lease_until, 0))) where state = 'queued';
create index confirmations_decided on confirmations (decided) where state = 'settled';

-- What the server remembers about itself.
create table settings (
    name  text primary key not null,
    value text not null
) strict, without rowid;
