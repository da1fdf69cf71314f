-- Times are milliseconds since 1970 in UTC. Ids are 16 random bytes, hashes SHA-256. Tables and columns are those of SQLite.

create table users (
    id       bytea primary key,
    -- "C": compared by their bytes, so that no update of the system's collations can upset the index.
    issuer   text collate "C" not null,
    subject  text collate "C" not null,
    name     text,
    email    text,
    password text, -- a PHC string
    since    bigint not null,
    unique (issuer, subject)
);

create table sessions (
    id           bytea primary key,
    revision     bigint not null,
    state        text not null check (state in ('pending', 'bound', 'established')),
    secret       bytea not null unique,
    user_id      bytea references users (id) on delete cascade,
    token_tag    bytea,
    since        bigint not null,
    seen         bigint,
    former       bytea,
    former_until bigint,
    expires      bigint not null
);

create unique index sessions_former on sessions (former) where former is not null;
create index sessions_user on sessions (user_id) where user_id is not null;
create index sessions_expires on sessions (expires);

create table confirmations (
    id          bytea primary key,
    secret      bytea not null unique,
    token_tag   bytea not null,
    session     bytea not null,
    begun       bigint not null,
    deadline    bigint not null,
    state       text not null check (state in ('queued', 'decided', 'settled')),
    -- while queued
    token       bytea, -- sealed; wiped when settled
    token_key   bigint,
    failed      bigint not null default 0,
    due         bigint,
    fence       bigint not null default 0,
    worker      bytea,
    lease_until bigint,
    -- once decided
    ending      text check (ending in ('confirmed', 'invalid', 'expired', 'used', 'cancelled', 'unavailable')),
    user_id     bytea,
    decided     bigint
-- Each confirmation is written three times within a minute and then lies still: cleaning up after it must not wait until a
-- fifth of a table of millions has changed.
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

-- When a worker may claim it: `greatest` passes over a lease that is not there.
create index confirmations_due on confirmations (greatest(due, lease_until)) where state = 'queued';
create index confirmations_decided on confirmations (decided) where state = 'settled';
-- What a worker finds decided and not settled, where sessions are kept apart.
create index confirmations_unsettled on confirmations (decided) where state = 'decided';

-- What the server remembers about itself.
create table settings (
    name  text primary key,
    value text not null
);
