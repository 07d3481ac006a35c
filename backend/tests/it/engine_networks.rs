//! The networks of the engine for tests.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use engine_api::containers::SummaryNetworkSettings;
use engine_api::networks::{EndpointSettings, Network, NetworkCreated, NetworksPruned};

use crate::engine::{FakeEngine, State, id, json, refuse};

/// A network with this name and the number of its id.
pub(crate) fn network(number: usize, name: &str, driver: &str, subnet: &str) -> Network {
    let pools = match subnet {
        "" => serde_json::json!([]),
        _ => serde_json::json!([{"Subnet": subnet}]),
    };
    let ipam = serde_json::json!({"Driver": "default", "Config": pools});
    Network {
        name: name.to_owned(),
        id: id(number),
        created: "2026-11-01T00:00:00Z".to_owned(),
        scope: "local".to_owned(),
        driver: driver.to_owned(),
        ipam: serde_json::from_value(ipam).unwrap(),
        ..Network::default()
    }
}

/// Those that are there when nobody made any, and one.
pub(crate) fn usual() -> Vec<Network> {
    vec![
        network(50, "shop", "bridge", "10.5.0.0/24"),
        network(51, "bridge", "bridge", "172.17.0.0/16"),
        network(52, "host", "host", ""),
    ]
}

/// The places of a container.
pub(crate) fn of(state: &State, container: &str) -> SummaryNetworkSettings {
    let number = state
        .containers
        .iter()
        .position(|(known, ..)| known == container);
    let mine = state
        .places
        .iter()
        .filter(|(member, _)| Some(*member) == number);
    let places = mine.map(|(member, network)| {
        let network = &state.networks[*network];
        let place = EndpointSettings {
            network_id: network.id.clone(),
            ip_address: format!("10.5.0.{}", member + 2),
            ip_prefix_len: 24,
            aliases: Some(vec![format!("alias-{member}")]),
            ..EndpointSettings::default()
        };
        (network.name.clone(), place)
    });
    SummaryNetworkSettings {
        networks: places.collect(),
    }
}

/// The ports that a container wants.
pub(crate) fn wanted(state: &State, container: &str) -> serde_json::Value {
    let mine = state.wanted.iter().filter(|(of, _)| of == container);
    let ports =
        mine.map(|(_, port)| serde_json::json!({"HostIp": "", "HostPort": port.to_string()}));
    serde_json::json!({"80/tcp": ports.collect::<Vec<_>>()})
}

/// Notes a change of networks, and answers it; the bodies are kept as what was put.
pub(crate) fn answer(
    engine: &FakeEngine,
    asked: &str,
    network: &str,
    caller: String,
) -> Response<Body> {
    engine.with(|state| state.asked.push((format!("{asked} {network}"), caller)));
    if engine.with(|state| state.is_broken) {
        let message = "Pool overlaps with other one on this address space: shop";
        return refuse(StatusCode::FORBIDDEN, message);
    }
    match asked {
        "network.create" => {
            let made = engine.with(|state| {
                let made = self::network(60, "made", "bridge", "10.6.0.0/24");
                state.networks.push(made.clone());
                made.id
            });
            engine.tell_of_network("create", &made);
            let id = made;
            let mut answer = json(&NetworkCreated {
                id,
                ..NetworkCreated::default()
            });
            *answer.status_mut() = StatusCode::CREATED;
            answer
        }
        "network.connect" => {
            engine.with(|state| state.places.push((1, 0)));
            engine.tell("update", &id(2));
            engine.tell_of_network("connect", network);
            Response::new(Body::empty())
        }
        "network.disconnect" => {
            engine.with(|state| state.places.retain(|place| *place != (1, 0)));
            engine.tell("update", &id(2));
            engine.tell_of_network("disconnect", network);
            Response::new(Body::empty())
        }
        "network.remove" => {
            engine.with(|state| state.networks.retain(|known| known.id != network));
            engine.tell_of_network("destroy", network);
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = StatusCode::NO_CONTENT;
            answer
        }
        _ => {
            engine.with(|state| state.networks.retain(|known| known.name != "shop"));
            engine.tell_of_network("destroy", &id(50));
            json(&NetworksPruned {
                networks_deleted: vec!["shop".to_owned()],
            })
        }
    }
}
