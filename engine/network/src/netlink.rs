//! One question about links, addresses and routes to the kernel, and its answer: `rtnetlink(7)`.
//!
//! Everything here is done while the call lasts: the kernel answers before `sendto` returns. A
//! socket belongs to the network namespace it was opened in.

use engine_sys::Errno;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use crate::error::{Error, Result};

/// Room for what is not read yet: a thousand acknowledgements, each booked with its overhead.
const RECEIVE_BYTES: i32 = 1 << 20;

/// A socket to the kernel's links.
pub(crate) struct Links {
    socket: Socket,
    next_seq: u32,
}

/// One change, and how it is called when it fails.
pub(crate) struct Change {
    pub(crate) action: &'static str,
    pub(crate) subject: String,
    pub(crate) message: RouteNetlinkMessage,
    /// `NLM_F_CREATE` and its like; the request's own are added.
    pub(crate) flags: u16,
    /// What the kernel may say without harm, such as "not there" to a removal.
    pub(crate) harmless: &'static [Errno],
}

impl Links {
    /// Opens a socket in this thread's network namespace.
    pub(crate) fn open() -> Result<Self> {
        const ACTION: &str = "open a netlink socket of";
        let failed = |error: std::io::Error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            Error::kernel(ACTION, "links", errno)
        };
        let mut socket = Socket::new(NETLINK_ROUTE).map_err(failed)?;
        socket.bind_auto().map_err(failed)?;
        socket.connect(&SocketAddr::new(0, 0)).map_err(failed)?;
        socket.set_cap_ack(true).map_err(failed)?;
        socket.set_rx_buf_sz(RECEIVE_BYTES).map_err(failed)?;
        Ok(Self {
            socket,
            next_seq: 1,
        })
    }

    /// Makes changes, one after another in one call; all are tried.
    ///
    /// # Errors
    /// The first that the kernel refused.
    pub(crate) fn change(&mut self, changes: &[Change]) -> Result<()> {
        let first = self.next_seq;
        let mut bytes = Vec::new();
        for change in changes {
            let flags = NLM_F_REQUEST | NLM_F_ACK | change.flags;
            self.write(&mut bytes, change.message.clone(), flags);
        }
        let (action, subject) = match changes.first() {
            None => return Ok(()),
            Some(change) => (change.action, change.subject.clone()),
        };
        self.send(&bytes, action, &subject)?;
        let mut refused = None;
        let mut n_answers = 0;
        while n_answers < changes.len() {
            for (seq, payload) in self.receive(action)? {
                let place = usize::try_from(seq.wrapping_sub(first)).unwrap_or(usize::MAX);
                let (Some(change), NetlinkPayload::Error(error)) = (changes.get(place), payload)
                else {
                    continue;
                };
                n_answers += 1;
                let errno = error.code.map(|code| code.get().unsigned_abs());
                let errno = errno.and_then(|code| i32::try_from(code).ok());
                let errno = errno.map(Errno::from_raw_os_error);
                if let Some(errno) = errno.filter(|errno| !change.harmless.contains(errno)) {
                    refused.get_or_insert(Error::kernel(
                        change.action,
                        change.subject.clone(),
                        errno,
                    ));
                }
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Lists the links of this namespace.
    pub(crate) fn links(&mut self) -> Result<Vec<LinkMessage>> {
        let ask = RouteNetlinkMessage::GetLink(LinkMessage::default());
        let all = self.list("list the links", ask)?;
        let links = all.into_iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewLink(link) => Some(link),
            _ => None,
        });
        Ok(links.collect())
    }

    /// Lists the addresses of this namespace.
    pub(crate) fn addresses(&mut self) -> Result<Vec<AddressMessage>> {
        let ask = RouteNetlinkMessage::GetAddress(AddressMessage::default());
        let all = self.list("list the addresses", ask)?;
        let addresses = all.into_iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewAddress(address) => Some(address),
            _ => None,
        });
        Ok(addresses.collect())
    }

    /// Lists the routes of this namespace.
    pub(crate) fn routes(&mut self) -> Result<Vec<RouteMessage>> {
        let ask = RouteNetlinkMessage::GetRoute(RouteMessage::default());
        let all = self.list("list the routes", ask)?;
        let routes = all.into_iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewRoute(route) => Some(route),
            _ => None,
        });
        Ok(routes.collect())
    }

    fn list(
        &mut self,
        action: &'static str,
        ask: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, ask, NLM_F_REQUEST | NLM_F_DUMP);
        self.send(&bytes, action, "")?;
        let mut found = Vec::new();
        loop {
            for (_, payload) in self.receive(action)? {
                match payload {
                    NetlinkPayload::InnerMessage(message) => found.push(message),
                    NetlinkPayload::Done(_) => return Ok(found),
                    NetlinkPayload::Error(error) => {
                        let code = error.code.map_or(0, |code| code.get().abs());
                        let errno = Errno::from_raw_os_error(code);
                        return Err(Error::kernel(action, "", errno));
                    }
                    _ => {}
                }
            }
        }
    }

    fn write(&mut self, bytes: &mut Vec<u8>, message: RouteNetlinkMessage, flags: u16) {
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        header.sequence_number = self.next_seq;
        self.next_seq = self.next_seq.wrapping_add(1);
        let mut whole = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(message));
        whole.finalize();
        let start = bytes.len();
        let end = start + whole.buffer_len();
        bytes.resize(end.next_multiple_of(4), 0);
        if let Some(room) = bytes.get_mut(start..end) {
            whole.serialize(room);
        }
    }

    fn send(&self, bytes: &[u8], action: &'static str, subject: &str) -> Result<()> {
        self.socket.send(bytes, 0).map(drop).map_err(|error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            Error::kernel(action, subject, errno)
        })
    }

    /// Reads one datagram of the kernel's: one message, or several of a list.
    fn receive(
        &self,
        action: &'static str,
    ) -> Result<Vec<(u32, NetlinkPayload<RouteNetlinkMessage>)>> {
        let unreadable = |reason: String| Error::Answer { action, reason };
        let (bytes, _) = self.socket.recv_from_full().map_err(|error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            Error::kernel(action, "", errno)
        })?;
        let mut messages = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(|error| unreadable(error.to_string()))?;
            let length = usize::try_from(message.header.length).unwrap_or(0);
            if length == 0 {
                return Err(unreadable("a message of no length".to_owned()));
            }
            messages.push((message.header.sequence_number, message.payload));
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(messages)
    }
}
