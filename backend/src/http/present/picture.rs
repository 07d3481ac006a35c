//! Who is connected with whom, for the picture.

use std::sync::Arc;

use frontend::pages::{NetworksPicture, NetworksTab};
use frontend::parts::{NetworkPicture, PictureContainer, PictureNetwork};
use frontend::paths;
use frontend::shell::Section;

use super::{Reader, exits, networks as present};
use crate::fleet::{ContainerFact, NetworkFact};

/// Returns the page.
pub fn page(
    reader: &Reader,
    networks: &[Arc<NetworkFact>],
    containers: &[Arc<ContainerFact>],
) -> NetworksPicture {
    let words = reader.words;
    let mut shell = reader.shell(Section::Networks, words.t("networks-picture"));
    shell.topics = "jobs networks".to_owned();
    let counts = [networks.len(), containers.len()].map(|count| count.to_string());
    let counts = [("networks", counts[0].as_str()), ("containers", &counts[1])];
    let host = (words.t("host-local"), paths::Overview.to_string());
    let drawn = networks.iter().map(|fact| network(fact));
    NetworksPicture {
        shell,
        tabs: present::tabs(reader, NetworksTab::Picture),
        picture: NetworkPicture::new(
            (
                words.t("picture-title"),
                words.with("picture-summary", &counts),
            ),
            host,
            drawn.collect(),
            containers
                .iter()
                .map(|fact| container(reader, networks, fact))
                .collect(),
        ),
    }
}

fn network(fact: &NetworkFact) -> PictureNetwork {
    let mut detail = vec![fact.network.driver.clone()];
    detail.extend(present::subnets(fact));
    PictureNetwork {
        name: fact.network.name.clone(),
        detail: detail.join(" · "),
        path: paths::Network(fact.id.as_str()).to_string(),
    }
}

fn container(
    reader: &Reader,
    networks: &[Arc<NetworkFact>],
    fact: &Arc<ContainerFact>,
) -> PictureContainer {
    let badge = exits::badge(reader, fact);
    let ports = fact.published.iter().filter_map(|published| {
        let port = published.port?;
        Some(format!("{port}→{}/{}", published.inner, published.protocol))
    });
    let is_in = |(number, network): (usize, &Arc<NetworkFact>)| {
        network.place_of(fact).is_some().then_some(number)
    };
    PictureContainer {
        name: fact.name.clone(),
        path: paths::Container(fact.id.as_str()).to_string(),
        tone: badge.tone,
        state: badge.word,
        ports: ports.collect::<Vec<_>>().join(", "),
        ports_path: paths::Ports.to_string(),
        networks: networks.iter().enumerate().filter_map(is_in).collect(),
    }
}
