-- People who may log in.
create table account (
    account_id text not null primary key,
    -- ASCII only, so nocase compares it as people do.
    name text not null collate nocase constraint account_name_key unique,
    -- Argon2id in PHC form: parameters, salt and hash in one text.
    password_hash text not null,
    role text not null constraint account_role_check check (role in ('viewer', 'owner')),
    -- Null: the browser's.
    language text constraint account_language_check check (language in ('en', 'ko')),
    created_at text not null
) strict;

create trigger account_last_owner_delete
before delete on account
when old.role = 'owner' and (select count(*) from account where role = 'owner') = 1
begin
    select raise(abort, 'account_last_owner');
end;

create trigger account_last_owner_update
before update of role on account
when old.role = 'owner' and new.role <> 'owner'
    and (select count(*) from account where role = 'owner') = 1
begin
    select raise(abort, 'account_last_owner');
end;
