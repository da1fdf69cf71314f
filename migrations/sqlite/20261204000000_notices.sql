-- Confirmations of which the application is still to be told.
create table notices (
    confirmation blob primary key,
    user_id blob not null,
    is_new integer not null,
    created_at integer not null,
    due_at integer not null
);

create index notices_due on notices (due_at);
