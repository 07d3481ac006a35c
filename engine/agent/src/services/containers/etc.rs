//! The three files of `/etc` that every container gets from its engine.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use super::registry::Site;
use crate::records::{ContainerRecord, ContainerStore, ETC};
use crate::services::error::{Result, ServiceError};
use crate::services::networks::Mode;

/// What stands for this host's address in the container's network.
const HOST_GATEWAY: &str = "host-gateway";

/// Where a container asks that is in a network with names.
const NAME_SERVER: &str = "127.0.0.11";

/// Where systemd keeps the servers that its own stub asks.
const BEHIND_STUB: &str = "/run/systemd/resolve/resolv.conf";

/// Servers for a host that has none a container could reach, as with Docker.
const PUBLIC: &[&str] = &["8.8.8.8", "8.8.4.4"];

/// Returns where a file of `/etc` lies on the host; who shares a network shares them.
pub(super) fn path(site: &Site, record: &ContainerRecord, name: &str) -> PathBuf {
    let whose = match Mode::of(&record.host_config.network_mode) {
        Mode::Container(other) => other.parse().unwrap_or_else(|_| record.id.clone()),
        _ => record.id.clone(),
    };
    site.store.dir_of(&whose).join("etc").join(name)
}

/// Writes the files, in place: a container that runs has them mounted.
///
/// # Errors
/// When the disk is full or fails.
pub(super) fn write(site: &Site, record: &ContainerRecord) -> Result<()> {
    let failed = "prepare the container's files";
    if let Mode::Container(_) = Mode::of(&record.host_config.network_mode) {
        return Ok(());
    }
    let dir = site.store.dir_of(&record.id).join("etc");
    fs::create_dir_all(&dir).map_err(ServiceError::failed(failed))?;
    for name in ETC {
        let text = match name {
            "hostname" => format!("{}\n", record.config.hostname),
            "hosts" => hosts(site, record),
            _ => resolv_conf(site, record),
        };
        let path = dir.join(name);
        ContainerStore::write_passing(&path, text.as_bytes())
            .map_err(ServiceError::failed(failed))?;
        // Everybody inside may read them, whatever mask the engine runs with.
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .map_err(ServiceError::failed(failed))?;
        if let Some(remap) = record.remap {
            std::os::unix::fs::chown(&path, Some(remap.first), Some(remap.first))
                .map_err(ServiceError::failed(failed))?;
        }
    }
    Ok(())
}

fn hosts(site: &Site, record: &ContainerRecord) -> String {
    let (config, host) = (&record.config, &record.host_config);
    let mut text = String::from(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n",
    );
    for entry in host.extra_hosts.as_deref().unwrap_or_default() {
        if let Some((name, address)) = entry.split_once([':', '=']) {
            let gateway = || site.networks.gateway(&record.id);
            let address = match address {
                HOST_GATEWAY => gateway().map_or("127.0.0.1".to_owned(), |one| one.to_string()),
                given => given.to_owned(),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{address}\t{name}");
        }
    }
    let full = match config.domainname.as_str() {
        "" => String::new(),
        domain => format!("{}.{domain} ", config.hostname),
    };
    let own = site.networks.own_addresses(&record.id);
    for address in &own {
        let _ = writeln!(text, "{address}\t{full}{}", config.hostname);
    }
    if own.is_empty() {
        // Without a network of its own, the container's name leads to itself.
        let _ = writeln!(text, "127.0.0.1\t{full}{}", config.hostname);
    }
    text
}

fn resolv_conf(site: &Site, record: &ContainerRecord) -> String {
    let of_host = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let has_own_network = !record.networks.is_empty();
    let servers = match () {
        () if site.networks.has_names(&record.id) => vec![NAME_SERVER.to_owned()],
        () if !record.host_config.dns.is_empty() => record.host_config.dns.clone(),
        () if has_own_network => reachable(&of_host),
        () => words(&of_host, "nameserver"),
    };
    let mut options = record.host_config.dns_options.clone();
    if options.is_empty() {
        options = words(&of_host, "options");
    }
    let asks_engine = servers.iter().any(|server| server == NAME_SERVER);
    if asks_engine && !options.iter().any(|option| option.starts_with("ndots:")) {
        // A name without a dot is a container's: it is asked for as it is.
        options.push("ndots:0".to_owned());
    }
    let mut search = record.host_config.dns_search.clone();
    if search.is_empty() {
        search = words(&of_host, "search");
    }
    let mut text = String::new();
    for server in servers {
        let _ = writeln!(text, "nameserver {server}");
    }
    for (word, values) in [("search", search), ("options", options)] {
        // A single dot means "none".
        if !values.is_empty() && values != ["."] {
            let _ = writeln!(text, "{word} {}", values.join(" "));
        }
    }
    text
}

/// The host's servers that a container reaches from its own network.
fn reachable(of_host: &str) -> Vec<String> {
    let is_reachable = |server: &String| {
        let address = server.parse::<IpAddr>();
        address.is_ok_and(|address| !address.is_loopback())
    };
    let behind = || fs::read_to_string(BEHIND_STUB).unwrap_or_default();
    let mut servers = words(of_host, "nameserver");
    servers.retain(is_reachable);
    if servers.is_empty() {
        servers = words(&behind(), "nameserver");
        servers.retain(is_reachable);
    }
    if servers.is_empty() {
        servers.extend(PUBLIC.iter().map(ToString::to_string));
    }
    servers
}

/// What follows a word in a `resolv.conf`: `resolv.conf(5)`.
fn words(text: &str, word: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(word)).then_some(words)
    });
    lines.flatten().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_that_a_container_reaches_are_handed_on() {
        let host = "# by hand\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nsearch a b\n";
        assert_eq!(reachable(host), ["10.0.0.2"]);
        assert_eq!(words(host, "search"), ["a", "b"]);
        assert!(!reachable("nameserver 127.0.0.1\n").is_empty());
    }
}
