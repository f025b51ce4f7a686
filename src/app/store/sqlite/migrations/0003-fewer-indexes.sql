-- What each message changes at places all over the file costs a page of the log for each of them.

-- An index over the counters of all senders moved at two places with every message.
drop index senders_by_messages;
create table busiest_senders (
  sender text primary key,
  messages integer not null
) strict, without rowid;

insert into busiest_senders select sender, messages from senders order by messages desc, sender limit 10;

-- A key is an address, and contact_addresses knows whose: one person's at a time.
drop index contacts_by_key;
