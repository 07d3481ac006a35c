//! What one container may ask, and what it is told.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use hickory_proto::rr::{DNSClass, RecordType};

use super::message::Question;
use super::zone::{Family, Zone};

/// All that a container's name server knows. Replaced as a whole when something of it changes.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The networks that the container is in, first asked first.
    pub zones: Vec<Arc<Zone>>,
    /// Names for others that only this container knows; they come before those of the networks.
    pub links: Vec<Link>,
    /// Who answers what is not known here.
    pub upstream: Upstream,
}

/// A name that only one container has for another.
#[derive(Clone, Debug)]
pub struct Link {
    /// What the container calls the other.
    pub name: String,
    /// The network that both are in.
    pub zone: Arc<Zone>,
    /// The key that the other joined the zone with.
    pub member: String,
}

/// Who answers what is not known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Upstream {
    /// Nobody: nothing goes out. For a container whose networks are all internal.
    #[default]
    None,
    /// These, in order: the next is asked when one is silent or refuses.
    Servers(Vec<SocketAddr>),
}

/// What is to be done with a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The name is ours; these are its addresses of the family asked for, perhaps none.
    Addresses(Vec<IpAddr>),
    /// The address is ours, and has this name.
    Name(String),
    /// The name would be ours, and does not exist.
    NoSuchName,
    /// Nobody is given a copy of a zone.
    Refused,
    /// Somebody else may know.
    Outside,
}

impl View {
    /// Decides what `question` gets.
    pub(super) fn judge(&self, question: &Question) -> Verdict {
        if matches!(question.kind, RecordType::AXFR | RecordType::IXFR) {
            return Verdict::Refused;
        }
        let name = question.name.as_str();
        if !matches!(question.class, DNSClass::IN | DNSClass::ANY) {
            // Of another class no name of ours has anything, and nobody outside hears of it.
            let is_ours = self.find(name, Family::V4, &mut Vec::new());
            return match is_ours {
                true => Verdict::Addresses(Vec::new()),
                false => Verdict::Outside,
            };
        }
        if let Some(address) = reversed(name) {
            return self.judge_reverse(address, question.kind);
        }
        if name == "localhost" || name.ends_with(".localhost") {
            return Verdict::Addresses(match question.kind {
                RecordType::A => vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
                RecordType::AAAA => vec![IpAddr::V6(Ipv6Addr::LOCALHOST)],
                _ => Vec::new(),
            });
        }
        let mut found = Vec::new();
        let is_ours = match question.kind {
            RecordType::AAAA => self.find(name, Family::V6, &mut found),
            _ => self.find(name, Family::V4, &mut found),
        };
        match is_ours {
            false => Verdict::Outside,
            true if matches!(question.kind, RecordType::A | RecordType::AAAA) => {
                Verdict::Addresses(found)
            }
            // A name of ours has no mail server, text or service record, and nobody outside is asked
            // for one: programs then use its addresses.
            true => Verdict::Addresses(Vec::new()),
        }
    }

    /// Adds the addresses of `name`, and says whether it is a name of ours. Those of the first place
    /// that has any are told; a later network's are not mixed in, as it may be another container.
    fn find(&self, name: &str, family: Family, found: &mut Vec<IpAddr>) -> bool {
        let mut is_ours = false;
        for link in self.links.iter().filter(|link| link.is_called(name)) {
            is_ours |= link.zone.addresses_of(&link.member, family, found);
            if !found.is_empty() {
                return true;
            }
        }
        for zone in &self.zones {
            is_ours |= zone.look_up(name, family, found);
            if !found.is_empty() {
                return true;
            }
        }
        is_ours
    }

    fn judge_reverse(&self, address: IpAddr, kind: RecordType) -> Verdict {
        let name = match address.is_loopback() {
            true => Some("localhost".to_owned()),
            false => self.zones.iter().find_map(|zone| zone.name_of(address)),
        };
        match name {
            Some(name) if kind == RecordType::PTR => Verdict::Name(name),
            Some(_) => Verdict::Addresses(Vec::new()),
            None if self.zones.iter().any(|zone| zone.covers(address)) => Verdict::NoSuchName,
            None => Verdict::Outside,
        }
    }
}

impl Link {
    fn is_called(&self, name: &str) -> bool {
        let Some(rest) = strip_prefix_in_any_case(name, &self.name) else {
            return false;
        };
        rest.is_empty() || rest.strip_prefix('.') == Some(self.zone.network())
    }
}

fn strip_prefix_in_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// The address whose reverse name `name` (in lower case, with no dot at its end) is.
fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(digits) = name.strip_suffix(".in-addr.arpa") {
        let mut octets = [0; 4];
        let mut parts = digits.rsplit('.');
        for octet in &mut octets {
            *octet = parts.next()?.parse().ok()?;
        }
        return parts.next().is_none().then(|| IpAddr::from(octets));
    }
    let digits = name.strip_suffix(".ip6.arpa")?;
    let mut bits = 0_u128;
    let mut n_digits = 0;
    for digit in digits.rsplit('.') {
        let value = digit.chars().next()?.to_digit(16)?;
        if digit.len() != 1 || n_digits == 32 {
            return None;
        }
        bits = bits << 4 | u128::from(value);
        n_digits += 1;
    }
    (n_digits == 32).then(|| IpAddr::from(Ipv6Addr::from(bits)))
}

#[cfg(test)]
mod tests {
    use super::super::zone::Member;
    use super::*;

    fn zone(network: &str, subnet: &str, members: &[(&str, &[&str])]) -> Arc<Zone> {
        let zone = Zone::new(network, vec![subnet.parse().unwrap()]);
        for (name, addresses) in members {
            let member = Member {
                name: (*name).to_owned(),
                aliases: vec![],
                addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            };
            zone.join(&format!("id-{name}"), member);
        }
        Arc::new(zone)
    }

    fn ask(view: &View, name: &str, kind: RecordType) -> Verdict {
        view.judge(&Question::about(name, kind))
    }

    fn addresses(texts: &[&str]) -> Verdict {
        Verdict::Addresses(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn networks_are_asked_in_order_and_a_full_name_says_which() {
        let view = View {
            zones: vec![
                zone("one", "10.1.0.0/24", &[("db", &["10.1.0.2"])]),
                zone(
                    "two",
                    "10.2.0.0/24",
                    &[("db", &["10.2.0.2", "fd02::2"]), ("web", &["10.2.0.3"])],
                ),
            ],
            ..View::default()
        };

        assert_eq!(ask(&view, "db", RecordType::A), addresses(&["10.1.0.2"]));
        assert_eq!(
            ask(&view, "db.two", RecordType::A),
            addresses(&["10.2.0.2"])
        );
        assert_eq!(ask(&view, "db", RecordType::AAAA), addresses(&["fd02::2"]));
        assert_eq!(ask(&view, "web", RecordType::A), addresses(&["10.2.0.3"]));
        assert_eq!(ask(&view, "web.one", RecordType::A), Verdict::Outside);
    }

    #[test]
    fn no_type_of_record_takes_a_name_of_ours_outside() {
        let view = View {
            zones: vec![zone("one", "10.1.0.0/24", &[("db", &["10.1.0.2"])])],
            ..View::default()
        };

        for kind in [
            RecordType::AAAA,
            RecordType::MX,
            RecordType::TXT,
            RecordType::SRV,
            RecordType::HTTPS,
            RecordType::ANY,
        ] {
            assert_eq!(ask(&view, "db", kind), addresses(&[]), "{kind}");
        }
        assert_eq!(ask(&view, "db", RecordType::AXFR), Verdict::Refused);
        assert_eq!(ask(&view, "example.org", RecordType::MX), Verdict::Outside);
    }

    #[test]
    fn a_link_is_a_name_of_its_own_container_and_follows_the_others_address() {
        let net = zone(
            "one",
            "10.1.0.0/24",
            &[("db", &["10.1.0.2"]), ("web", &["10.1.0.3"])],
        );
        let link = Link {
            name: "Store".to_owned(),
            zone: Arc::clone(&net),
            member: "id-db".to_owned(),
        };
        let linked = View {
            zones: vec![Arc::clone(&net)],
            links: vec![link],
            ..View::default()
        };
        let other = View {
            zones: vec![Arc::clone(&net)],
            ..View::default()
        };

        assert_eq!(
            ask(&linked, "store", RecordType::A),
            addresses(&["10.1.0.2"])
        );
        assert_eq!(
            ask(&linked, "store.one", RecordType::A),
            addresses(&["10.1.0.2"])
        );
        assert_eq!(ask(&linked, "store.two", RecordType::A), Verdict::Outside);
        assert_eq!(ask(&linked, "stored", RecordType::A), Verdict::Outside);
        assert_eq!(ask(&other, "store", RecordType::A), Verdict::Outside);

        net.join(
            "id-db",
            Member {
                name: "db".to_owned(),
                aliases: vec![],
                addresses: vec!["10.1.0.77".parse().unwrap()],
            },
        );
        assert_eq!(
            ask(&linked, "store", RecordType::A),
            addresses(&["10.1.0.77"])
        );
    }

    #[test]
    fn an_address_of_ours_has_its_name_or_none_and_is_nobody_elses_business() {
        let view = View {
            zones: vec![zone(
                "one",
                "10.1.0.0/24",
                &[("db", &["10.1.0.2", "fd01::2"])],
            )],
            ..View::default()
        };
        let v6 = format!("2.{}1.0.d.f.ip6.arpa", "0.".repeat(27));

        let told = |name: &str| ask(&view, name, RecordType::PTR);
        assert_eq!(
            told("2.0.1.10.in-addr.arpa"),
            Verdict::Name("db.one".to_owned())
        );
        assert_eq!(told(&v6), Verdict::Name("db.one".to_owned()));
        assert_eq!(told("9.0.1.10.in-addr.arpa"), Verdict::NoSuchName);
        assert_eq!(
            told("1.0.0.127.in-addr.arpa"),
            Verdict::Name("localhost".to_owned())
        );
        assert_eq!(told("8.8.8.8.in-addr.arpa"), Verdict::Outside);
        assert_eq!(told("0.1.10.in-addr.arpa"), Verdict::Outside);
        assert_eq!(
            ask(&view, "2.0.1.10.in-addr.arpa", RecordType::A),
            addresses(&[])
        );
    }

    #[test]
    fn localhost_is_this_container() {
        let view = View::default();

        assert_eq!(
            ask(&view, "localhost", RecordType::A),
            addresses(&["127.0.0.1"])
        );
        assert_eq!(
            ask(&view, "any.localhost", RecordType::AAAA),
            addresses(&["::1"])
        );
        assert_eq!(ask(&view, "localhost", RecordType::MX), addresses(&[]));
        assert_eq!(ask(&view, "notlocalhost", RecordType::A), Verdict::Outside);
    }

    #[test]
    fn reverse_names_are_read_whole_or_not_at_all() {
        assert_eq!(
            reversed("4.3.2.1.in-addr.arpa"),
            Some("1.2.3.4".parse().unwrap())
        );
        for name in [
            "5.4.3.2.1.in-addr.arpa",
            "256.3.2.1.in-addr.arpa",
            "in-addr.arpa",
            ".in-addr.arpa",
            "1.ip6.arpa",
            "é.ip6.arpa",
            ".ip6.arpa",
        ] {
            assert_eq!(reversed(name), None, "{name}");
        }
        assert_eq!(reversed(&format!("{}ip6.arpa", "0.".repeat(33))), None);
        assert_eq!(reversed(&format!("{}ip6.arpa", "10.".repeat(32))), None);
    }
}
