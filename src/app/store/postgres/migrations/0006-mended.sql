-- oldest-replica: 1
-- A placeholder gets its content, and two people become one, also where others are stored with
-- them. A number changes hands before whoever else names it in the batch, and by no older event. The
-- content stays when the placeholder was edited before.

-- As before, and as if nobody had edited it; then come its edits.
create or replace function fill_placeholder_1(e incoming_event_1) returns void language plpgsql as $$
begin
  update messages as m set type = e.type, text = e.text, folded = e.folded, content = e.content,
    reaction_to = e.reaction_to, edited = 0, original_text = null
  where m.message_id = e.message_id and m.namespace = e.namespace;
  insert into count_changes values ('type', 'media_placeholder', -1), ('type', e.type, 1);
  perform apply_edits_1(e.message_id);
end $$;

-- As before. A number of somebody else changes hands under the eyes of nobody else, also where it
-- comes to somebody who is known already. It stays where it is when an older event names it.
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
  was_given_since boolean;
begin
  if coalesce(phone, user_id) is null then return null; end if;
  loop
    by_user := null;
    by_phone := null;
    if user_id is not null then by_user := locked_contact_1(user_id); end if;
    if phone is not null then by_phone := locked_contact_1(phone); end if;
    known := by_user;
    -- A number that now belongs to another business-scoped id has been given to somebody else.
    if known.id is null and (
      user_id is null or by_phone.user_id is null or by_phone.user_id = user_id
    ) then known := by_phone; end if;
    was_given_since := by_phone.id is distinct from known.id and by_phone.user_id is not null
      and by_phone.phone = phone and by_phone.address_instant > instant
      and phone is distinct from known.phone;
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
      if by_phone.id is not null and by_phone.id <> known.id and by_phone.user_id is null then
        perform require_alone_1(alone);
        perform merge_contacts_1(by_phone.id, known.id);
        select * into known from contacts as c where c.id = known.id;
      else
        if by_phone.id <> known.id and phone is distinct from known.phone then
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

-- As before; a batch that is alone for the sake of one event is sent again, with each event alone,
-- where one of several others turns out to change something too.
create or replace function store_run_1(events incoming_event_1[], arrival arrival_1, alone boolean)
returns outcome_1[] language plpgsql as $$
declare
  -- What changes others would change what the events beside it were given already.
  is_alone boolean := alone and cardinality(events) = 1;
  contacts bigint[] := resolve_contacts_1(events, is_alone);
  messages integer[] := '{}';
  others integer[] := '{}';
  copies outcome_1[] := '{}';
  has_messages boolean := (select bool_or(kind = 'message') from unnest(events));
  has_others boolean := (select bool_or(kind <> 'message') from unnest(events));
begin
  if has_messages then
    messages := store_messages_1(events, contacts, arrival);
    if cardinality(messages) < (select count(*) from unnest(events) as e where e.kind = 'message') then
      if are_placeholders_filled_1(events, messages) then
        perform require_alone_1(is_alone);
        perform fill_placeholder_1(events[1]);
        return store_run_1(array[filling_event_1(events[1])], arrival, alone);
      end if;
      copies := judge_copies_1(events, messages);
    end if;
    perform apply_earlier_edits_1(events, messages);
  end if;
  if has_others then
    others := store_others_1(events, contacts, arrival);
    perform update_states_1(events, others);
    if events[1].kind in ('edit', 'revoke') then
      perform require_alone_1(is_alone);
      perform apply_edits_1(events[1].message_id);
    end if;
    copies := copies || array(
      select row(e.ord, 'duplicate', null)::outcome_1 from unnest(events) as e
      where e.kind <> 'message' and e.ord <> all (others));
  end if;
  return copies;
end $$;
