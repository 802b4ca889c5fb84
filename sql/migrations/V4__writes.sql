-- Which write an audit row belongs to: a write that is sent again, because its connection broke before the answer, is known by
-- it. Null in rows of releases that did not say.
alter table store.audit add column write uuid;
