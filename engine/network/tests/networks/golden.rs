//! The table as the kernel's own tool reads it; `golden/` holds what was reviewed.

use engine_network::firewall::{Network, Protocol};

use crate::world::{World, port, usual};

#[test]
fn the_table_reads_as_it_was_reviewed() {
    let mut world = World::new();
    // One of everything: the order of two is the kernel's affair.
    let everything = Network {
        is_internal: true,
        ..usual()
    };
    world.network("gt0", &["172.17.0.1/16", "fd01::1/64"], &everything);
    world.publish(port("0.0.0.0", 8080, "172.17.0.2:80"));
    world.publish(port("10.200.0.1", 8081, "172.17.0.2:81"));
    world.publish(port("::", 8080, "[fd01::2]:80"));
    let mut dns = port("fd00:200::1", 53, "[fd01::2]:53");
    dns.protocol = Protocol::Udp;
    world.publish(dns);

    let listed = world.host.run("nft list table inet gt0");
    assert_eq!(listed, include_str!("golden/table.txt"), "{listed}");
    world.rules.closed4 = vec!["eth9".to_owned()];
    world.apply();
    let closed = world.host.run("nft list set inet gt0 closed4");
    assert!(closed.contains("eth9"), "{closed}");
}

#[test]
fn the_table_goes_without_a_trace() {
    let world = World::new();
    assert!(world.host.inside(|| world.firewall.is_there()).unwrap());
    world.host.run("nft add table inet somebody");
    world.host.inside(|| world.firewall.clear()).unwrap();
    world.host.inside(|| world.firewall.clear()).unwrap();
    assert!(!world.host.inside(|| world.firewall.is_there()).unwrap());
    assert_eq!(world.host.run("nft list tables"), "table inet somebody\n");
}

#[test]
fn what_is_added_and_taken_away_is_what_a_new_table_would_hold() {
    let mut world = World::new();
    world.network("gt0", &["172.17.0.1/16"], &usual());
    let before = world.host.run("nft list table inet gt0");
    let ports: Vec<_> = (1..2_000)
        .map(|n| port("0.0.0.0", n, "172.17.0.2:80"))
        .collect();
    world
        .host
        .inside(|| world.firewall.add(&[], &ports))
        .unwrap();
    assert!(
        world
            .host
            .run("nft list table inet gt0")
            .contains("tcp . 1999 ")
    );
    world
        .host
        .inside(|| world.firewall.take_away(&[], &ports))
        .unwrap();
    assert_eq!(world.host.run("nft list table inet gt0"), before);
    let gone = world
        .host
        .inside(|| world.firewall.take_away(&[], &ports[..1]));
    assert!(gone.is_err());
}

#[test]
fn a_table_without_its_rules_is_not_whole() {
    let world = World::new();
    let is_whole = || world.host.inside(|| world.firewall.is_whole()).unwrap();
    assert!(is_whole());
    world.host.run("nft flush chain inet gt0 forward");
    assert!(!is_whole());
    world.apply();
    assert!(is_whole());
    world.host.run("nft flush ruleset");
    assert!(!is_whole());
}

#[test]
fn six_thousand_ports_fit_into_one_step() {
    let mut world = World::new();
    world.network("gt0", &["172.17.0.1/16"], &usual());
    let ports = (1..=6_000).map(|n| port("0.0.0.0", n, "172.17.0.2:80"));
    world.rules.ports = ports.collect();
    world.apply();
    let listed = world.host.run("nft list map inet gt0 anyport4");
    assert_eq!(listed.matches(" : 172.17.0.2 . 80").count(), 6_000);
}
