//! One rule: expressions that a packet passes from left to right until one says no.
//!
//! Named as `nft(8)` names them. Registers are the 4-byte ones; a value longer than that lies in
//! several.

use super::wire::Attributes;

/// The first 4-byte register, `NFT_REG32_00`.
const FIRST_REGISTER: u32 = 8;
const VERDICT_REGISTER: u32 = 0;
const DROP: u32 = 0;
const ACCEPT: u32 = 1;

/// What of a packet is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// The link it came in by.
    From,
    /// The link it goes out by.
    To,
    /// `tcp`, `udp`, `sctp` as numbers.
    Protocol,
    /// The port it is sent to.
    Port,
    /// Where it comes from, version 4.
    Source4,
    /// Where it comes from, version 6.
    Source6,
    /// Where it is sent to, version 4.
    Target4,
    /// Where it is sent to, version 6.
    Target6,
}

impl Field {
    /// Its length in registers of 4 bytes.
    fn registers(self) -> u32 {
        match self {
            Self::From | Self::To | Self::Source6 | Self::Target6 => 4,
            _ => 1,
        }
    }

    fn load(self, register: u32) -> Attributes {
        let meta = |key| {
            let inner = Attributes::default().number(1, register).number(2, key);
            expression("meta", &inner)
        };
        let payload = |base, offset, length| {
            let inner = Attributes::default()
                .number(1, register)
                .number(2, base)
                .number(3, offset)
                .number(4, length);
            expression("payload", &inner)
        };
        const NETWORK: u32 = 1;
        const TRANSPORT: u32 = 2;
        match self {
            Self::From => meta(6),
            Self::To => meta(7),
            Self::Protocol => meta(16),
            Self::Port => payload(TRANSPORT, 2, 2),
            Self::Source4 => payload(NETWORK, 12, 4),
            Self::Target4 => payload(NETWORK, 16, 4),
            Self::Source6 => payload(NETWORK, 8, 16),
            Self::Target6 => payload(NETWORK, 24, 16),
        }
    }
}

/// A rule in the making.
#[derive(Debug, Default)]
pub(super) struct Rule(Vec<Attributes>);

impl Rule {
    /// Goes on when the fields, one behind another, are (not) in a set or map.
    pub(super) fn found(mut self, fields: &[Field], set: &str, is_in: bool) -> Self {
        self.load(fields);
        let inner = Attributes::default()
            .name(1, set)
            .number(2, FIRST_REGISTER)
            .number(5, u32::from(!is_in));
        self.0.push(expression("lookup", &inner));
        self
    }

    /// Goes on when the packet is of version 4 or 6 (`meta nfproto`).
    pub(super) fn version(mut self, is_v6: bool) -> Self {
        let inner = Attributes::default()
            .number(1, FIRST_REGISTER)
            .number(2, 15);
        self.0.push(expression("meta", &inner));
        self.compare(true, &[if is_v6 { 10 } else { 2 }])
    }

    /// Goes on when a field is (not) this.
    pub(super) fn is(mut self, field: Field, value: &[u8], same: bool) -> Self {
        self.load(&[field]);
        self.compare(same, value)
    }

    /// Goes on when the link a packet came in by is (not) of this name.
    pub(super) fn comes_by(self, name: &str, same: bool) -> Self {
        self.is(Field::From, &link_name(name), same)
    }

    /// Goes on when the address is of the host's own loopback, `127.0.0.0/8`.
    pub(super) fn loopback(mut self, field: Field) -> Self {
        self.load(&[field]);
        self.masked([255, 0, 0, 0]).compare(true, &[127, 0, 0, 0])
    }

    /// Goes on when the packet's connection is in one of these states (`ct state`).
    pub(super) fn state(mut self, bits: u32) -> Self {
        self.0.push(connection(0));
        self.masked(bits.to_ne_bytes()).compare(false, &[0; 4])
    }

    /// Goes on when the packet's connection was led elsewhere (`ct status dnat`).
    pub(super) fn led_elsewhere(mut self) -> Self {
        const DST_NAT: u32 = 1 << 5;
        self.0.push(connection(2));
        self.masked(DST_NAT.to_ne_bytes()).compare(false, &[0; 4])
    }

    /// Goes on when the packet is sent to an address of this host (`fib daddr type local`).
    pub(super) fn meant_for_this_host(mut self) -> Self {
        const ADDRESS_TYPE: u32 = 3;
        const BY_TARGET: u32 = 2;
        const LOCAL: u32 = 2;
        let inner = Attributes::default()
            .number(1, FIRST_REGISTER)
            .number(2, ADDRESS_TYPE)
            .number(3, BY_TARGET);
        self.0.push(expression("fib", &inner));
        self.compare(true, &LOCAL.to_ne_bytes())
    }

    /// Leads the packet to where a map says; without an entry there the rule does not hold.
    pub(super) fn lead_by(mut self, fields: &[Field], map: &str, is_v6: bool) -> Self {
        self.load(fields);
        let inner = Attributes::default()
            .name(1, map)
            .number(2, FIRST_REGISTER)
            .number(3, FIRST_REGISTER);
        self.0.push(expression("lookup", &inner));
        self.lead(is_v6)
    }

    /// Leads the packet to this address and port, of version 4.
    pub(super) fn lead_to(mut self, address: [u8; 4], port: u16) -> Self {
        let write = |register, value: &[u8]| {
            let data = Attributes::default().bytes(1, value);
            let inner = Attributes::default().number(1, register).nest(2, &data);
            expression("immediate", &inner)
        };
        self.0.push(write(FIRST_REGISTER, &address));
        self.0.push(write(FIRST_REGISTER + 1, &port.to_be_bytes()));
        self.lead(false)
    }

    fn lead(mut self, is_v6: bool) -> Self {
        const TARGET: u32 = 1;
        let port = FIRST_REGISTER + if is_v6 { 4 } else { 1 };
        let inner = Attributes::default()
            .number(1, TARGET)
            .number(2, if is_v6 { 10 } else { 2 })
            .number(3, FIRST_REGISTER)
            .number(5, port);
        self.0.push(expression("nat", &inner));
        self
    }

    /// Gives the packet this host's own address for its sender's.
    pub(super) fn masquerade(mut self) -> Self {
        self.0.push(expression("masq", &Attributes::default()));
        self
    }

    /// Lets the packet through this chain.
    pub(super) fn accept(self) -> Self {
        self.verdict(ACCEPT)
    }

    /// Ends the packet.
    pub(super) fn drop(self) -> Self {
        self.verdict(DROP)
    }

    /// Returns the expressions as a list.
    pub(super) fn into_list(self) -> Attributes {
        self.0
            .into_iter()
            .fold(Attributes::default(), |list, one| list.nest(1, &one))
    }

    fn load(&mut self, fields: &[Field]) {
        let mut register = FIRST_REGISTER;
        for field in fields {
            self.0.push(field.load(register));
            register += field.registers();
        }
    }

    fn compare(mut self, same: bool, value: &[u8]) -> Self {
        let data = Attributes::default().bytes(1, value);
        let inner = Attributes::default()
            .number(1, FIRST_REGISTER)
            .number(2, u32::from(!same))
            .nest(3, &data);
        self.0.push(expression("cmp", &inner));
        self
    }

    fn masked(mut self, mask: [u8; 4]) -> Self {
        let data = |value: &[u8]| Attributes::default().bytes(1, value);
        let inner = Attributes::default()
            .number(1, FIRST_REGISTER)
            .number(2, FIRST_REGISTER)
            .number(3, 4)
            .nest(4, &data(&mask))
            .nest(5, &data(&[0; 4]));
        self.0.push(expression("bitwise", &inner));
        self
    }

    fn verdict(mut self, code: u32) -> Self {
        let verdict = Attributes::default().number(1, code);
        let data = Attributes::default().nest(2, &verdict);
        let inner = Attributes::default()
            .number(1, VERDICT_REGISTER)
            .nest(2, &data);
        self.0.push(expression("immediate", &inner));
        self
    }
}

/// The name of a link as a register holds it.
pub(super) fn link_name(name: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().take(15).zip(name.bytes()) {
        *slot = byte;
    }
    bytes
}

fn connection(key: u32) -> Attributes {
    let inner = Attributes::default()
        .number(1, FIRST_REGISTER)
        .number(2, key);
    expression("ct", &inner)
}

fn expression(name: &str, inner: &Attributes) -> Attributes {
    Attributes::default().name(1, name).nest(2, inner)
}
