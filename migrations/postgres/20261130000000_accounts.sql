-- An operator can keep somebody out. Sessions that began before `valid_from` sign nobody in.
alter table users add column disabled bigint not null default 0;
alter table users add column valid_from bigint not null default 0;

-- How many mails wait that are about no link.
create index mails_news on mails (due) where link is null;
