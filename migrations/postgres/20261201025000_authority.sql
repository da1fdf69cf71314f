-- How often it was revoked what the user's sessions may do: a change of the account names the count that it was allowed at.
alter table users add column revision bigint not null default 0;
