-- Browsers that signed in before this moment are not known any more: the user has thrown some of them out.
alter table users add column known_from bigint not null default 0;
