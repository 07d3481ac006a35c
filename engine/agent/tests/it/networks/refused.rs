//! What cannot be, and in which words.

use engine_api::networks::{CreateNetwork, EndpointSettings};

use super::{in_network, subnet, with_address};
use crate::rig::Rig;

#[tokio::test]
async fn what_cannot_be_is_refused_and_names_the_other() {
    let rig = Rig::new().await;
    rig.network("app", subnet("10.40.0.0/29")).await;
    let make = async |body: CreateNetwork| {
        let body = CreateNetwork {
            name: "new".to_owned(),
            ..body
        };
        rig.client
            .create_network(&body)
            .await
            .unwrap_err()
            .to_string()
    };
    let said = make(subnet("10.40.0.0/16")).await;
    assert!(
        said.contains("10.40.0.0/29, which is of the network app"),
        "{said}"
    );
    for bad in ["10.41.0.1/24", "10.41.0.0/31", "10.41.0.0", "::/0"] {
        assert!(make(subnet(bad)).await.contains("subnet"), "{bad}");
    }
    let unknown = CreateNetwork {
        driver: "overlay".to_owned(),
        ..CreateNetwork::default()
    };
    assert!(make(unknown).await.contains("overlay"));
    let again = CreateNetwork {
        name: "app".to_owned(),
        ..CreateNetwork::default()
    };
    let said = rig
        .client
        .create_network(&again)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("network with name app already exists"),
        "{said}"
    );
    for bad in ["", "a b", "../x", "host", "container:x"] {
        let body = CreateNetwork {
            name: bad.to_owned(),
            ..CreateNetwork::default()
        };
        assert!(rig.client.create_network(&body).await.is_err(), "{bad}");
    }
    rig.end().await;
}

#[tokio::test]
async fn an_address_that_somebody_has_is_refused_and_names_who() {
    let rig = Rig::new().await;
    rig.network("app", subnet("10.40.0.0/29")).await;
    let holder = rig.run_in("holder", "sleep 1000", in_network("app")).await;
    let said = rig
        .refused(in_network("app"), with_address("10.40.0.2"))
        .await;
    assert!(
        said.contains("Address already in use: 10.40.0.2 by the container holder"),
        "{said}"
    );
    let said = rig
        .refused(in_network("app"), with_address("10.99.0.2"))
        .await;
    assert!(
        said.contains("no configured subnet contains IP address 10.99.0.2"),
        "{said}"
    );
    let said = rig
        .refused(in_network("app"), with_address("10.40.0.7"))
        .await;
    assert!(said.contains("10.40.0.7"), "{said}");
    let said = rig
        .refused(in_network("nobody"), EndpointSettings::default())
        .await;
    assert!(said.contains("network nobody not found"), "{said}");
    let mut others = Vec::new();
    for n in 0..4 {
        others.push(
            rig.run_in(&format!("c{n}"), "sleep 1000", in_network("app"))
                .await,
        );
    }
    let said = rig
        .refused(in_network("app"), EndpointSettings::default())
        .await;
    assert!(
        said.contains("no available addresses in 10.40.0.0/29"),
        "{said}"
    );
    for id in others.iter().chain([&holder]) {
        rig.force_remove(id).await;
    }
    rig.end().await;
}
