//! The one table inside a container's network namespace: questions for names come to the engine.
//!
//! The container asks `127.0.0.11` at port 53, as with Docker; the engine listens there at a port
//! of its choice, so that a name server inside can have port 53.

use std::os::fd::AsFd;

use super::Protocol;
use super::kernel::send;
use super::rule::{Field, Rule};
use super::wire::{APPEND, Attributes, Batch, CREATE, Verb};
use crate::endpoint::inside;
use crate::error::Result;

const IPV4: u8 = 2;
const TABLE: &str = "gantry-names";
const CHAIN: &str = "asking";

/// Where containers ask for names.
const ADDRESS: [u8; 4] = [127, 0, 0, 11];

/// Leads questions for names inside a network namespace to these two ports; replaces what led them
/// elsewhere.
///
/// # Errors
/// When the kernel refuses.
pub fn lead_names(namespace: impl AsFd, udp: u16, tcp: u16) -> Result<()> {
    let named = |kind| Attributes::default().name(kind, TABLE);
    let mut batch = Batch::begin();
    batch.add(Verb::NewTable, IPV4, CREATE, &named(1));
    batch.add(Verb::DelTable, IPV4, 0, &named(1));
    batch.add(Verb::NewTable, IPV4, CREATE, &named(1));
    let hook = Attributes::default()
        .number(1, 3)
        .bytes(2, &(-100_i32).to_be_bytes());
    let chain = named(1).name(3, CHAIN).nest(4, &hook).name(7, "nat");
    batch.add(Verb::NewChain, IPV4, CREATE, &chain);
    for (protocol, port) in [(Protocol::Udp, udp), (Protocol::Tcp, tcp)] {
        let rule = Rule::default()
            .is(Field::Target4, &ADDRESS, true)
            .is(Field::Protocol, &[protocol.number()], true)
            .is(Field::Port, &53_u16.to_be_bytes(), true)
            .lead_to(ADDRESS, port);
        let inner = named(1).name(2, CHAIN).nest(4, &rule.into_list());
        batch.add(Verb::NewRule, IPV4, CREATE | APPEND, &inner);
    }
    let (bytes, n_answers) = batch.end();
    inside(namespace.as_fd(), || {
        send(
            "lead questions for names by",
            "the container's table",
            &bytes,
            n_answers,
        )
    })
}
