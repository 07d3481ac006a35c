-- Single values of the server: the fingerprint of the set-up link, and whatever else has no table.
create table setting (
    setting_id text not null primary key,
    value text not null,
    changed_at text not null
) strict;
