-- One webhook request that was accepted: its body, byte for byte, until it expires.
create table intakes (
  id integer primary key,
  provider text not null,
  received_at integer not null,
  sha256 blob not null,
  bytes integer not null,
  headers text not null,
  encoding text not null check (encoding in ('identity', 'gzip')),
  body blob not null
) strict;

insert into intakes (id, provider, received_at, sha256, bytes, headers, encoding, body)
  select seq, 'flat', received_at, body_sha256, length(body), '{}', 'identity', body
  from messages order by seq;

-- People, apart from the business. A person is found by each address they were seen under.
create table contacts (
  id integer primary key,
  key text not null,
  phone text,
  user_id text,
  parent_user_id text,
  username text,
  name text,
  -- When the addresses and the profile were as they are here; '' before any was known.
  address_instant text not null,
  profile_instant text not null,
  messages integer not null,
  -- Of their newest message; null without any.
  last_instant text
) strict;

insert into contacts (key, phone, address_instant, profile_instant, messages, last_instant)
  select sender, sender, '', '', count(*), max(instant) from messages group by sender;

create unique index contacts_by_key on contacts (key);
create index contacts_by_username on contacts (username) where username is not null;
create index contacts_by_activity on contacts (last_instant, key) where last_instant is not null;

create table contact_addresses (
  address text primary key,
  contact integer not null
) strict, without rowid;

insert into contact_addresses (address, contact) select key, id from contacts;
create index contact_addresses_by_contact on contact_addresses (contact);

-- A row per message. seq is the committed sequence, shared with the table of events: it rises in
-- the order of the commits.
create table messages_2 (
  seq integer primary key,
  message_id text not null,
  namespace text not null,
  provider text not null,
  intake integer not null,
  type text not null,
  direction text not null check (direction in ('inbound', 'outbound')),
  sender text not null,
  recipient text not null,
  contact integer,
  phone_number_id text,
  ts text not null,
  instant text not null,
  -- What it says now, and what it said before it was edited (1) or revoked (2).
  text text,
  edited integer not null,
  original_text text,
  content text,
  received_at integer not null
) strict;

insert into messages_2
  select seq, message_id, '', 'flat', seq, 'text', 'inbound', sender, recipient,
    (select id from contacts where key = sender), null, ts, instant, text, 0, null, null,
    received_at
  from messages order by seq;

drop table messages;
alter table messages_2 rename to messages;

create unique index messages_by_id on messages (message_id, namespace);
create index messages_by_instant on messages (instant, message_id);
create index messages_by_sender on messages (sender, instant, message_id);
create index messages_by_recipient on messages (recipient, instant, message_id);
create index messages_by_contact on messages (contact, instant, message_id);

-- Whatever else happened: statuses, edits, calls… `key` is its identity among its kind; without
-- one, nothing is ever taken for a copy of it.
create table events (
  seq integer primary key,
  kind text not null,
  type text not null,
  key text,
  provider text not null,
  intake integer not null,
  -- The message it happened to.
  message_id text,
  participant text,
  contact integer,
  phone_number_id text,
  ts text not null,
  instant text not null,
  -- What an edit makes the message say.
  text text,
  data text not null,
  received_at integer not null
) strict;

create unique index events_by_key on events (kind, key) where key is not null;
create index events_by_message on events (message_id) where message_id is not null;

-- The status that counts now, of every message that any is known of.
create table message_states (
  message_id text primary key,
  status text not null
) strict, without rowid;

-- More counters: messages by type and by day, states by status, events by kind.
create table counts (
  counter text not null,
  key text not null,
  count integer not null,
  primary key (counter, key)
) strict, without rowid;

insert into counts select 'type', 'text', count(*) from messages having count(*) > 0;
insert into counts select 'kind', 'message', count(*) from messages having count(*) > 0;
insert into counts select 'day', substr(instant, 1, 10), count(*) from messages group by 2;

alter table totals add column last_intake integer not null default 0;
update totals set last_intake = last_seq;
