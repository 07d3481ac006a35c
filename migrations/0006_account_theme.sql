-- Light or dark, chosen per account.
alter table account add column theme text not null default 'system'
    constraint account_theme_check check (theme in ('system', 'light', 'dark'));
