-- oldest-replica: 1
-- What comes late takes no number from whom it was given to since, also where it names an id that its
-- person had before; and no number is left with somebody who has become one with another person.

-- As before. Whose number it is since is looked at whatever is known of the person, and not where
-- both are one from now on.
create or replace function resolve_contact_1(
  phone text, user_id text, parent_user_id text, username text, name text, instant text,
  alone boolean
) returns bigint language plpgsql as $$
#variable_conflict use_variable
declare
  by_user contacts;
  by_phone contacts;
  known contacts;
  created bigint;
  has_no_other boolean;
  was_given_since boolean;
begin
  if coalesce(phone, user_id) is null then return null; end if;
  loop
    by_user := null;
    by_phone := null;
    if user_id is not null then by_user := locked_contact_1(user_id); end if;
    if phone is not null then by_phone := locked_contact_1(phone); end if;
    known := by_user;
    has_no_other := by_phone.user_id is null
      or by_phone.user_id <> user_id and is_held_1(phone, instant);
    -- A number that now belongs to another business-scoped id has been given to somebody else.
    if known.id is null and (user_id is null or has_no_other or by_phone.user_id = user_id)
    then known := by_phone; end if;
    was_given_since := has_no_other is not true and by_phone.id is distinct from known.id
      and by_phone.user_id is not null and by_phone.phone = phone
      and by_phone.address_instant > instant;
    if known.id is null then
      if by_phone.id is not null then
        perform require_alone_1(alone);
        delete from contact_addresses as a where a.address = phone;
      end if;
      created := create_contact_1(phone, user_id, parent_user_id, username, name, instant);
      if created is not null then
        if was_given_since then perform set_address_1(phone, by_phone.id); end if;
        return created;
      end if;
    else
      if by_phone.id is not null and by_phone.id <> known.id and has_no_other then
        perform require_alone_1(alone);
        perform merge_contacts_1(by_phone.id, known.id);
        select * into known from contacts as c where c.id = known.id;
      else
        if by_phone.id <> known.id
          and (phone is distinct from known.phone or user_id is distinct from known.user_id)
        then
          perform require_alone_1(alone);
        end if;
        perform take_address_1(user_id, known.id, by_user.id);
        perform take_address_1(phone, known.id, by_phone.id);
      end if;
      perform bring_up_to_date_1(known, phone, user_id, parent_user_id, username, name, instant);
      if was_given_since then perform set_address_1(phone, by_phone.id); end if;
      return known.id;
    end if;
  end loop;
end $$;
