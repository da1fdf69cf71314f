-- `user` is a word of its own in PostgreSQL; the columns have one name in both.
alter table sessions rename column user to user_id;
alter table confirmations rename column user to user_id;

-- What a worker finds decided and not settled, where sessions are kept apart.
create index confirmations_unsettled on confirmations (decided) where state = 'decided';
