-- Where the sign-in by a link leads, if not where all do.
alter table links add column next text;

-- The link that a confirmation has used up.
create index links_used on links (used_by) where used_by is not null;
