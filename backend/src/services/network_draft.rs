//! A network before it is made: what was typed in its form.
//!
//! **Invariant:** pure. What cannot be taken is named by its field; whether addresses are free, only
//! the engine knows.

use std::collections::BTreeMap;
use std::net::IpAddr;

use engine_api::networks::{CreateNetwork, Ipam, IpamConfig};

use crate::domain::{FieldError, Rule};

const MTU: &str = "com.docker.network.driver.mtu";
const ICC: &str = "com.docker.network.bridge.enable_icc";
const MASQUERADE: &str = "com.docker.network.bridge.enable_ip_masquerade";
/// Longer than any name that anybody reads.
const MOST_NAME: usize = 128;
const MOST_LABELS: usize = 200;

/// Reads a form; `text` returns what was typed into a field, `is_set` whether a box is ticked.
///
/// # Errors
/// With the first field that cannot be taken.
pub(super) fn body<'a>(
    text: &dyn Fn(&str) -> &'a str,
    is_set: &dyn Fn(&str) -> bool,
) -> Result<CreateNetwork, FieldError> {
    let name = text("name").trim();
    check_name(name)?;
    if text("driver") != "bridge" {
        return Err(FieldError::new("driver", Rule::Choice));
    }
    let config = [
        pool(text, ("subnet", "gateway", "range"), 32)?,
        pool(text, ("subnet6", "gateway6", ""), 128)?,
    ];
    Ok(CreateNetwork {
        name: name.to_owned(),
        driver: "bridge".to_owned(),
        internal: is_set("internal"),
        enable_ipv6: Some(is_set("ipv6") || !text("subnet6").trim().is_empty()),
        ipam: Some(Ipam {
            driver: "default".to_owned(),
            options: None,
            config: config.into_iter().flatten().collect(),
        }),
        options: Some(options(text, is_set)?),
        labels: Some(labels(text("labels"))?),
        ..CreateNetwork::default()
    })
}

fn check_name(name: &str) -> Result<(), FieldError> {
    let of_name = |rule| Err(FieldError::new("name", rule));
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    match name.chars().next() {
        None => of_name(Rule::Required),
        Some(first) if !first.is_ascii_alphanumeric() => of_name(Rule::Name),
        Some(_) if !name.chars().all(fits) => of_name(Rule::Name),
        Some(_) if name.len() > MOST_NAME => of_name(Rule::TooLong { most: MOST_NAME }),
        Some(_) => Ok(()),
    }
}

fn pool<'a>(
    text: &dyn Fn(&str) -> &'a str,
    (subnet, gateway, range): (&'static str, &'static str, &'static str),
    n_bits: u8,
) -> Result<Option<IpamConfig>, FieldError> {
    let typed = |name: &'static str, rule, fits: &dyn Fn(&str) -> bool| match name {
        "" => Ok(String::new()),
        name => match text(name).trim() {
            value if value.is_empty() || fits(value) => Ok(value.to_owned()),
            _ => Err(FieldError::new(name, rule)),
        },
    };
    let is_subnet = |text: &str| is_subnet(text, n_bits);
    let is_address = |text: &str| {
        let address = text.parse::<IpAddr>();
        address.is_ok_and(|address| address.is_ipv4() == (n_bits == 32))
    };
    let pool = IpamConfig {
        subnet: typed(subnet, Rule::Subnet, &is_subnet)?,
        ip_range: typed(range, Rule::Subnet, &is_subnet)?,
        gateway: typed(gateway, Rule::Address, &is_address)?,
        ..IpamConfig::default()
    };
    if pool.subnet.is_empty() && pool != IpamConfig::default() {
        return Err(FieldError::new(subnet, Rule::Required));
    }
    Ok((pool != IpamConfig::default()).then_some(pool))
}

fn is_subnet(text: &str, n_bits: u8) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let is_family = address
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_ipv4() == (n_bits == 32));
    is_family && bits.parse::<u8>().is_ok_and(|bits| bits <= n_bits)
}

fn options<'a>(
    text: &dyn Fn(&str) -> &'a str,
    is_set: &dyn Fn(&str) -> bool,
) -> Result<BTreeMap<String, String>, FieldError> {
    let mut options = BTreeMap::new();
    match text("mtu").trim() {
        "" => {}
        mtu => match mtu.parse::<u32>() {
            Ok(mtu @ 68..=65535) => {
                options.insert(MTU.to_owned(), mtu.to_string());
            }
            _ => {
                let rule = Rule::Number {
                    least: 68,
                    most: 65535,
                };
                return Err(FieldError::new("mtu", rule));
            }
        },
    }
    // Both are so when nothing is said.
    for (field, key) in [("icc", ICC), ("masquerade", MASQUERADE)] {
        if !is_set(field) {
            options.insert(key.to_owned(), "false".to_owned());
        }
    }
    Ok(options)
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, FieldError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let labels: Option<BTreeMap<_, _>> = lines
        .map(|line| {
            let (name, value) = line.split_once('=')?;
            let name = name.trim();
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        })
        .collect();
    match labels {
        None => Err(FieldError::new("labels", Rule::Label)),
        Some(labels) if labels.len() > MOST_LABELS => {
            let most = MOST_LABELS;
            Err(FieldError::new("labels", Rule::TooMany { most }))
        }
        Some(labels) => Ok(labels),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &[(&str, &'static str)]) -> Result<CreateNetwork, FieldError> {
        let usual = [("driver", "bridge"), ("icc", "on"), ("masquerade", "on")];
        let find = |name: &str| {
            let all = form.iter().chain(&usual);
            all.clone()
                .find(|(field, _)| *field == name)
                .map_or("", |(_, value)| *value)
        };
        body(&find, &|name| find(name) == "on")
    }

    #[test]
    fn a_form_is_what_docker_takes() {
        let body = read(&[
            ("name", "shop"),
            ("subnet", "10.5.0.0/24"),
            ("gateway", "10.5.0.1"),
            ("range", "10.5.0.128/25"),
            ("subnet6", "fd00:5::/64"),
            ("internal", "on"),
            ("mtu", "1400"),
            ("icc", "off"),
            ("labels", "app=shop\n\ntier=a=b\n"),
        ]);

        let body = serde_json::to_value(body.unwrap()).unwrap();
        assert_eq!(body["Name"], "shop");
        assert_eq!(body["Internal"], true);
        assert_eq!(body["EnableIPv6"], true);
        let pools = serde_json::json!([
            {"Subnet": "10.5.0.0/24", "Gateway": "10.5.0.1", "IPRange": "10.5.0.128/25"},
            {"Subnet": "fd00:5::/64"},
        ]);
        assert_eq!(body["IPAM"]["Config"], pools);
        assert_eq!(
            body["Options"],
            serde_json::json!({MTU: "1400", ICC: "false"})
        );
        assert_eq!(body["Labels"]["tier"], "a=b");
    }

    #[test]
    fn what_cannot_be_taken_is_named_by_its_field() {
        for (field, value, rule) in [
            ("name", "", Rule::Required),
            ("name", "-x", Rule::Name),
            ("name", "a b", Rule::Name),
            ("driver", "macvlan", Rule::Choice),
            ("subnet", "10.5.0.0", Rule::Subnet),
            ("subnet", "10.5.0.0/33", Rule::Subnet),
            ("subnet", "fd00::/64", Rule::Subnet),
            ("subnet6", "10.0.0.0/8", Rule::Subnet),
            ("range", "x", Rule::Subnet),
            ("gateway", "10.5.0", Rule::Address),
            ("gateway", "fd00::1", Rule::Address),
            (
                "mtu",
                "67",
                Rule::Number {
                    least: 68,
                    most: 65535,
                },
            ),
            ("labels", "novalue", Rule::Label),
            ("labels", "=x", Rule::Label),
        ] {
            let mut form = vec![(field, value)];
            form.extend([("name", "shop")]);
            assert_eq!(
                read(&form),
                Err(FieldError::new(field, rule)),
                "{field}={value}"
            );
        }
        let lonely = read(&[("name", "shop"), ("gateway", "10.5.0.1")]);
        assert_eq!(lonely, Err(FieldError::new("subnet", Rule::Required)));
    }
}
