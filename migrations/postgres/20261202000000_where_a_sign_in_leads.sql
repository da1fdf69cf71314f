-- Where a sign-in leads, if not to where all do: a whole path on the host. Of one by a link of ours it is the link's.
alter table confirmations add column next text;

update confirmations set next = links.next
from links
where links.next is not null and (links.waiting = confirmations.id or links.used_by = confirmations.id);

-- It was there for what stands with the confirmation now.
drop index links_used;
