-- oldest-replica: 1
-- A placeholder gets its content also where others are stored with it, and keeps it when it was
-- edited before.

-- As before, and as if nobody had edited it; then come its edits.
create or replace function fill_placeholder_1(e incoming_event_1) returns void language plpgsql as $$
begin
  update messages as m set type = e.type, text = e.text, folded = e.folded, content = e.content,
    reaction_to = e.reaction_to, edited = 0, original_text = null
  where m.message_id = e.message_id and m.namespace = e.namespace;
  insert into count_changes values ('type', 'media_placeholder', -1), ('type', e.type, 1);
  perform apply_edits_1(e.message_id);
end $$;

-- As before; a batch that is alone for another event is sent again, with each event alone, as soon
-- as one of several turns out to fill a placeholder.
create or replace function store_run_1(events incoming_event_1[], arrival arrival_1, alone boolean)
returns outcome_1[] language plpgsql as $$
declare
  contacts bigint[] := resolve_contacts_1(events, alone);
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
        perform require_alone_1(alone and cardinality(events) = 1);
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
      perform require_alone_1(alone);
      perform apply_edits_1(events[1].message_id);
    end if;
    copies := copies || array(
      select row(e.ord, 'duplicate', null)::outcome_1 from unnest(events) as e
      where e.kind <> 'message' and e.ord <> all (others));
  end if;
  return copies;
end $$;
