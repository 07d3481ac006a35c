//! Who reaches whom.

use engine_network::firewall::Network;

use crate::world::{Place, World, port, usual};

/// A host with two networks: `web` and `db` in the one, `other` in the other.
fn two_networks() -> (World, [Place; 3]) {
    two_networks_in(World::new())
}

fn two_networks_in(mut world: World) -> (World, [Place; 3]) {
    world.network("gt0", &["172.17.0.1/16", "fd01::1/64"], &usual());
    world.network("gt1", &["172.18.0.1/16", "fd02::1/64"], &usual());
    let first = ["172.17.0.1", "fd01::1"];
    let web = world.container("gt0", &["172.17.0.2/16", "fd01::2/64"], &first);
    let db = world.container("gt0", &["172.17.0.3/16", "fd01::3/64"], &first);
    let second = ["172.18.0.1", "fd02::1"];
    let other = world.container("gt1", &["172.18.0.2/16", "fd02::2/64"], &second);
    (world, [web, db, other])
}

#[test]
fn neighbours_and_the_host_reach_a_container_by_its_address() {
    let (world, [web, db, _]) = two_networks();
    assert_eq!(db.seen_as("172.17.0.2:80"), "::ffff:172.17.0.3");
    assert_eq!(db.seen_as("[fd01::2]:80"), "fd01::3");
    assert_eq!(world.host.seen_as("172.17.0.2:80"), "::ffff:172.17.0.1");
    assert_eq!(
        web.seen_by_datagram_as("172.17.0.3:80"),
        "::ffff:172.17.0.2"
    );
}

#[test]
fn no_container_reaches_another_network_or_is_reached_from_outside_unasked() {
    let (world, [web, _, other]) = two_networks();
    assert!(other.gets_nowhere("172.17.0.2:80"));
    assert!(other.gets_nowhere("[fd01::2]:80"));
    assert!(world.outside.gets_nowhere("172.17.0.2:80"));
    assert!(world.outside.gets_nowhere("[fd01::2]:80"));
    assert!(web.gets_nowhere("172.18.0.2:80"));
}

#[test]
fn a_container_goes_out_with_the_hosts_address() {
    let (world, [web, ..]) = two_networks();
    world.outside.answer("[::]:90");
    assert_eq!(web.seen_as("10.200.0.2:90"), "::ffff:10.200.0.1");
    assert_eq!(web.seen_as("[fd00:200::2]:90"), "fd00:200::1");
    assert_eq!(
        web.seen_by_datagram_as("10.200.0.2:90"),
        "::ffff:10.200.0.1"
    );
}

#[test]
fn a_published_port_is_reached_from_everywhere_and_sees_who_asks() {
    let (mut world, [web, db, other]) = two_networks();
    world.publish(port("0.0.0.0", 8080, "172.17.0.2:80"));
    world.publish(port("::", 8080, "[fd01::2]:80"));
    assert_eq!(
        world.outside.seen_as("10.200.0.1:8080"),
        "::ffff:10.200.0.2"
    );
    assert_eq!(world.outside.seen_as("[fd00:200::1]:8080"), "fd00:200::2");
    assert_eq!(world.host.seen_as("10.200.0.1:8080"), "::ffff:10.200.0.1");
    assert_eq!(world.host.seen_as("127.0.0.1:8080"), "::ffff:172.17.0.1");
    assert_eq!(other.seen_as("10.200.0.1:8080"), "::ffff:172.18.0.2");
    assert_eq!(other.seen_as("[fd00:200::1]:8080"), "fd02::2");
    assert_eq!(db.seen_as("10.200.0.1:8080"), "::ffff:172.17.0.1");
    assert_eq!(db.seen_as("172.17.0.1:8080"), "::ffff:172.17.0.1");
    assert_eq!(web.seen_as("10.200.0.1:8080"), "::ffff:172.17.0.1");
    assert_eq!(web.seen_as("[fd00:200::1]:8080"), "fd01::1");
    assert!(world.outside.gets_nowhere("10.200.0.1:80"));
}

#[test]
fn where_bridged_frames_are_filtered_neighbours_and_ports_are_reached_too() {
    let (mut world, [web, db, other]) = two_networks_in(World::with_bridged_frames_filtered(true));
    world.publish(port("0.0.0.0", 8080, "172.17.0.2:80"));
    assert_eq!(db.seen_as("172.17.0.2:80"), "::ffff:172.17.0.3");
    assert!(other.gets_nowhere("172.17.0.2:80"));
    let client = "::ffff:10.200.0.2";
    assert_eq!(world.outside.seen_as("10.200.0.1:8080"), client);
    assert_eq!(other.seen_as("10.200.0.1:8080"), "::ffff:172.18.0.2");
    // Whose address its neighbour sees then is the kernel's affair; that there is an answer is ours.
    for (name, inside) in [("a neighbour", &db), ("itself", &web)] {
        assert!(!inside.gets_nowhere("10.200.0.1:8080"), "{name}");
    }
}

#[test]
fn a_port_of_localhost_is_the_hosts_alone() {
    let (mut world, [web, _, other]) = two_networks();
    world.publish(port("127.0.0.1", 8080, "172.17.0.2:80"));
    assert_eq!(world.host.seen_as("127.0.0.1:8080"), "::ffff:172.17.0.1");
    assert!(world.outside.gets_nowhere("10.200.0.1:8080"));
    // Packets for 127.0.0.1 that are really sent along the wire, as an attacker at it would.
    world.outside.run("sysctl -qw net.ipv4.conf.all.route_localnet=1; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via 10.200.0.1");
    assert!(world.outside.gets_nowhere("127.0.0.1:8080"));
    for (inside, gateway) in [(&web, "172.17.0.1"), (&other, "172.18.0.1")] {
        inside.run(&format!("sysctl -qw net.ipv4.conf.all.route_localnet=1; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1/32 via {gateway}"));
        assert!(inside.gets_nowhere("127.0.0.1:8080"));
    }
}

#[test]
fn a_port_of_one_address_is_not_there_at_another() {
    let (mut world, _) = two_networks();
    world.publish(port("10.200.0.1", 8080, "172.17.0.2:80"));
    assert_eq!(
        world.outside.seen_as("10.200.0.1:8080"),
        "::ffff:10.200.0.2"
    );
    assert!(world.host.gets_nowhere("127.0.0.1:8080"));
    assert!(world.host.gets_nowhere("172.17.0.1:8080"));
}

#[test]
fn an_internal_network_is_an_island() {
    let mut world = World::new();
    world.outside.answer("[::]:90");
    let internal = Network {
        is_internal: true,
        masks: false,
        ..usual()
    };
    world.network("gt0", &["172.17.0.1/16"], &usual());
    world.network("gt1", &["172.18.0.1/16", "fd02::1/64"], &internal);
    let web = world.container("gt0", &["172.17.0.2/16"], &["172.17.0.1"]);
    // Even one that gives itself a way out.
    let out = ["172.18.0.1", "fd02::1"];
    let inner = world.container("gt1", &["172.18.0.2/16", "fd02::2/64"], &out);
    let neighbour = world.container("gt1", &["172.18.0.3/16"], &[]);
    world.publish(port("0.0.0.0", 8080, "172.17.0.2:80"));
    assert_eq!(neighbour.seen_as("172.18.0.2:80"), "::ffff:172.18.0.3");
    assert!(inner.gets_nowhere("10.200.0.2:90"));
    assert!(inner.gets_nowhere("[fd00:200::2]:90"));
    assert!(inner.gets_nowhere("172.17.0.2:80"));
    assert!(inner.gets_nowhere("10.200.0.1:8080"));
    assert!(web.gets_nowhere("172.18.0.2:80"));
    assert!(world.outside.gets_nowhere("172.18.0.2:80"));
}

#[test]
fn containers_that_may_not_talk_do_not_but_reach_a_published_port() {
    let mut world = World::new();
    let silent = Network {
        talks: false,
        ..usual()
    };
    world.network("gt0", &["172.17.0.1/16"], &silent);
    let web = world.container("gt0", &["172.17.0.2/16"], &["172.17.0.1"]);
    let db = world.container("gt0", &["172.17.0.3/16"], &["172.17.0.1"]);
    assert!(db.gets_nowhere("172.17.0.2:80"));
    assert!(web.gets_nowhere("172.17.0.3:80"));
    world.publish(port("0.0.0.0", 8080, "172.17.0.2:80"));
    assert_eq!(db.seen_as("10.200.0.1:8080"), "::ffff:172.17.0.1");
}
