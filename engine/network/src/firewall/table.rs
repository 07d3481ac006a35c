//! The table: its sets, maps and chains, and what lies in them.
//!
//! Chains never change; networks and ports are elements of sets and maps, found by hash, so the
//! thousandth port costs what the first did. As `nft list table` shows it, see the golden file of
//! the tests.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::rule::{Field, Rule, link_name};
use super::wire::{APPEND, Attributes, Batch, CREATE, Verb};
use super::{Network, Port, Rules};

/// Both versions of IP in one table.
pub(super) const INET: u8 = 1;

/// Types of keys by the numbers of `nft`; several are one behind another, 6 bits each.
const IPV4: u32 = 7;
const IPV6: u32 = 8;
const PROTOCOL: u32 = 12;
const SERVICE: u32 = 13;
const LINK: u32 = 41;

/// The most elements of one message, whose attributes may not be longer than 64 KiB.
const ELEMENTS_MAX: usize = 400;

/// A set or a map of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Set {
    /// The bridges.
    Bridges,
    /// Those whose containers reach nobody outside.
    Internal,
    /// Those whose containers go out with this host's address.
    Masked,
    /// Each bridge with itself.
    Itself,
    /// Those whose containers may talk with each other.
    Talking,
    /// Each address that a port leads to, with itself.
    Same4,
    Same6,
    /// Links between which this host passed nothing on before the engine let it.
    Closed4,
    Closed6,
    /// Where a port of one address of this host leads.
    Port4,
    Port6,
    /// Where a port of all addresses of this host leads.
    AnyPort4,
    AnyPort6,
}

const SETS: [Set; 13] = [
    Set::Bridges,
    Set::Internal,
    Set::Masked,
    Set::Itself,
    Set::Talking,
    Set::Same4,
    Set::Same6,
    Set::Closed4,
    Set::Closed6,
    Set::Port4,
    Set::Port6,
    Set::AnyPort4,
    Set::AnyPort6,
];

impl Set {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bridges => "bridges",
            Self::Internal => "internal",
            Self::Masked => "masked",
            Self::Itself => "itself",
            Self::Talking => "talking",
            Self::Same4 => "same4",
            Self::Same6 => "same6",
            Self::Closed4 => "closed4",
            Self::Closed6 => "closed6",
            Self::Port4 => "port4",
            Self::Port6 => "port6",
            Self::AnyPort4 => "anyport4",
            Self::AnyPort6 => "anyport6",
        }
    }

    /// The types of the key, and of the data if it is a map.
    fn types(self) -> (&'static [u32], &'static [u32]) {
        match self {
            Self::Bridges | Self::Internal | Self::Masked | Self::Closed4 | Self::Closed6 => {
                (&[LINK], &[])
            }
            Self::Itself | Self::Talking => (&[LINK, LINK], &[]),
            Self::Same4 => (&[IPV4, IPV4], &[]),
            Self::Same6 => (&[IPV6, IPV6], &[]),
            Self::Port4 => (&[IPV4, PROTOCOL, SERVICE], &[IPV4, SERVICE]),
            Self::Port6 => (&[IPV6, PROTOCOL, SERVICE], &[IPV6, SERVICE]),
            Self::AnyPort4 => (&[PROTOCOL, SERVICE], &[IPV4, SERVICE]),
            Self::AnyPort6 => (&[PROTOCOL, SERVICE], &[IPV6, SERVICE]),
        }
    }
}

fn length(types: &[u32]) -> u32 {
    let of = |kind: &u32| match *kind {
        IPV6 | LINK => 16,
        _ => 4,
    };
    types.iter().map(of).sum()
}

fn number(types: &[u32]) -> u32 {
    types.iter().fold(0, |all, one| (all << 6) | one)
}

/// An element of a set, or an entry of a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Element {
    pub(super) set: Set,
    key: Vec<u8>,
    data: Option<Vec<u8>>,
}

/// The elements of a network.
pub(super) fn of_network(network: &Network) -> Vec<Element> {
    let link = link_name(&network.bridge);
    let one = |set| Element {
        set,
        key: link.to_vec(),
        data: None,
    };
    let twice = |set| Element {
        set,
        key: [link, link].concat(),
        data: None,
    };
    let mut elements = vec![one(Set::Bridges), twice(Set::Itself)];
    if network.is_internal {
        elements.push(one(Set::Internal));
    }
    if network.masks {
        elements.push(one(Set::Masked));
    }
    if network.talks {
        elements.push(twice(Set::Talking));
    }
    elements
}

/// The entries of a port; none when its two addresses are of two versions, which no rule can join.
///
/// One of them says where it leads alone: ports of one address come and go together.
pub(super) fn of_port(port: &Port) -> Vec<Element> {
    let is_any = port.host.is_unspecified();
    let (set, address, to) = match (port.host, port.to.ip()) {
        (IpAddr::V4(host), IpAddr::V4(to)) => {
            let set = if is_any { Set::AnyPort4 } else { Set::Port4 };
            (set, host.octets().to_vec(), to.octets().to_vec())
        }
        (IpAddr::V6(host), IpAddr::V6(to)) => {
            let set = if is_any { Set::AnyPort6 } else { Set::Port6 };
            (set, host.octets().to_vec(), to.octets().to_vec())
        }
        _ => return Vec::new(),
    };
    let same = Element {
        set: match port.to.ip() {
            IpAddr::V4(_) => Set::Same4,
            IpAddr::V6(_) => Set::Same6,
        },
        key: to.repeat(2),
        data: None,
    };
    let word = |value: u16| [value.to_be_bytes(), [0; 2]].concat();
    let mut key = if is_any { Vec::new() } else { address };
    key.extend([port.protocol.number(), 0, 0, 0]);
    key.extend(word(port.number));
    let data = [to, word(port.to.port())].concat();
    let entry = Element {
        set,
        key,
        data: Some(data),
    };
    vec![entry, same]
}

/// Adds or takes away elements.
pub(super) fn change(batch: &mut Batch, table: &str, verb: Verb, elements: &[Element]) {
    for set in SETS {
        let of_set: BTreeSet<&Element> = elements.iter().filter(|one| one.set == set).collect();
        let of_set: Vec<&Element> = of_set.into_iter().collect();
        for chunk in of_set.chunks(ELEMENTS_MAX) {
            let list = chunk.iter().fold(Attributes::default(), |list, element| {
                let value = |bytes: &[u8]| Attributes::default().bytes(1, bytes);
                let mut one = Attributes::default().nest(1, &value(&element.key));
                if let Some(data) = &element.data {
                    one = one.nest(2, &value(data));
                }
                list.nest(1, &one)
            });
            let inner = Attributes::default()
                .name(1, table)
                .name(2, set.name())
                .nest(3, &list);
            let flags = if verb == Verb::NewElement { CREATE } else { 0 };
            batch.add(verb, INET, flags, &inner);
        }
    }
}

/// Makes the table anew in one step, with everything in it.
pub(super) fn replace(batch: &mut Batch, table: &str, rules: &Rules) {
    let named = |kind| Attributes::default().name(kind, table);
    // One that is not there cannot be removed; so it is made first.
    batch.add(Verb::NewTable, INET, CREATE, &named(1));
    batch.add(Verb::DelTable, INET, 0, &named(1));
    batch.add(Verb::NewTable, INET, CREATE, &named(1));
    for (place, set) in (1..).zip(SETS) {
        batch.add(Verb::NewSet, INET, CREATE, &definition(table, set, place));
    }
    for chain in CHAINS {
        batch.add(Verb::NewChain, INET, CREATE, &chain.definition(table));
        for rule in chain.rules() {
            let inner = Attributes::default()
                .name(1, table)
                .name(2, chain.name())
                .nest(4, &rule.into_list());
            batch.add(Verb::NewRule, INET, CREATE | APPEND, &inner);
        }
    }
    let networks = rules.networks.iter().flat_map(of_network);
    let ports = rules.ports.iter().flat_map(of_port);
    let closed = |set, links: &[String]| {
        let links = links.iter().map(|link| Element {
            set,
            key: link_name(link).to_vec(),
            data: None,
        });
        links.collect::<Vec<_>>()
    };
    let closed = closed(Set::Closed4, &rules.closed4)
        .into_iter()
        .chain(closed(Set::Closed6, &rules.closed6));
    let elements: Vec<Element> = networks.chain(ports).chain(closed).collect();
    change(batch, table, Verb::NewElement, &elements);
}

fn definition(table: &str, set: Set, place: u32) -> Attributes {
    const MAP: u32 = 8;
    let (key, data) = set.types();
    let inner = Attributes::default()
        .name(1, table)
        .name(2, set.name())
        .number(3, if data.is_empty() { 0 } else { MAP })
        .number(4, number(key))
        .number(5, length(key))
        .number(10, place);
    // Names of links are bytes as the kernel holds them; without this word `nft` reads them backwards.
    const AS_HELD: [u8; 6] = [0, 4, 1, 0, 0, 0];
    let inner = match key {
        [LINK] => inner.bytes(13, &AS_HELD),
        _ => inner,
    };
    match data {
        [] => inner,
        data => inner.number(6, number(data)).number(7, length(data)),
    }
}

/// How many rules the table has.
pub(super) fn n_rules() -> usize {
    CHAINS.iter().map(|chain| chain.rules().len()).sum()
}

/// Where packets are looked at.
#[derive(Debug, Clone, Copy)]
enum Chain {
    /// Before anything else: who pretends to be this host.
    Guard,
    /// From one link to another.
    Forward,
    /// To a published port, from outside and from containers.
    Arriving,
    /// To a published port, from this host itself.
    Own,
    /// With whose address a packet leaves.
    Leaving,
}

const CHAINS: [Chain; 5] = [
    Chain::Guard,
    Chain::Forward,
    Chain::Arriving,
    Chain::Own,
    Chain::Leaving,
];

impl Chain {
    fn name(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Forward => "forward",
            Self::Arriving => "arriving",
            Self::Own => "own",
            Self::Leaving => "leaving",
        }
    }

    fn definition(self, table: &str) -> Attributes {
        let (kind, hook, priority) = match self {
            Self::Guard => ("filter", 0, -300),
            Self::Forward => ("filter", 2, 0),
            Self::Arriving => ("nat", 0, -100),
            Self::Own => ("nat", 3, -100),
            Self::Leaving => ("nat", 4, 100_i32),
        };
        let hook = Attributes::default()
            .number(1, hook)
            .bytes(2, &priority.to_be_bytes());
        Attributes::default()
            .name(1, table)
            .name(3, self.name())
            .nest(4, &hook)
            .name(7, kind)
    }

    fn rules(self) -> Vec<Rule> {
        use Field::{From, Source4, Source6, Target4, Target6, To};
        const ESTABLISHED_OR_RELATED: u32 = 2 | 4;
        let rule = Rule::default;
        let from_ours = || rule().found(&[From], "bridges", true);
        let to_ours = || rule().found(&[To], "bridges", true);
        match self {
            Self::Guard => vec![
                // A published port of 127.0.0.1 is the host's alone, whoever sends such packets.
                rule()
                    .comes_by("lo", false)
                    .version(false)
                    .loopback(Target4)
                    .drop(),
                from_ours().version(false).loopback(Source4).drop(),
            ],
            Self::Forward => vec![
                rule().found(&[From, To], "talking", true).accept(),
                rule().found(&[From], "internal", true).drop(),
                rule().found(&[To], "internal", true).drop(),
                to_ours().state(ESTABLISHED_OR_RELATED).accept(),
                to_ours().led_elsewhere().accept(),
                to_ours().drop(),
                from_ours().accept(),
                // This host passed nothing on between these before the engine let it; nor now.
                rule()
                    .version(false)
                    .found(&[From], "closed4", true)
                    .found(&[To], "closed4", true)
                    .drop(),
                rule()
                    .version(true)
                    .found(&[From], "closed6", true)
                    .found(&[To], "closed6", true)
                    .drop(),
            ],
            Self::Arriving | Self::Own => leading(),
            Self::Leaving => vec![
                rule()
                    .found(&[From], "masked", true)
                    .found(&[To], "bridges", false)
                    .masquerade(),
                // Its neighbour, or itself, would answer a container directly, and nobody know it.
                rule()
                    .found(&[From, To], "itself", true)
                    .led_elsewhere()
                    .masquerade(),
                // The same, on its way to itself across the bridge alone (`br_netfilter`).
                rule()
                    .version(false)
                    .found(&[Source4, Target4], "same4", true)
                    .led_elsewhere()
                    .masquerade(),
                rule()
                    .version(true)
                    .found(&[Source6, Target6], "same6", true)
                    .led_elsewhere()
                    .masquerade(),
                to_ours().version(false).loopback(Source4).masquerade(),
            ],
        }
    }
}

/// Where published ports lead.
fn leading() -> Vec<Rule> {
    use Field::{Port, Protocol, Target4, Target6};
    let rule = Rule::default;

    let by_address4: &[Field] = &[Target4, Protocol, Port];
    let by_address6: &[Field] = &[Target6, Protocol, Port];
    let by_port: &[Field] = &[Protocol, Port];
    vec![
        rule().version(false).lead_by(by_address4, "port4", false),
        rule().version(true).lead_by(by_address6, "port6", true),
        rule()
            .version(false)
            .meant_for_this_host()
            .lead_by(by_port, "anyport4", false),
        // The kernel lets nothing out that came from ::1: it is refused there, and clients go on
        // to 127.0.0.1.
        rule()
            .version(true)
            .is(Target6, &std::net::Ipv6Addr::LOCALHOST.octets(), false)
            .meant_for_this_host()
            .lead_by(by_port, "anyport6", true),
    ]
}
