-- oldest-replica: 1

-- As before. A placeholder says nothing of the text: behind its content it is a copy as well.
create or replace function judge_copies_1(events incoming_event_1[], created integer[])
returns outcome_1[] language sql as $$
  select array_agg(row(e.ord,
    case when m.sender = e.sender and m.recipient = e.recipient and m.ts = e.ts
      and (e.type = 'media_placeholder'
        or case m.edited when 0 then m.text else m.original_text end is not distinct from e.text)
    then 'duplicate' else 'conflict' end, m.intake)::outcome_1)
  from unnest(events) as e
  join messages as m on m.message_id = e.message_id and m.namespace = e.namespace
  where e.kind = 'message' and e.ord <> all (created)
$$;
