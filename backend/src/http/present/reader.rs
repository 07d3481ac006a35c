//! Who reads a page, in which language, at which moment: what every view model is made for.

use frontend::parts::JobTray;
use frontend::shell::{Section, Shell, Theme, Viewer};
use frontend::ui::{Action, Notice};
use frontend::{Language, Words};
use jiff::Timestamp;

use crate::access::{PermissionId, policy};
use crate::domain::{self, Account, Role};
use crate::fleet::HostState;
use crate::services::updates::Marks;

/// The reader of a page.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The words of their language.
    pub words: Words,
    /// Their account; nobody's outside.
    pub account: Option<Account>,
    /// The moment the page is drawn.
    pub now: Timestamp,
    /// Whether the engine answers, as far as this page shows what it said.
    pub engine: HostState,
    /// Where the engine answers, for recipes.
    pub socket: String,
    /// Tells how images stand against their registries; nothing outside.
    pub marks: Option<Marks>,
}

/// Where an engine answers when nobody says otherwise.
const USUAL_ENGINE: &str = "/run/gantry/engine.sock";

impl Reader {
    /// Returns a reader who is logged in; their own language goes before the browser's.
    pub fn inside(account: Account, browser: domain::Language, now: Timestamp) -> Self {
        let language = account.language.unwrap_or(browser);
        Self {
            words: words(language),
            account: Some(account),
            now,
            engine: HostState::Unknown,
            socket: USUAL_ENGINE.to_owned(),
            marks: None,
        }
    }

    /// Returns a reader who is not.
    pub fn outside(browser: domain::Language, now: Timestamp) -> Self {
        Self {
            words: words(browser),
            account: None,
            now,
            engine: HostState::Unknown,
            socket: USUAL_ENGINE.to_owned(),
            marks: None,
        }
    }

    /// Returns the same reader of what an engine in this state has said.
    pub fn hearing(self, engine: HostState) -> Self {
        Self { engine, ..self }
    }

    /// Returns that the engine is away, why, what to do, and how old what is shown is.
    fn away(&self) -> Option<Notice> {
        let HostState::Offline { since, diagnosis } = &self.engine else {
            return None;
        };
        let key = diagnosis.key();
        let part = |part| {
            self.words
                .named(&format!("{key}{part}"), diagnosis.subject())
        };
        let since = since.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        let as_of = self.words.named("shown-as-of", &since);
        let text = format!("{} {} {as_of}", part(".text"), part(".advice"));
        Some(Notice::failed(text))
    }

    /// Returns the same reader, who is shown how images stand against their registries.
    pub fn marking(self, marks: Marks) -> Self {
        let marks = Some(marks);
        Self { marks, ..self }
    }

    /// Returns the same reader, before an engine that answers there.
    pub fn before(self, socket: String) -> Self {
        Self { socket, ..self }
    }

    /// Returns whether the reader holds a permission at all.
    pub fn may(&self, permission: PermissionId) -> bool {
        let role = self.account.as_ref().map(|account| account.role);
        role.is_some_and(|role| policy::decide(role, permission).is_some())
    }

    /// Returns why the reader may not use a permission; `None` when they may.
    pub fn reason(&self, permission: PermissionId) -> Option<String> {
        if self.may(permission) {
            return None;
        }
        let role = self.account.as_ref().map_or(Role::Viewer, |a| a.role);
        let values = [
            ("role", self.role(role)),
            ("permission", permission.name().to_owned()),
        ];
        let values = values.each_ref().map(|(name, text)| (*name, text.as_str()));
        Some(self.words.with("blocked-permission", &values))
    }

    /// Blocks an action by the lack of a permission, else by a state.
    pub fn guard(
        &self,
        action: Action,
        permission: PermissionId,
        state: Option<&'static str>,
    ) -> Action {
        let state = || state.map(|key| self.words.t(key));
        action.unless(self.reason(permission).or_else(state))
    }

    /// Returns the name of a role.
    pub fn role(&self, role: Role) -> String {
        self.words.t(match role {
            Role::Viewer => "role-viewer",
            Role::Owner => "role-owner",
        })
    }

    /// Returns the frame of a page.
    pub fn shell(&self, section: Section, title: String) -> Shell {
        let account = self.account.as_ref();
        let viewer = account.map(|account| Viewer {
            name: account.name.to_string(),
            role: self.role(account.role),
            sees_registries: self.may(PermissionId::RegistryList),
            sees_people: self.may(PermissionId::PeopleList),
            sees_audit: self.may(PermissionId::AuditView),
        });
        Shell {
            words: self.words,
            title,
            section,
            viewer: viewer.unwrap_or_default(),
            notices: Vec::<Notice>::new(),
            engine: shows_engine(section).then(|| self.away()).flatten(),
            theme: account.map_or(Theme::System, |account| {
                Theme::from_tag(account.theme.as_str())
            }),
            jobs: JobTray {
                words: self.words,
                ..JobTray::default()
            },
            topics: "jobs".to_owned(),
        }
    }
}

/// Tells whether the pages of a section show what the engine said.
fn shows_engine(section: Section) -> bool {
    matches!(
        section,
        Section::Overview
            | Section::Containers
            | Section::Images
            | Section::Networks
            | Section::Events
    )
}

fn words(language: domain::Language) -> Words {
    Words(Language::from_tag(language.tag()).unwrap_or_default())
}
