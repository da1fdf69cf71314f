-- What browser a session belongs to, in words for its user. Null where it began before this, or did not say.
alter table sessions add column device text;
