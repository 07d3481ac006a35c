-- What registries said their tags stand for, so that a restart of the server asks none of them again.
create table tag_check (
    -- With its registry and its tag: docker.io/library/nginx:1.29.
    reference text not null primary key,
    -- The last digest that the registry gave, and when; null until it has given one.
    digest text,
    found_at text,
    -- When it was asked last.
    checked_at text not null,
    -- Why it gave none then, in the engine's words; null when it gave one.
    problem text,
    -- How often in a row it gave none.
    n_failures integer not null,
    -- Nobody asks before this by itself.
    next_at text not null,
    -- The image that had the name here then: another one by now makes the check too old.
    image_id text not null
) strict;
-- Registries that said that they are asked too often, and until when they are left alone.
create table registry_rest (
    -- As it stands before an image's name, docker.io for names without one.
    registry text not null primary key,
    until_at text not null
) strict;
