-- Where a membership came from, told apart further: a set of 1 = scim, 2 = login, 4 = command line, 8 = import, 16 = bootstrap,
-- 32 = the group of the administrators. What was 4 before may be any of the last four; in the administrators' group it is nearly
-- always the last. Every row there is fits the new rule, so none has to be looked at.
alter table store.memberships drop constraint memberships_provenance_check;
alter table store.memberships add constraint memberships_provenance_check check (provenance between 1 and 63) not valid;
update store.memberships m set provenance = (m.provenance & ~4) | 32
  from store.admin_group a where m.group_id = a.group_id and not m.is_group and m.provenance & 4 = 4;
