-- How many wrong codes were typed in a row for an address: in browsers that have signed in to it, and in others.
create table wrong_codes (
    address text not null,
    known   integer not null,
    wrong   integer not null,
    last    integer not null, -- when the last one was
    primary key (address, known)
) strict, without rowid;

create index wrong_codes_last on wrong_codes (last);
