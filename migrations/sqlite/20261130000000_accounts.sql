-- An operator can keep somebody out.
alter table users add column disabled integer not null default 0;
