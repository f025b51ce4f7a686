-- oldest-replica: 1
-- Texts are compared by their bytes, as in every engine: hence collate "C". Whatever is unique is
-- so without seq, so that tables can be distributed by message id, key or address.
create extension if not exists pg_trgm;

-- The committed sequence. Numbers are taken inside the transaction that stores them; how far it
-- can be read without passing over a transaction that commits late, settled_seq tells.
create sequence event_seq;
create sequence intake_ids;
create sequence contact_ids;

-- One webhook request that was accepted: its body, byte for byte, until its day is dropped.
create table intakes (
  id bigint not null,
  provider text collate "C" not null,
  received_at bigint not null,
  sha256 bytea not null,
  bytes integer not null,
  headers text not null,
  body bytea not null
) partition by range (received_at);

-- Takes whatever no day was made for: nothing may be refused for want of a partition.
create table intakes_default partition of intakes default;
create index intakes_by_id on intakes (id);
create index intakes_by_arrival on intakes using brin (received_at);

create table messages (
  seq bigint not null,
  message_id text collate "C" not null,
  namespace text collate "C" not null,
  provider text collate "C" not null,
  intake bigint not null,
  type text collate "C" not null,
  direction text collate "C" not null check (direction in ('inbound', 'outbound')),
  sender text collate "C" not null,
  recipient text collate "C" not null,
  contact bigint,
  phone_number_id text collate "C",
  ts text collate "C" not null,
  instant text collate "C" not null,
  -- What it says now, and what it said before it was edited (1) or revoked (2).
  text text collate "C",
  edited integer not null default 0,
  original_text text collate "C",
  -- The text as searches compare it.
  folded text collate "C",
  content text collate "C",
  -- Of a reaction, the message it is to.
  reaction_to text collate "C",
  received_at bigint not null,
  primary key (message_id, namespace)
);

create index messages_by_seq on messages (seq);
create index messages_by_instant on messages (instant, message_id, seq);
create index messages_by_sender on messages (sender, instant, message_id, seq);
create index messages_by_recipient on messages (recipient, instant, message_id, seq);
create index messages_by_contact on messages (contact, instant, message_id, seq);
-- New texts wait in a list that searches read too, until the upkeep takes them into the index: so
-- no acknowledgement waits for that, unless nobody did so for 16 MB.
create index messages_by_text on messages using gin (folded gin_trgm_ops)
  with (gin_pending_list_limit = 16384);

-- Whatever else happened. `key` is its identity among its kind; without one, nothing is ever taken
-- for a copy of it.
create table events (
  seq bigint not null,
  kind text collate "C" not null,
  type text collate "C" not null,
  key text collate "C",
  provider text collate "C" not null,
  intake bigint not null,
  message_id text collate "C",
  participant text collate "C",
  contact bigint,
  phone_number_id text collate "C",
  ts text collate "C" not null,
  instant text collate "C" not null,
  -- What an edit makes the message say, also as searches compare it.
  text text collate "C",
  folded text collate "C",
  data text collate "C" not null,
  received_at bigint not null
);

create unique index events_by_key on events (key, kind) where key is not null;
create index events_by_seq on events (seq);
create index events_by_message on events (message_id) where message_id is not null;
create index events_that_change on events (message_id) where kind in ('edit', 'revoke');

-- The status that counts now, of every message that any is known of.
create table message_states (
  message_id text collate "C" primary key,
  status text collate "C" not null
) with (fillfactor = 80);

-- People, apart from the business. A person is found by each address they were seen under.
create table contacts (
  id bigint primary key,
  key text collate "C" not null,
  phone text collate "C",
  user_id text collate "C",
  parent_user_id text collate "C",
  username text collate "C",
  name text collate "C",
  -- When the addresses and the profile were as they are here; '' before any was known.
  address_instant text collate "C" not null,
  profile_instant text collate "C" not null
) with (fillfactor = 80);

create unique index contacts_by_key on contacts (key);
create index contacts_by_username on contacts (username) where username is not null;

create table contact_addresses (
  address text collate "C" primary key,
  contact bigint not null
);

create index contact_addresses_by_contact on contact_addresses (contact);

-- Counters. Writers only append changes, so that none waits for another over a busy row; whoever
-- folds adds them up into the tables below. What is true is both together.
create table count_changes (
  counter text collate "C" not null,
  key text collate "C" not null,
  change bigint not null
);

create table activity_changes (
  contact bigint not null,
  messages bigint not null,
  last_instant text collate "C" not null
);

-- Messages by type, day and sender; states by status; events by kind; and how many senders.
create table counts (
  counter text collate "C" not null,
  key text collate "C" not null,
  count bigint not null,
  primary key (counter, key)
) with (fillfactor = 80);

create index counts_by_size on counts (counter, count desc, key) where counter = 'sender';

-- The messages of each person, and the instant of the newest.
create table activity (
  contact bigint primary key,
  messages bigint not null,
  last_instant text collate "C" not null
) with (fillfactor = 80);

create index activity_by_instant on activity (last_instant, contact);

-- Batches of the last hour, with what became of their events: a batch whose connection was lost
-- in mid-commit is sent again, and learns here whether it was stored.
create table batches (
  token uuid primary key,
  stored_at timestamptz not null default now(),
  outcomes json
);

create index batches_by_age on batches using brin (stored_at);

create table store (
  id integer primary key check (id = 1),
  identity text not null,
  -- Raw bodies that arrived earlier have expired; ms since 1970.
  expired_before bigint not null
);

insert into store (id, identity, expired_before)
  values (1, replace(gen_random_uuid()::text, '-', ''), 0);
