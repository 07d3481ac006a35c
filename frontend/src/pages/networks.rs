//! Networks: the list, the picture, one of them, the form of a new one; and the host's ports.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::format::Moment;
use crate::parts::NetworkPicture;
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Action, Badge, Column, Empty, Field, Filter, KeyValue, Pager, Recipes};
use crate::words::Words;

/// The pages about all networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworksTab {
    /// The list.
    List,
    /// The picture.
    Picture,
    /// The host's ports.
    Ports,
}

/// The way from one to the other.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/network_tabs.html")]
pub struct NetworkTabs {
    /// Language.
    pub words: Words,
    /// The one that is shown.
    pub current: NetworksTab,
}

impl HtmlSafe for NetworkTabs {}

impl NetworkTabs {
    fn tabs(&self) -> Vec<(String, &'static str, String, bool)> {
        let tab = |tab, key: &str, icon, path| (self.words.t(key), icon, path, tab == self.current);
        vec![
            tab(
                NetworksTab::List,
                "networks-list",
                "list-tree",
                paths::Networks.to_string(),
            ),
            tab(
                NetworksTab::Picture,
                "networks-picture",
                "network",
                paths::NetworksPicture.to_string(),
            ),
            tab(
                NetworksTab::Ports,
                "ports",
                "external-link",
                paths::Ports.to_string(),
            ),
        ]
    }
}

/// The list.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/networks_index.html")]
pub struct NetworksIndex {
    /// The frame.
    pub shell: Shell,
    /// The other pages about them.
    pub tabs: NetworkTabs,
    /// What can be done.
    pub actions: Vec<Action>,
    /// The same from elsewhere.
    pub recipes: Recipes,
    /// The filter field.
    pub filter: Filter,
    /// The column heads.
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<NetworkRow>,
    /// Where one is.
    pub pager: Pager,
    /// Shown when there are no rows.
    pub empty: Option<Empty>,
}

/// One network in the list.
#[derive(Debug, Clone)]
pub struct NetworkRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// That it is internal, has IPv6, or is the engine's own.
    pub marks: Vec<Badge>,
    /// Its driver.
    pub driver: String,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// The gateways of those.
    pub gateways: Vec<String>,
    /// "2 containers", or that nobody is in it.
    pub members: String,
    /// When it was made.
    pub created: Moment,
    /// What can be done.
    pub actions: Vec<Action>,
}

impl NetworkRow {
    fn path(&self) -> String {
        paths::Network(&self.id).to_string()
    }
}

/// The form of a new one.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/network_new.html")]
pub struct NetworkNew {
    /// The frame.
    pub shell: Shell,
    /// What everybody fills in.
    pub fields: Vec<Field>,
    /// What few do.
    pub more: Vec<Field>,
    /// Whether that stands open: something is wrong in it.
    pub open: bool,
}

/// One network.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/network_show.html")]
pub struct NetworkShow {
    /// The frame.
    pub shell: Shell,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// That it is internal, has IPv6, or is the engine's own.
    pub marks: Vec<Badge>,
    /// What can be done.
    pub actions: Vec<Action>,
    /// The same from elsewhere.
    pub recipes: Recipes,
    /// Its facts.
    pub facts: KeyValue,
    /// Its options and labels.
    pub settings: KeyValue,
    /// Who is in it, by name.
    pub members: Vec<MemberRow>,
    /// What connecting asks for; or the reason why nobody can be connected.
    pub connect: Result<Vec<Field>, String>,
}

impl NetworkShow {
    fn connect_path(&self) -> String {
        paths::NetworkConnect(&self.id).to_string()
    }
}

/// A container's place in a network: on the network's page, and on the container's.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The other's name.
    pub name: String,
    /// The other's page.
    pub path: String,
    /// The container's state; none on the container's own page.
    pub state: Option<Badge>,
    /// The addresses, each with its prefix's length.
    pub addresses: Vec<String>,
    /// The link's own address; empty while it has none.
    pub mac: String,
    /// What it is called there.
    pub aliases: String,
    /// Ends it, or begins it.
    pub action: Option<Action>,
}

/// Who is connected with whom.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/networks_picture.html")]
pub struct NetworksPicture {
    /// The frame.
    pub shell: Shell,
    /// The other pages about them.
    pub tabs: NetworkTabs,
    /// The picture.
    pub picture: NetworkPicture,
}

/// The networks that nobody is in.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/networks_prune.html")]
pub struct NetworksPrune {
    /// The frame.
    pub shell: Shell,
    /// What goes.
    pub rows: Vec<NetworkRow>,
    /// Shown when there is nothing.
    pub empty: Option<Empty>,
    /// The reason why it may not be done.
    pub locked: Option<String>,
}

impl NetworksPrune {
    fn yes(&self) -> String {
        self.shell
            .words
            .n("networks-prune-yes", self.rows.len() as u64)
    }
}

/// The host's ports that lead to containers.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/ports.html")]
pub struct Ports {
    /// The frame.
    pub shell: Shell,
    /// The other pages.
    pub tabs: NetworkTabs,
    /// From which number on a free one is looked for.
    pub from: Field,
    /// The next free one, in a sentence.
    pub free: String,
    /// By number.
    pub rows: Vec<ListenerRow>,
    /// Shown when there are none.
    pub empty: Option<Empty>,
}

/// A port of the host.
#[derive(Debug, Clone)]
pub struct ListenerRow {
    /// Its number, or that it is chosen at the start.
    pub port: String,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The host's address, or that it is all of them.
    pub address: String,
    /// The container's name.
    pub container: String,
    /// Its page.
    pub path: String,
    /// Its state.
    pub state: Badge,
    /// The container's port.
    pub inner: String,
    /// That others have or want it too.
    pub conflict: Option<Badge>,
}
