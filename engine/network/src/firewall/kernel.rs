//! The table in the kernel: replaced as a whole, or changed by a few elements.

use std::io;

use engine_sys::Errno;
use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::{setsockopt, sockopt};

use super::table::{self, Element};
use super::wire::{self, Attributes, Batch, Verb};
use super::{Network, Port, Rules};
use crate::error::{Error, Result};

/// The kernel takes a batch in one piece, and answers each message of it.
const BUFFER_BYTES: usize = 16 << 20;

/// One engine's table.
#[derive(Debug, Clone)]
pub struct Firewall {
    table: String,
}

impl Firewall {
    /// Names the table; nothing is asked or changed.
    pub fn of(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
        }
    }

    /// Makes the table hold exactly these rules, in one step.
    ///
    /// # Errors
    /// When the kernel refuses; the old table is as it was.
    pub fn replace(&self, rules: &Rules) -> Result<()> {
        let mut batch = Batch::begin();
        table::replace(&mut batch, &self.table, rules);
        self.commit("set the rules of", batch)
    }

    /// Adds networks and ports.
    ///
    /// # Errors
    /// When the kernel refuses, or the table is gone; nothing is changed then.
    pub fn add(&self, networks: &[Network], ports: &[Port]) -> Result<()> {
        self.change(Verb::NewElement, networks, ports)
    }

    /// Takes networks and ports away.
    ///
    /// # Errors
    /// When the kernel refuses, or one of them or the table is gone; nothing is changed then.
    pub fn take_away(&self, networks: &[Network], ports: &[Port]) -> Result<()> {
        self.change(Verb::DelElement, networks, ports)
    }

    /// Removes the table; one that is gone is fine.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn clear(&self) -> Result<()> {
        let named = Attributes::default().name(1, &self.table);
        let mut batch = Batch::begin();
        batch.add(Verb::NewTable, table::INET, wire::CREATE, &named);
        batch.add(Verb::DelTable, table::INET, 0, &named);
        self.commit("remove", batch)
    }

    /// Says whether the table is there.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    pub fn is_there(&self) -> Result<bool> {
        let named = Attributes::default().name(1, &self.table);
        let question = wire::question(Verb::GetTable, wire::ACK, table::INET, &named);
        match self.ask("look for", &question, 1) {
            Ok(()) => Ok(true),
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Says whether the table is there with as many rules as it should have: a chain may have been
    /// flushed alone.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    pub fn is_whole(&self) -> Result<bool> {
        let subject = format!("the firewall's table {}", self.table);
        let named = Attributes::default().name(1, &self.table);
        let question = wire::question(Verb::GetRule, wire::DUMP, table::INET, &named);
        let socket = open("count the rules of", &subject, &question)?;
        let mut n_rules = 0;
        loop {
            let (datagram, _) = socket.recv_from_full().map_err(|error| {
                let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                Error::kernel("count the rules of", subject.clone(), errno)
            })?;
            let (n, is_last) = wire::n_rules(&datagram);
            n_rules += n;
            if is_last {
                return Ok(n_rules == table::n_rules());
            }
        }
    }

    fn change(&self, verb: Verb, networks: &[Network], ports: &[Port]) -> Result<()> {
        let networks = networks.iter().flat_map(table::of_network);
        let ports = ports.iter().flat_map(table::of_port);
        let elements: Vec<Element> = networks.chain(ports).collect();
        if elements.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::begin();
        table::change(&mut batch, &self.table, verb, &elements);
        self.commit("change the rules of", batch)
    }

    fn commit(&self, action: &'static str, batch: Batch) -> Result<()> {
        let (bytes, n_answers) = batch.end();
        self.ask(action, &bytes, n_answers)
    }

    fn ask(&self, action: &'static str, bytes: &[u8], n_answers: usize) -> Result<()> {
        let subject = format!("the firewall's table {}", self.table);
        send(action, &subject, bytes, n_answers)
    }
}

/// Sends messages and waits for the answer to each.
pub(super) fn send(
    action: &'static str,
    subject: &str,
    bytes: &[u8],
    n_answers: usize,
) -> Result<()> {
    let failed = |error: io::Error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        Error::kernel(action, subject, errno)
    };
    let socket = open(action, subject, bytes)?;
    let mut n_heard = 0;
    while n_heard < n_answers {
        let (datagram, _) = socket.recv_from_full().map_err(failed)?;
        for code in wire::answers(&datagram) {
            n_heard += 1;
            // A batch that fails as a whole may be answered once only.
            if code != 0 {
                let errno = Errno::from_raw_os_error(code);
                return Err(Error::kernel(action, subject, errno));
            }
        }
    }
    Ok(())
}

/// Opens a socket and sends a message, or a batch, in one piece.
fn open(action: &'static str, subject: &str, bytes: &[u8]) -> Result<Socket> {
    let failed = |error: io::Error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        Error::kernel(action, subject, errno)
    };
    let mut socket = Socket::new(NETLINK_NETFILTER).map_err(failed)?;
    socket.bind_auto().map_err(failed)?;
    socket.connect(&SocketAddr::new(0, 0)).map_err(failed)?;
    socket.set_cap_ack(true).map_err(failed)?;
    // The usual limits hold some thousand ports; what root asks for by force, they do not hold.
    let forced = |error: nix::Error| failed(error.into());
    setsockopt(&socket, sockopt::SndBufForce, &BUFFER_BYTES).map_err(forced)?;
    setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES).map_err(forced)?;
    socket.send(bytes, 0).map_err(failed)?;
    Ok(socket)
}
