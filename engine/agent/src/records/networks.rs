//! Networks on disk: `<data>/networks/<id>.json`, each replaced as a whole; and what a container
//! that runs has in them, in the passing directory.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use engine_api::id::ContainerId;
use engine_network::Endpoint;
use engine_network::firewall::Port;
use engine_sys::{SysError, file};
use ipnet::IpNet;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The longest file that is read.
const BYTES_MAX: u64 = 8 << 20;

/// What a network was asked to be. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NetworkRecord {
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_ns: i64,
    /// The name of its bridge.
    pub(crate) bridge: String,
    pub(crate) subnets: Vec<Subnet>,
    pub(crate) internal: bool,
    pub(crate) attachable: bool,
    /// As they were given, those without effect not among them.
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) ipam_options: Option<BTreeMap<String, String>>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// One subnet of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subnet {
    pub(crate) net: IpNet,
    /// The host's own address in it.
    pub(crate) gateway: IpAddr,
    pub(crate) range: Option<IpNet>,
    /// Addresses that no container gets.
    pub(crate) kept: BTreeMap<String, IpAddr>,
}

/// A container's wish to be in a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Membership {
    /// The network's id.
    pub(crate) network: String,
    /// Addresses that it is to have; others are given as it starts.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) mac: Option<[u8; 6]>,
    pub(crate) aliases: Vec<String>,
    /// `container:alias`, as they were given.
    pub(crate) links: Vec<String>,
    /// The network with the highest one leads out.
    pub(crate) priority: i64,
}

/// What a container that runs has in its networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Joined {
    pub(crate) places: Vec<Place>,
    /// The published ports, each with the container's port it leads to.
    pub(crate) ports: Vec<Port>,
}

/// A container's place in one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The network's id.
    pub(crate) network: String,
    /// 64 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) endpoint: Endpoint,
    /// What leads out of the network.
    pub(crate) gateways: Vec<IpAddr>,
    pub(crate) priority: i64,
    /// What it is called there.
    pub(crate) names: Vec<String>,
    /// `container:alias`: what it alone calls others.
    pub(crate) links: Vec<String>,
}

/// The directory of networks.
#[derive(Debug, Clone)]
pub(crate) struct NetworkStore {
    dir: PathBuf,
    run: PathBuf,
}

impl NetworkStore {
    /// Opens the directory, making it if needed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn open(data: &Path, run: &Path) -> Result<Self, SysError> {
        let dir = data.join("networks");
        file::create_private_dir(&dir)?;
        file::remove_leftovers(&dir)?;
        let run = run.join("networks");
        file::create_private_dir(&run)?;
        Ok(Self { dir, run })
    }

    /// Reads every network; those that cannot be read are named.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn load(&self) -> std::io::Result<(Vec<NetworkRecord>, Vec<PathBuf>)> {
        let (mut records, mut damaged) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            match read(&path) {
                Some(record) => records.push(record),
                None => damaged.push(path),
            }
        }
        Ok((records, damaged))
    }

    /// Writes a network; after this it exists, also after a power cut.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn save(&self, record: &NetworkRecord) -> std::io::Result<()> {
        let bytes = serde_json::to_vec(record)?;
        file::replace(&self.dir.join(format!("{}.json", record.id)), &bytes)?;
        Ok(())
    }

    /// Removes a network, for good.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn remove(&self, id: &str) -> std::io::Result<()> {
        match std::fs::remove_file(self.dir.join(format!("{id}.json"))) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(file::sync_dir(&self.dir)?),
        }
    }

    /// Writes down what a container that starts has in its networks; a reboot may lose it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn note(&self, id: &ContainerId, joined: &Joined) -> std::io::Result<()> {
        let bytes = serde_json::to_vec(joined)?;
        // Replaced and never half there: it says which links are this container's.
        let path = self.joined(id);
        let new = path.with_extension("new");
        std::fs::write(&new, bytes)?;
        std::fs::rename(new, path)
    }

    /// Reads what a container that runs has in its networks.
    pub(crate) fn noted(&self, id: &ContainerId) -> Option<Joined> {
        read(&self.joined(id))
    }

    /// Notes the links of a host that passes no packets of a version on, before the engine lets it; a
    /// reboot ends that.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn note_closed(&self, is_v6: bool, links: &[String]) -> std::io::Result<()> {
        std::fs::write(self.closed_note(is_v6), links.join("\n"))
    }

    /// The links that are noted, if any are.
    pub(crate) fn closed(&self, is_v6: bool) -> Option<Vec<String>> {
        let text = std::fs::read_to_string(self.closed_note(is_v6)).ok()?;
        Some(text.lines().map(str::to_owned).collect())
    }

    /// Forgets the links, and what every container had.
    pub(crate) fn leave(&self) {
        for is_v6 in [false, true] {
            // Absent is as good as removed.
            let _ = std::fs::remove_file(self.closed_note(is_v6));
        }
        self.keep_only(&[]);
    }

    fn closed_note(&self, is_v6: bool) -> PathBuf {
        self.run
            .with_file_name(if is_v6 { "closed6" } else { "closed4" })
    }

    /// Forgets what a container had.
    pub(crate) fn forget(&self, id: &ContainerId) {
        // It lies in memory; absent is as good as removed.
        let _ = std::fs::remove_file(self.joined(id));
    }

    /// Forgets what containers had that are not among these.
    pub(crate) fn keep_only(&self, ids: &[&ContainerId]) {
        for entry in std::fs::read_dir(&self.run).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !ids.iter().any(|id| name.to_str() == Some(id.as_str())) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    fn joined(&self, id: &ContainerId) -> PathBuf {
        self.run.join(id.as_str())
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = file::read(path, BYTES_MAX).ok()?;
    serde_json::from_slice(&bytes).ok()
}
