-- Registries that people name once, with the name and the password that are kept for each.
create table registry (
    registry_id text not null primary key,
    name text not null collate nocase constraint registry_name_key unique,
    -- As it stands before an image's name: a host, perhaps with a port. One row an address, so that
    -- there is one answer to whose name a pull goes by.
    address text not null constraint registry_address_key unique,
    -- Empty: nobody in particular.
    user text not null,
    -- The password, sealed with the key in secrets.key for this row and this address alone.
    secret blob,
    created_at text not null
) strict;
