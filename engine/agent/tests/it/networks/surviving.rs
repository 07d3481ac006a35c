//! What a crash, a kill and other people's tools leave of networks.

use std::process::Command;

use engine_api::networks::{CreateNetwork, EndpointSettings};
use nix::sys::signal::Signal;

use super::{SERVE, in_network, ip, page, publishing, rules};
use crate::rig::{Rig, until};

#[tokio::test]
async fn the_kill_of_an_engine_changes_nothing_of_a_network() {
    let mut rig = Rig::new().await;
    rig.network("app", CreateNetwork::default()).await;
    let web = rig
        .run_in("web", SERVE, publishing("app", "80/tcp", "", "8080"))
        .await;
    let db = rig.run_in("db", "sleep 1000", in_network("app")).await;
    until("the page is there", async || {
        page("127.0.0.1:8080").is_some()
    })
    .await;
    rig.signal_engine(Signal::SIGKILL);
    assert!(
        page("127.0.0.1:8080").is_some(),
        "no engine, and the port answers"
    );
    rig.start().await;
    assert_eq!(page("127.0.0.1:8080").as_deref(), web.get(..12));
    let said = rig.exec_text(&db, "wget -qO- http://web/").await;
    assert_eq!(said.trim(), &web[..12]);
    let said = rig.refused(
        publishing("bridge", "80/tcp", "", "8080"),
        EndpointSettings::default(),
    );
    assert!(said.await.contains("the container web has it"));
    let next = rig.run_in("next", "sleep 1000", in_network("app")).await;
    let next_address = rig
        .client
        .container(&next)
        .await
        .unwrap()
        .network_settings
        .ip_address;
    for id in [&web, &db] {
        let seen = rig.client.container(id).await.unwrap().network_settings;
        assert_ne!(seen.ip_address, "");
        assert_ne!(seen.ip_address, next_address);
    }
    for id in [web, db, next] {
        rig.force_remove(&id).await;
    }
    rig.end().await;
}

#[tokio::test]
async fn a_crash_at_any_step_of_a_start_leaves_no_link_no_rule_and_no_address() {
    for place in [
        "network.bridge",
        "network.reserved",
        "network.attached",
        "network.published",
        "start.launched",
    ] {
        let mut rig = Rig::new().await;
        rig.signal_engine(Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        let host = publishing("bridge", "80/tcp", "", "8080");
        let id = rig
            .create_with("web", SERVE, Default::default(), host)
            .await;
        let _ = rig.client.start_container(&id).await;
        rig.died().await;
        rig.start().await;
        until("nothing is left", async || {
            !ip("link").contains("gv") && !rules().contains("8080")
        })
        .await;
        rig.client.start_container(&id).await.unwrap();
        let seen = rig.client.container(&id).await.unwrap().network_settings;
        assert_eq!(seen.ip_address, "172.17.0.2", "{place}");
        until("the page is there", async || {
            page("127.0.0.1:8080").is_some()
        })
        .await;
        rig.force_remove(&id).await;
        rig.end().await;
    }
}

#[tokio::test]
async fn a_host_that_passed_nothing_on_still_passes_nothing_between_its_own_links() {
    let mut rig = Rig::new().await;
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "0").unwrap();
    ip("link add up0 type bridge");
    let web = rig.run("web", "sleep 1000").await;
    let closed = |rules: &str| {
        let set = rules.split("set closed4").nth(1).unwrap_or_default();
        set.split('}')
            .next()
            .unwrap_or_default()
            .contains("\"up0\"")
    };
    assert!(closed(&rules()), "{}", rules());
    rig.force_remove(&web).await;
    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    assert!(closed(&rules()), "the next engine knows it: {}", rules());
    // A link that comes later is another's affair, Docker's for one.
    ip("link add later0 type bridge");
    assert!(!rules().contains("later0"));
    rig.end().await;
}

#[tokio::test]
async fn a_table_that_somebody_flushes_is_put_back() {
    let rig = Rig::new().await;
    let web = rig
        .run_in("web", SERVE, publishing("bridge", "80/tcp", "", "8080"))
        .await;
    until("the page is there", async || {
        page("127.0.0.1:8080").is_some()
    })
    .await;
    assert!(
        Command::new("nft")
            .args(["flush", "ruleset"])
            .status()
            .unwrap()
            .success()
    );
    until("the port is back", async || rules().contains("8080")).await;
    let chain = ["flush", "chain", "inet", "gantry0", "forward"];
    assert!(Command::new("nft").args(chain).status().unwrap().success());
    until("its rules are back", async || {
        rules().contains("@talking accept")
    })
    .await;
    assert_eq!(page("127.0.0.1:8080").as_deref(), web.get(..12));
    rig.force_remove(&web).await;
    rig.end().await;
}

#[tokio::test]
async fn an_engine_that_is_told_to_leaves_the_hosts_network_as_it_was() {
    let mut rig = Rig::new().await;
    let before = ip("-o link").lines().count();
    let forwards = || std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward").unwrap();
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "0").unwrap();
    rig.network("app", CreateNetwork::default()).await;
    let web = rig.run_in("web", "sleep 1000", in_network("app")).await;
    rig.force_remove(&web).await;
    rig.signal_engine(Signal::SIGTERM);
    assert!(ip("-o link").lines().count() > before);
    let mut leave = Command::new(env!("CARGO_BIN_EXE_gantry-engine"));
    leave.arg("leave-network");
    leave
        .arg("--data")
        .arg(rig.path("d"))
        .arg("--run")
        .arg(rig.path("r"));
    leave.arg("--socket").arg(rig.path("s"));
    assert!(leave.status().unwrap().success());
    assert_eq!(ip("-o link").lines().count(), before);
    assert_eq!((rules().as_str(), forwards().as_str()), ("", "0\n"));
    rig.start().await;
    let again = rig.run_in("again", "sleep 1000", in_network("app")).await;
    rig.force_remove(&again).await;
    rig.end().await;
}
