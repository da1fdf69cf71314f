-- How many wrong codes were typed in a row for an address: in browsers that have signed in to it, and in others.
create table wrong_codes (
    address text collate "C" not null,
    known   bigint not null,
    wrong   bigint not null,
    last    bigint not null, -- when the last one was
    primary key (address, known)
);

create index wrong_codes_last on wrong_codes (last);
