//! The forms of networks: a new one, and a container that is connected.

use frontend::pages::NetworkNew;
use frontend::shell::Section;
use frontend::ui::{Field, Kind, Notice};

use super::Reader;
use super::fields::{choice, field, mark};
use crate::domain::FieldError;
use crate::services::networks::{Connection, Shown};

/// Containers that a form offers.
const MOST_CHOICES: usize = 1_000;

/// Returns the form of a new one; `typed` returns what stands in a field.
pub fn create<'a>(
    reader: &Reader,
    typed: &dyn Fn(&str) -> &'a str,
    error: Option<&FieldError>,
) -> NetworkNew {
    let words = reader.words;
    let mut shell = reader.shell(Section::Networks, words.t("network-new"));
    let hinted = |name: &'static str, key: &str, hint: &str| Field {
        hint: words.t(hint),
        value: typed(name).to_owned(),
        ..field(words, name, key)
    };
    let hinted_check = |name: &'static str, key: &str, hint: &str| Field {
        kind: Kind::Check,
        ..hinted(name, key, hint)
    };
    let bridge = vec![("bridge".to_owned(), "bridge".to_owned())];
    let name = Field {
        required: true,
        value: typed("name").to_owned(),
        ..field(words, "name", "name")
    };
    let mut fields = vec![
        name,
        Field {
            hint: words.t("network-driver-hint"),
            ..choice(words, "driver", "network-driver", typed("driver"), bridge)
        },
        hinted_check("internal", "network-internal", "network-internal-hint"),
        hinted_check("ipv6", "network-ipv6", "network-ipv6-hint"),
    ];
    let mut more = more_fields(reader, typed);
    let is_in_more = |error: &&FieldError| more.iter().any(|field| field.name == error.field);
    let open = error.filter(is_in_more).is_some();
    let rest = match open {
        true => mark(words, &mut more, error),
        false => mark(words, &mut fields, error),
    };
    shell.notices.extend(rest.map(Notice::failed));
    NetworkNew {
        shell,
        fields,
        more,
        open,
    }
}

/// What few fill in: addresses, options, labels.
fn more_fields<'a>(reader: &Reader, typed: &dyn Fn(&str) -> &'a str) -> Vec<Field> {
    let words = reader.words;
    let hinted = |name: &'static str, key: &str, hint: &str| Field {
        hint: words.t(hint),
        value: typed(name).to_owned(),
        ..field(words, name, key)
    };
    let code = |name: &'static str, key: &str, hint: &str| Field {
        code: true,
        ..hinted(name, key, hint)
    };
    let check = |name: &'static str, key: &str| Field {
        kind: Kind::Check,
        value: typed(name).to_owned(),
        ..field(words, name, key)
    };
    vec![
        code("subnet", "network-subnet", "network-subnet-hint"),
        code("gateway", "network-gateway", "network-gateway-hint"),
        code("range", "network-range", "network-range-hint"),
        code("subnet6", "network-subnet6", "network-subnet6-hint"),
        Field {
            code: true,
            value: typed("gateway6").to_owned(),
            ..field(words, "gateway6", "network-gateway6")
        },
        Field {
            kind: Kind::Number,
            ..hinted("mtu", "network-mtu", "network-mtu-hint")
        },
        check("icc", "network-icc"),
        check("masquerade", "network-masquerade"),
        Field {
            kind: Kind::Lines(3),
            code: true,
            whole: true,
            hint: words.t("network-labels-hint"),
            value: typed("labels").to_owned(),
            ..field(words, "labels", "facts-labels")
        },
    ]
}

/// Returns what connecting asks for.
pub(super) fn connect_fields(reader: &Reader, shown: &Shown, typed: &Connection) -> Vec<Field> {
    let words = reader.words;
    let others = shown.others.iter().take(MOST_CHOICES);
    let others = others.map(|one| (one.id.to_string(), one.name.clone()));
    let address = |name, value: &str| Field {
        code: true,
        hint: words.t("network-address-hint"),
        value: value.to_owned(),
        ..field(words, name, if name == "address" { "ipv4" } else { "ipv6" })
    };
    let mut fields = vec![
        Field {
            hint: words.t("network-container-hint"),
            ..choice(
                words,
                "container",
                "container",
                &typed.container,
                others.collect(),
            )
        },
        address("address", &typed.address),
    ];
    if shown.fact.network.enable_ipv6 {
        fields.push(address("address6", &typed.address6));
    }
    fields.push(Field {
        code: true,
        hint: words.t("network-aliases-hint"),
        value: typed.aliases.clone(),
        ..field(words, "aliases", "network-aliases")
    });
    fields
}
