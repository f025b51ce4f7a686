-- What is known of a person has a moment for each part, so that the order of arrival decides nothing:
-- address_instant is that of the number, profile_instant that of the name. Null: as old as that.
alter table contacts add column user_instant text;
alter table contacts add column username_instant text;

-- Of a number that somebody left, before any id was seen with it: whoever had it until then is them.
alter table contact_addresses add column held_until text;
