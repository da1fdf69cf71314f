-- Whether a link goes to an address that nobody is known by: there is a rate for those.
alter table links add column stranger bigint not null default 0;
create index links_stranger on links (asked) where mailed = 1 and stranger = 1;

-- Which mails are sent first: see MailClass in src/mail/class.rs.
alter table mails add column class bigint not null default 3;
update mails set class = 0 where link is null;
create index mails_class on mails (class, due);
