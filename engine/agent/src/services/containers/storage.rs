//! How much a container may write into its own root (`--storage-opt size=…`).

use std::path::Path;

use engine_api::containers::HostConfig;
use engine_storage::{Snapshot, StoreError, check_size_support, give_back_size};

use super::limits;
use super::registry::Site;
use crate::records::{ContainerRecord, ContainerStore};
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

/// Opens the containers on disk: what is deleted of them gives its limit back.
///
/// # Errors
/// When their directory cannot be made.
pub(crate) fn open_store(data: &Path) -> Result<ContainerStore> {
    ContainerStore::open(data, give_back).map_err(ServiceError::failed("open the containers"))
}

/// Who never had a size has no number to give back, whatever its files say.
fn give_back(dir: &Path, record: Option<&ContainerRecord>) {
    let is_sized = |record: &ContainerRecord| !matches!(size_bytes(&record.host_config), Ok(None));
    if record.is_none_or(is_sized) {
        give_back_size(dir);
    }
}

/// Tells whether the file system of the containers keeps sizes, as it is mounted now.
pub(crate) fn keeps_sizes(store: &ContainerStore) -> bool {
    check_size_support(store.dir()).is_ok()
}

/// Tells whether no call of a container may change what its files are counted under. Where sizes
/// are kept that goes for every one: without a size of its own it could fill that of another.
/// Who is privileged may change everything.
///
/// # Errors
/// For a size that is none.
pub(super) fn is_counted(site: &Site, host: &HostConfig) -> Result<bool> {
    let is_sized = size_bytes(host)?.is_some();
    Ok(!host.privileged && (site.keeps_sizes || is_sized))
}

/// The kernel counts the bytes of a limit in a signed number, and takes it in whole kibibytes.
const LARGEST: u64 = i64::MAX as u64 - 1023;

/// Returns the most that may be written; `None` without a limit, which is also what zero says.
///
/// # Errors
/// For an option that there is none of, and a size that is none.
pub(super) fn size_bytes(host: &HostConfig) -> Result<Option<u64>> {
    let bad = |message: String| Err(ServiceError::BadRequest(message));
    let mut size = None;
    for (key, value) in host.storage_opt.iter().flatten() {
        if !key.eq_ignore_ascii_case("size") {
            return bad(format!("HostConfig.StorageOpt: unknown option {key}"));
        }
        let bytes = limits::bytes(value).filter(|bytes| *bytes <= LARGEST);
        let Some(bytes) = bytes else {
            return bad(format!("HostConfig.StorageOpt: invalid size: {value:?}"));
        };
        if size.replace(bytes).is_some() {
            return bad("HostConfig.StorageOpt: the size is given twice".to_owned());
        }
    }
    Ok(size.filter(|bytes| *bytes > 0))
}

/// Checks that a size would be kept here.
///
/// # Errors
/// In words, what the file system lacks.
pub(super) async fn check_support(site: &Site, host: &HostConfig) -> Result<()> {
    if host.storage_opt.iter().flatten().next().is_none() {
        return Ok(());
    }
    let dir = site.store.dir().to_owned();
    match blocking(move || check_size_support(&dir)).await {
        Err(error @ StoreError::NoSizes { .. }) => Err(ServiceError::BadRequest(chain(&error))),
        other => other.map_err(ServiceError::failed("look for project quotas")),
    }
}

/// Sees to it that the size is kept by the file system as it is mounted now.
///
/// # Errors
/// When it would not be.
pub(super) fn keep(site: &Site, record: &ContainerRecord) -> Result<()> {
    Snapshot::at(&site.store.dir_of(&record.id))
        .limited_to(size_bytes(&record.host_config)?)
        .keep_size()
        .map_err(|error| ServiceError::BadRequest(chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(pairs: &[(&str, &str)]) -> Result<Option<u64>> {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        size_bytes(&HostConfig {
            storage_opt: Some(pairs.collect()),
            ..HostConfig::default()
        })
    }

    #[test]
    fn sizes_have_docker_s_units() {
        for (text, bytes) in [
            ("120", 120),
            ("64m", 64 << 20),
            ("10G", 10 << 30),
            ("1.5 GiB", 3 << 29),
            ("0.5k", 512),
            ("2TB", 2 << 40),
            ("9223372036854774784", LARGEST),
        ] {
            assert_eq!(size(&[("size", text)]).unwrap(), Some(bytes), "{text}");
        }
        assert_eq!(size(&[("SIZE", "0")]).unwrap(), None);
        assert_eq!(size(&[]).unwrap(), None);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "",
            "x",
            "-1",
            "1.2.3g",
            ".",
            "1e3",
            "8388608t",
            "9223372036854775807",
            "99999999999999999999",
        ] {
            let refused = size(&[("size", text)]).unwrap_err().to_string();
            assert!(
                refused.contains(&format!("invalid size: {text:?}")),
                "{refused}"
            );
        }
        let refused = size(&[("sizes", "1g")]).unwrap_err().to_string();
        assert!(refused.contains("unknown option sizes"), "{refused}");
        let refused = size(&[("Size", "1g"), ("size", "2g")])
            .unwrap_err()
            .to_string();
        assert!(refused.contains("given twice"), "{refused}");
    }
}
