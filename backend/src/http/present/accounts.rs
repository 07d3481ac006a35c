//! Doors, one's own account, people.

use frontend::Words;
use frontend::format::Moment;
use frontend::pages::{Account, Ask, Login, People, PersonRow, SessionRow, Setup};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Action, Dialog, Field, Notice};
use jiff::Timestamp;

use super::Reader;
use super::fields::{choice, field, mark, password};
use crate::access::PermissionId;
use crate::domain::{self, AccountPlace, FieldError, Language, SessionKey, Theme};

/// A session as its owner sees it.
pub struct Session {
    /// Which.
    pub key: SessionKey,
    /// The browser of the login; empty when unknown.
    pub browser: String,
    /// The address of the login; empty when unknown.
    pub address: String,
    /// When the login was.
    pub since: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// Whether it is the one in use.
    pub is_own: bool,
}

/// Returns the log-in page.
pub fn login(reader: &Reader, name: &str, next: &str, error: Option<&FieldError>) -> Login {
    let words = reader.words;
    let name = Field {
        value: name.to_owned(),
        required: true,
        autocomplete: "username",
        ..field(words, "name", "account-name")
    };
    let mut fields = vec![
        name,
        password(words, "password", "password", "current-password"),
    ];
    let rest = mark(words, &mut fields, error);
    Login {
        shell: reader.shell(Section::Elsewhere, words.t("login-title")),
        notice: rest.map(Notice::failed),
        fields,
        next: next.to_owned(),
    }
}

/// Returns the set-up page.
pub fn setup(reader: &Reader, token: &str, name: &str, error: Option<&FieldError>) -> Setup {
    let words = reader.words;
    let mut fields = new_account(reader, name);
    let rest = mark(words, &mut fields, error);
    Setup {
        shell: reader.shell(Section::Elsewhere, words.t("setup-title")),
        notice: rest.map(Notice::failed),
        fields,
        path: paths::Setup(token).to_string(),
    }
}

fn new_account(reader: &Reader, name: &str) -> Vec<Field> {
    let words = reader.words;
    vec![
        Field {
            value: name.to_owned(),
            hint: words.t("account-name-hint"),
            required: true,
            autocomplete: "username",
            ..field(words, "name", "account-name")
        },
        Field {
            hint: words.t("password-hint"),
            ..password(words, "password", "password", "new-password")
        },
        password(words, "password_again", "password-again", "new-password"),
    ]
}

/// Returns the account page.
pub fn account(reader: &Reader, sessions: Vec<Session>, error: Option<&FieldError>) -> Account {
    let words = reader.words;
    let mut passwords = vec![
        password(words, "present", "password-old", "current-password"),
        Field {
            hint: words.t("password-hint"),
            ..password(words, "password", "password-new", "new-password")
        },
        password(words, "password_again", "password-again", "new-password"),
    ];
    let rest = mark(words, &mut passwords, error);
    let mut shell = reader.shell(Section::Elsewhere, words.t("account"));
    shell.notices.extend(rest.map(Notice::failed));
    Account {
        shell,
        password: passwords,
        look: look(reader),
        sessions: sessions
            .into_iter()
            .map(|row| SessionRow {
                current: row.is_own,
                key: row.key.to_string(),
                browser: or_unknown(words, row.browser),
                address: or_unknown(words, row.address),
                since: Moment::past(words, row.since, reader.now),
                seen: Moment::past(words, row.seen, reader.now),
            })
            .collect(),
    }
}

fn or_unknown(words: Words, text: String) -> String {
    if text.is_empty() {
        words.t("unknown")
    } else {
        text
    }
}

fn look(reader: &Reader) -> Vec<Field> {
    let words = reader.words;
    let account = reader.account.as_ref();
    let language = account.and_then(|account| account.language);
    let mut languages = vec![(String::new(), words.t("language-browser"))];
    languages.extend(Language::ALL.iter().map(|language| {
        let tag = language.tag();
        let name = frontend::Language::from_tag(tag).unwrap_or_default();
        (tag.to_owned(), name.own_name().to_owned())
    }));
    let themes = Theme::ALL.iter().map(|theme| {
        let key = match theme {
            Theme::System => "theme-system",
            Theme::Light => "theme-light",
            Theme::Dark => "theme-dark",
        };
        (theme.as_str().to_owned(), words.t(key))
    });
    let theme = account.map_or(Theme::System, |account| account.theme);
    vec![
        choice(
            words,
            "language",
            "language",
            language.map_or("", Language::tag),
            languages,
        ),
        choice(words, "theme", "theme", theme.as_str(), themes.collect()),
    ]
}

/// Returns the page of people.
pub fn people(
    reader: &Reader,
    accounts: &[domain::Account],
    name: &str,
    role: &str,
    error: Option<&FieldError>,
) -> People {
    let words = reader.words;
    let mut fields = new_account(reader, name);
    let roles = domain::Role::ALL
        .iter()
        .map(|role| (role.as_str().to_owned(), reader.role(*role)));
    fields.push(choice(words, "role", "role", role, roles.collect()));
    let rest = mark(words, &mut fields, error);
    let mut shell = reader.shell(Section::People, words.t("people"));
    shell.notices.extend(rest.map(Notice::failed));
    let n_owners = accounts
        .iter()
        .filter(|account| account.role == domain::Role::Owner)
        .count();
    let rows = accounts.iter().map(|account| {
        let is_last = account.role == domain::Role::Owner && n_owners == 1;
        let path = paths::PersonRemove(account.id.as_str()).to_string();
        let remove = Action::ask(words.t("remove"), "trash-2", path);
        let why = is_last.then_some("blocked-last-owner");
        PersonRow {
            name: account.name.to_string(),
            role: reader.role(account.role),
            since: Moment::past(words, account.created_at, reader.now),
            actions: vec![
                reader
                    .guard(remove, PermissionId::PeopleRemove, why)
                    .in_row(""),
            ],
        }
    });
    People {
        shell,
        rows: rows.collect(),
        add: match reader.reason(PermissionId::PeopleAdd) {
            Some(reason) => Err(reason),
            None => Ok(fields),
        },
    }
}

/// Returns the question before a person is removed.
pub fn ask_remove(reader: &Reader, place: &AccountPlace) -> Ask {
    let words = reader.words;
    let title = words.named("person-remove-title", &place.name);
    let is_own = reader
        .account
        .as_ref()
        .is_some_and(|account| account.id == place.id);
    let mut goes = vec![words.t("person-remove-goes")];
    if is_own {
        goes.push(words.t("person-remove-own"));
    }
    Ask {
        shell: reader.shell(Section::People, title.clone()),
        dialog: Dialog {
            words,
            title,
            names: Vec::new(),
            goes,
            stays: vec![words.t("person-remove-stays")],
            path: paths::PersonRemove(place.id.as_str()).to_string(),
            hidden: Vec::new(),
            check: None,
            yes: words.t("remove"),
            back: paths::People.to_string(),
        },
    }
}
