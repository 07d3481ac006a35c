//! Containers that find each other, ports that answer, and what a crash leaves.
//!
//! Each test has a network namespace of its own for a host; see `rig::own_network`.

mod refused;
mod surviving;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use engine_api::containers::{CreateBody, HostConfig, NetworkingConfig, PortBinding};
use engine_api::networks::{
    ConnectBody, CreateNetwork, DisconnectBody, EndpointIpam, EndpointSettings, Ipam, IpamConfig,
};
use engine_client::RemoveOptions;

use crate::rig::{Rig, until};

const SERVE: &str = "mkdir /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w";

/// What the host's own tool says; fails when it does.
fn ip(words: &str) -> String {
    let output = Command::new("ip").args(words.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {words}");
    String::from_utf8(output.stdout).unwrap()
}

fn rules() -> String {
    let output = Command::new("nft").args(["list", "ruleset"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// Asks a web server for its one page.
fn page(address: &str) -> Option<String> {
    let address: SocketAddr = address.parse().unwrap();
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text.lines().last()?.to_owned())
}

fn in_network(name: &str) -> HostConfig {
    HostConfig {
        network_mode: name.to_owned(),
        ..HostConfig::default()
    }
}

fn publishing(name: &str, port: &str, host_ip: &str, host_port: &str) -> HostConfig {
    let binding = PortBinding {
        host_ip: host_ip.to_owned(),
        host_port: host_port.to_owned(),
    };
    HostConfig {
        port_bindings: BTreeMap::from([(port.to_owned(), Some(vec![binding]))]),
        ..in_network(name)
    }
}

impl Rig {
    async fn network(&self, name: &str, more: CreateNetwork) -> String {
        let body = CreateNetwork {
            name: name.to_owned(),
            ..more
        };
        self.client.create_network(&body).await.unwrap().id
    }

    async fn run_in(&self, name: &str, script: &str, host: HostConfig) -> String {
        let id = self
            .create_with(name, script, Default::default(), host)
            .await;
        self.client.start_container(&id).await.unwrap();
        id
    }

    /// Says why a container cannot be made, or started, in a network so.
    async fn refused(&self, host: HostConfig, endpoint: EndpointSettings) -> String {
        let name = host.network_mode.clone();
        let body = CreateBody {
            config: engine_api::containers::ContainerConfig {
                image: "busybox".to_owned(),
                cmd: Some(vec!["sleep".to_owned(), "1000".to_owned()]),
                ..Default::default()
            },
            host_config: host,
            networking_config: NetworkingConfig {
                endpoints_config: BTreeMap::from([(name, endpoint)]),
            },
        };
        let id = match self.client.create_container(None, &body).await {
            Ok(created) => created.id,
            Err(error) => return error.to_string(),
        };
        let error = self.client.start_container(&id).await.unwrap_err();
        self.client
            .remove_container(&id, RemoveOptions::default())
            .await
            .unwrap();
        error.to_string()
    }

    async fn force_remove(&self, id: &str) {
        let force = RemoveOptions {
            force: true,
            ..RemoveOptions::default()
        };
        self.client.remove_container(id, force).await.unwrap();
    }
}

fn subnet(net: &str) -> CreateNetwork {
    CreateNetwork {
        ipam: Some(Ipam {
            config: vec![IpamConfig {
                subnet: net.to_owned(),
                ..IpamConfig::default()
            }],
            ..Ipam::default()
        }),
        ..CreateNetwork::default()
    }
}

fn with_address(address: &str) -> EndpointSettings {
    EndpointSettings {
        ipam_config: Some(EndpointIpam {
            ipv4_address: address.to_owned(),
            ..EndpointIpam::default()
        }),
        ..EndpointSettings::default()
    }
}

#[tokio::test]
async fn a_container_that_names_no_network_is_in_the_bridge() {
    let rig = Rig::new().await;
    assert!(
        !ip("link").contains("gantry0"),
        "an engine that runs nothing makes nothing"
    );
    let web = rig.run("web", SERVE).await;
    let seen = rig.client.container(&web).await.unwrap();
    assert_eq!(seen.host_config().network_mode, "bridge");
    assert_eq!(seen.network_settings.ip_address, "172.17.0.2");
    assert_eq!(seen.network_settings.gateway, "172.17.0.1");
    assert_eq!(seen.network_settings.mac_address, "02:42:ac:11:00:02");
    let inside = rig
        .exec_text(&web, "ip -4 addr show eth0; ip route; cat /etc/hosts")
        .await;
    assert!(inside.contains("inet 172.17.0.2/16"), "{inside}");
    assert!(
        inside.contains("default via 172.17.0.1 dev eth0"),
        "{inside}"
    );
    assert!(
        inside.contains(&format!("172.17.0.2\t{}", &web[..12])),
        "{inside}"
    );
    until("the page is there", async || {
        page("172.17.0.2:80").is_some()
    })
    .await;
    rig.force_remove(&web).await;
    until("its link is gone", async || !ip("link").contains("gv")).await;
    rig.end().await;
}

#[tokio::test]
async fn published_ports_answer_and_are_free_again() {
    let rig = Rig::new().await;
    let web = rig
        .run_in("web", SERVE, publishing("bridge", "80/tcp", "", "8080"))
        .await;
    until("the page is there", async || {
        page("127.0.0.1:8080").is_some()
    })
    .await;
    assert_eq!(page("127.0.0.1:8080").as_deref(), web.get(..12));
    let shown = rig
        .client
        .container(&web)
        .await
        .unwrap()
        .network_settings
        .ports;
    let binding = shown["80/tcp"].as_ref().unwrap();
    assert_eq!(
        (binding[0].host_ip.as_str(), binding[0].host_port.as_str()),
        ("0.0.0.0", "8080")
    );

    let again = publishing("bridge", "80/tcp", "", "8080");
    let said = rig
        .refused(again.clone(), EndpointSettings::default())
        .await;
    assert!(
        said.contains("port is already allocated: the container web has it"),
        "{said}"
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().port().to_string();
    let theirs = publishing("bridge", "80/tcp", "127.0.0.1", &taken);
    let said = rig.refused(theirs, EndpointSettings::default()).await;
    assert!(
        said.contains(&format!("(pid {}) has it", std::process::id())),
        "{said}"
    );

    rig.force_remove(&web).await;
    assert_eq!(page("127.0.0.1:8080"), None);
    let web = rig.run_in("web", SERVE, again).await;
    until("the page is there again", async || {
        page("127.0.0.1:8080").is_some()
    })
    .await;
    rig.force_remove(&web).await;
    rig.end().await;
}

#[tokio::test]
async fn containers_of_a_network_know_each_other_by_name_and_others_do_not() {
    let rig = Rig::new().await;
    rig.network("app", CreateNetwork::default()).await;
    rig.network("other", CreateNetwork::default()).await;
    let web = rig.run_in("web", SERVE, in_network("app")).await;
    let db = rig.run_in("db", "sleep 1000", in_network("app")).await;
    let stranger = rig
        .run_in("stranger", "sleep 1000", in_network("other"))
        .await;
    let ask = "wget -qO- http://web/ 2>&1";
    until("the page is there", async || {
        rig.exec_text(&db, ask).await.trim() == &web[..12]
    })
    .await;
    let said = rig.exec_text(&db, "cat /etc/resolv.conf").await;
    assert!(said.contains("nameserver 127.0.0.11"), "{said}");
    let said = rig
        .exec_text(&stranger, "nslookup -type=a web.app 2>&1 || true")
        .await;
    assert!(!said.contains("172.18.0.2"), "{said}");
    let there = rig.client.container(&web).await.unwrap().network_settings;
    let address = there.networks["app"].ip_address.clone();
    let ask_address = format!("timeout 2 wget -qO- http://{address}/ 2>&1 || echo nobody");
    let said = rig.exec_text(&stranger, &ask_address).await;
    assert_eq!(said.trim().lines().last(), Some("nobody"), "{said}");

    let asked = ConnectBody {
        container: "stranger".to_owned(),
        ..ConnectBody::default()
    };
    rig.client.connect_network("app", &asked).await.unwrap();
    assert_eq!(rig.exec_text(&stranger, ask).await.trim(), &web[..12]);
    let asked = DisconnectBody {
        container: "stranger".to_owned(),
        force: false,
    };
    rig.client.disconnect_network("app", &asked).await.unwrap();
    let said = rig.exec_text(&stranger, "ip addr").await;
    assert!(said.contains("eth0") && !said.contains("eth1"), "{said}");
    let said = rig
        .client
        .remove_network("app")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("has active endpoints") && said.contains("\"web\""),
        "{said}"
    );
    for id in [web, db, stranger] {
        rig.force_remove(&id).await;
    }
    rig.client.remove_network("app").await.unwrap();
    assert!(!rules().contains("172.18"), "{}", rules());
    rig.end().await;
}

#[tokio::test]
async fn a_fixed_address_an_alias_and_a_hardware_address_are_as_asked() {
    let rig = Rig::new().await;
    rig.network("app", subnet("10.40.0.0/24")).await;
    let endpoint = EndpointSettings {
        aliases: Some(vec!["store".to_owned()]),
        mac_address: "02:00:00:00:00:07".to_owned(),
        ..with_address("10.40.0.77")
    };
    let body = CreateBody {
        config: engine_api::containers::ContainerConfig {
            image: "busybox".to_owned(),
            cmd: Some(vec!["sleep".to_owned(), "1000".to_owned()]),
            ..Default::default()
        },
        host_config: in_network("app"),
        networking_config: NetworkingConfig {
            endpoints_config: BTreeMap::from([("app".to_owned(), endpoint)]),
        },
    };
    let db = rig
        .client
        .create_container(Some("db"), &body)
        .await
        .unwrap()
        .id;
    rig.client.start_container(&db).await.unwrap();
    let said = rig.exec_text(&db, "ip addr show eth0").await;
    assert!(
        said.contains("10.40.0.77/24") && said.contains("02:00:00:00:00:07"),
        "{said}"
    );
    let web = rig.run_in("web", "sleep 1000", in_network("app")).await;
    for name in ["db", "store", &db[..12], "db.app", "STORE"] {
        let said = rig
            .exec_text(&web, &format!("nslookup -type=a {name}"))
            .await;
        assert!(said.contains("10.40.0.77"), "{name}: {said}");
    }
    let said = rig.exec_text(&web, "nslookup 10.40.0.77").await;
    assert!(said.contains("db.app"), "{said}");
    for id in [db, web] {
        rig.force_remove(&id).await;
    }
    rig.end().await;
}

#[tokio::test]
async fn a_container_may_have_anothers_network() {
    let rig = Rig::new().await;
    let web = rig.run("web", SERVE).await;
    let side = rig
        .run_in("side", "sleep 1000", in_network("container:web"))
        .await;
    until("the page is there", async || {
        rig.exec_text(&side, "wget -qO- http://127.0.0.1/ 2>&1")
            .await
            .trim()
            == &web[..12]
    })
    .await;
    let (ours, theirs) = ("cat /etc/hosts; ip addr", "cat /etc/hosts; ip addr");
    assert_eq!(
        rig.exec_text(&side, ours).await,
        rig.exec_text(&web, theirs).await
    );
    rig.force_remove(&side).await;
    rig.force_remove(&web).await;
    rig.end().await;
}

#[tokio::test]
async fn a_live_disconnect_gives_ports_back_and_an_internal_network_has_none() {
    let rig = Rig::new().await;
    rig.network("app", CreateNetwork::default()).await;
    let inside = CreateNetwork {
        internal: true,
        ..CreateNetwork::default()
    };
    rig.network("inside", inside).await;
    let web = rig
        .run_in("web", SERVE, publishing("app", "80/tcp", "", "8080"))
        .await;
    until("the page is there", async || {
        page("127.0.0.1:8080").is_some()
    })
    .await;
    let asked = DisconnectBody {
        container: "web".to_owned(),
        force: false,
    };
    rig.client.disconnect_network("app", &asked).await.unwrap();
    assert!(
        TcpListener::bind("0.0.0.0:8080").is_ok(),
        "the port is free"
    );
    rig.force_remove(&web).await;
    let silent = publishing("inside", "80/tcp", "", "8080");
    let silent = rig.run_in("silent", SERVE, silent).await;
    assert!(
        TcpListener::bind("0.0.0.0:8080").is_ok(),
        "nothing leads into it"
    );
    rig.force_remove(&silent).await;
    rig.end().await;
}
