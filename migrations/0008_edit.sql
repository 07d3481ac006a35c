-- Containers that are being made anew. A row is there from before the first step until after the
-- last, so that a crash in the middle leads back to the container that was there.
create table edit (
    -- The container that was there.
    edit_id text not null primary key,
    -- Its name, and the one that the new container shall have.
    name text not null,
    new_name text not null,
    -- The name that the old one has meanwhile, and the one that the new one begins with.
    aside text not null,
    fresh text not null,
    -- The new container, once it is made.
    made text,
    -- Whether the old one ran, and whether it stays when all is done.
    ran integer not null,
    keeps_old integer not null,
    -- Whether the new one has taken its place: from then on the way is forward.
    proved integer not null default 0,
    begun_at text not null
) strict;
