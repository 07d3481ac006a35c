-- Logged-in browsers. A row outlives a restart of the server, so people stay logged in.
create table session (
    -- SHA-256 of the cookie's value: the table alone opens no door.
    session_key text not null primary key,
    account_id text not null
        constraint session_account_fkey references account (account_id) on delete cascade,
    created_at text not null,
    -- Renewed at most once a minute; the session ends twelve hours after it.
    last_seen_at text not null,
    -- Seven days after the login, whatever happens in between.
    expires_at text not null,
    -- What the session layer keeps, as JSON.
    data text not null
) strict;

create index session_account_idx on session (account_id);
create index session_expires_idx on session (expires_at);
