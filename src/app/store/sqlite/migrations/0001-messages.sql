-- A row per message. seq is the committed sequence: it rises in the order of the commits.
create table messages (
  seq integer primary key,
  message_id text not null,
  sender text not null,
  recipient text not null,
  ts text not null,
  instant text not null,
  text text,
  received_at integer not null,
  body_sha256 blob not null,
  body blob not null
) strict;

create unique index messages_by_id on messages (message_id);
create index messages_by_instant on messages (instant, message_id);
create index messages_by_sender on messages (sender, instant, message_id);
create index messages_by_recipient on messages (recipient, instant, message_id);

-- Counters, kept in the transaction that stores the messages they count.
create table senders (
  sender text primary key,
  messages integer not null
) strict, without rowid;

create index senders_by_messages on senders (messages desc, sender);

create table totals (
  id integer primary key check (id = 1),
  last_seq integer not null,
  messages integer not null,
  senders integer not null
) strict;

insert into totals (id, last_seq, messages, senders) values (1, 0, 0, 0);

-- What this file is: the search index beside it must carry the same identity.
create table store (
  id integer primary key check (id = 1),
  identity text not null,
  opened_at integer not null
) strict;

insert into store (id, identity, opened_at) values (1, lower(hex(randomblob(16))), 0);
