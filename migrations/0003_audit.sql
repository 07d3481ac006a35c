-- What was done, by whom, from where. Rows are only ever added, and each holds the hash of the one
-- before it, so that a changed or missing row is found by `gantry admin check`.
create table audit_entry (
    -- Without autoincrement a removed last row would give its number away again.
    audit_entry_id integer not null primary key autoincrement,
    -- The entry that this one completes; null for the first of an action.
    opens integer constraint audit_entry_opens_fkey references audit_entry (audit_entry_id),
    at text not null,
    actor_kind text not null
        constraint audit_entry_actor_check
        check (actor_kind in ('account', 'unknown', 'operator', 'server')),
    -- No foreign key: the entry stays when the account goes.
    account_id text,
    actor text not null,
    address text,
    request_id text,
    action text not null,
    place_kind text not null,
    place_id text not null,
    place_name text not null,
    outcome text not null
        constraint audit_entry_outcome_check
        check (outcome in ('begun', 'done', 'failed', 'refused', 'interrupted')),
    detail text not null,
    previous_hash text not null,
    hash text not null
) strict;

create unique index audit_entry_opens_key on audit_entry (opens) where opens is not null;
create index audit_entry_account_idx on audit_entry (account_id) where opens is null;
create index audit_entry_place_idx on audit_entry (place_kind, place_id) where opens is null;

create trigger audit_entry_no_update before update on audit_entry
begin
    select raise(abort, 'audit_entry_append_only');
end;

create trigger audit_entry_no_delete before delete on audit_entry
begin
    select raise(abort, 'audit_entry_append_only');
end;
