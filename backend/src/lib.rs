//! Accounts, access, audit, fleet, pages.
