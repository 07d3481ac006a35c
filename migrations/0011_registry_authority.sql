-- Registries whose certificate an authority of their own signed: it is trusted for that registry alone.
-- In PEM; empty for those that everybody's authorities vouch for. It is no secret.
alter table registry add column authority text not null default '';
