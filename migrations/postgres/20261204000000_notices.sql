-- Confirmations of which the application is still to be told.
create table notices (
    confirmation bytea primary key,
    user_id bytea not null,
    is_new bigint not null,
    created_at bigint not null,
    due_at bigint not null
);

create index notices_due on notices (due_at);
