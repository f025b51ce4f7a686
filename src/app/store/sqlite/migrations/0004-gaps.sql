-- Numbers of the sequence that no row was ever given here: a copy from PostgreSQL brings them.
create table gaps (
  first integer primary key,
  last integer not null
) strict;
