-- Where a login came from, so that people recognise their own sessions and see a foreign one.
-- What the browser calls itself, cut down by us; empty for sessions from before this step.
alter table session add column browser text not null default ''
    constraint session_browser_check check (length(browser) <= 64);
alter table session add column address text not null default ''
    constraint session_address_check check (length(address) <= 64);
