-- An operator can keep somebody out.
alter table users add column disabled bigint not null default 0;
