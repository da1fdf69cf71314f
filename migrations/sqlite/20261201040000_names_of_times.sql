-- Moments are named as elsewhere: `created_at`, `expires_at` and so on. Indexes follow their columns.
alter table users rename column since to created_at;

alter table sessions rename column since to created_at;
alter table sessions rename column seen to last_seen_at;
alter table sessions rename column expires to expires_at;

alter table confirmations rename column begun to created_at;
alter table confirmations rename column due to due_at;
alter table confirmations rename column decided to decided_at;

alter table links rename column asked to requested_at;
alter table links rename column expires to expires_at;

alter table mails rename column due to due_at;
alter table mails rename column expires to expires_at;

alter table wrong_codes rename column last to last_at;
