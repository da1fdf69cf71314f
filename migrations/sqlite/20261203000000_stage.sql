-- How far the validator says that its check has come: 0: not said, 1: received, 2: reviewing, 3: almost.
alter table confirmations add column stage integer not null default 0;
