-- Wrong passwords of the last hours. Kept here and not in memory, so that a restart forgives nobody.
create table login_failure (
    login_failure_id integer not null primary key,
    -- As typed, in lower case and cut; not necessarily an account's.
    name text not null,
    address text not null,
    at text not null
) strict;

create index login_failure_name_idx on login_failure (name, address, at);
create index login_failure_address_idx on login_failure (address, at);
