//! A container's volumes: who asked for them, what is made of that, and what is mounted.
//!
//! Docker's order: what is named (`Binds`, `Mounts`) counts, then what other containers have
//! (`VolumesFrom`), then what the image or the caller only wants to be a volume (`Volumes`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use engine_api::containers::{ContainerConfig, HostConfig, MountPoint, MountRequest};
use engine_api::volumes::DRIVER;
use engine_runtime::{BindHow, Mount, MountKind};

use super::mounts::{self, Asked};
use super::registry::{Containers, Site};
use super::steps::Undo;
use crate::faults;
use crate::records::{ContainerRecord, VolumeUse};
use crate::services::error::{Result, ServiceError};
use crate::services::volumes::Wish;

/// The mode that inspect shows of a volume that was named without one.
const MODE: &str = "z";

/// What a container is to have, before anything of it is made.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) uses: Vec<VolumeUse>,
    /// What each of the volumes is to be where it is not there, in the same order.
    pub(super) wishes: Vec<Wish>,
    pub(super) inherited: Vec<MountRequest>,
}

impl Plan {
    fn push(&mut self, volume: VolumeUse, wish: Wish) -> Result<()> {
        refuse_kernels(&volume.target)?;
        wish.check()?;
        self.uses.push(volume);
        self.wishes.push(wish);
        Ok(())
    }
}

impl Containers {
    /// Reads what volumes a container is to have.
    ///
    /// # Errors
    /// Names what is malformed, asked for twice, or not there.
    pub(super) fn plan_volumes(&self, config: &ContainerConfig, host: &HostConfig) -> Result<Plan> {
        let mut plan = Plan::default();
        let driver = Wish {
            driver: host.volume_driver.clone(),
            ..Wish::anonymous()
        };
        driver.check()?;
        let others = mounts::asked(host)?;
        let mut taken: BTreeSet<String> = others.into_iter().map(|one| one.mount.target).collect();
        for bind in host.binds.as_deref().unwrap_or_default() {
            if let Some((volume, wish)) = from_bind(bind, &host.volume_driver)? {
                take(&mut taken, &volume.target)?;
                plan.push(volume, wish)?;
            }
        }
        for request in host.mounts.iter().filter(|one| one.kind == "volume") {
            let (volume, wish) = from_request(request)?;
            take(&mut taken, &volume.target)?;
            plan.push(volume, wish)?;
        }
        self.inherit(host, &mut taken, &mut plan)?;
        for target in config.volumes.iter().flat_map(BTreeMap::keys) {
            let target = mounts::target_of(target)?;
            if taken.insert(target.clone()) {
                let wish = Wish {
                    driver: host.volume_driver.clone(),
                    ..Wish::anonymous()
                };
                plan.push(use_of(&wish, target, String::new()), wish)?;
            }
        }
        Ok(plan)
    }

    /// Takes the mounts of the containers that are named, the last of them first.
    fn inherit(
        &self,
        host: &HostConfig,
        taken: &mut BTreeSet<String>,
        plan: &mut Plan,
    ) -> Result<()> {
        for from in host
            .volumes_from
            .as_deref()
            .unwrap_or_default()
            .iter()
            .rev()
        {
            let (reference, mode) = from.split_once(':').unwrap_or((from, ""));
            let makes_readonly = match mode {
                "" | "rw" | "z" | "Z" => false,
                "ro" => true,
                _ => return Err(bad(format!("invalid mode: {mode}"))),
            };
            let record = std::sync::Arc::clone(&self.find(reference)?.view().record);
            for volume in &record.volumes {
                if taken.insert(volume.target.clone()) {
                    let wish = Wish::named(volume.name.parse().map_err(|_| bad("a bad name"))?);
                    let volume = VolumeUse {
                        readonly: volume.readonly || makes_readonly,
                        is_anonymous: false,
                        ..volume.clone()
                    };
                    plan.push(volume, wish)?;
                }
            }
            for Asked { mut mount, .. } in asked(&record)? {
                mount.readonly |= makes_readonly;
                if let Some(request) = mounts::bind_request(&mount)
                    && taken.insert(mount.target)
                {
                    plan.inherited.push(request);
                }
            }
        }
        Ok(())
    }
}

/// Adds the volumes that an image wants, as Docker's inspect shows them.
pub(super) fn add_images<'i>(
    config: &mut ContainerConfig,
    wanted: impl IntoIterator<Item = &'i String>,
) {
    for path in wanted {
        let volumes = config.volumes.get_or_insert_default();
        volumes.entry(path.clone()).or_default();
    }
}

/// Returns every mount that was asked for and is no volume, also by way of other containers.
///
/// # Errors
/// Names the mount that is malformed.
pub(super) fn asked(record: &ContainerRecord) -> Result<Vec<Asked>> {
    let mut all = mounts::asked(&record.host_config)?;
    for request in &record.inherited {
        all.push(mounts::from_request(request)?);
    }
    Ok(all)
}

/// Returns the volumes as the runtime mounts them; what they lead to is opened later.
pub(super) fn mounts_of(site: &Site, record: &ContainerRecord) -> Vec<Mount> {
    let mount = |volume: &VolumeUse| Mount {
        kind: MountKind::Bind {
            source: PathBuf::from(site.volumes.mountpoint(&volume.name)),
            judged: None,
            how: BindHow::default(),
        },
        target: volume.target.clone(),
        readonly: volume.readonly || site.volumes.is_readonly(&volume.name),
    };
    record.volumes.iter().map(mount).collect()
}

/// Returns all mounts as inspect shows them.
pub(super) fn points(site: &Site, record: &ContainerRecord) -> Vec<MountPoint> {
    let asked = asked(record).unwrap_or_default();
    let others = asked.into_iter().map(|one| mounts::point(one.mount));
    let volumes = record.volumes.iter().map(|volume| MountPoint {
        kind: "volume".to_owned(),
        name: volume.name.clone(),
        source: site.volumes.mountpoint(&volume.name),
        destination: volume.target.clone(),
        driver: DRIVER.to_owned(),
        mode: volume.mode.clone(),
        rw: !volume.readonly,
        propagation: String::new(),
    });
    others.chain(volumes).collect()
}

/// Mounts lie on each other: what is nearer to the root comes first.
pub(super) fn order(mounts: &mut [Mount]) {
    mounts.sort_by_key(|mount| Path::new(&mount.target).components().count());
}

/// Makes the volumes that are not there, and takes all of them for the container. Blocks.
///
/// # Errors
/// When one cannot be made.
pub(super) fn hold(
    site: &std::sync::Arc<Site>,
    record: &ContainerRecord,
    wishes: &[Wish],
    undo: &mut Undo,
) -> Result<()> {
    for (volume, wish) in record.volumes.iter().zip(wishes) {
        site.volumes.hold(wish, record.id.as_str())?;
        let (site, id) = (std::sync::Arc::clone(site), record.id.clone());
        let (name, is_own) = (volume.name.clone(), volume.is_anonymous);
        undo.push(move || {
            site.volumes.let_go(&name, id.as_str());
            if is_own {
                site.volumes.remove_with(&name);
            }
        });
        faults::point("create.volume");
    }
    Ok(())
}

/// A container that is gone has no volumes; those made for it alone go too, if it takes them. Blocks.
pub(super) fn let_go(site: &Site, record: &ContainerRecord, takes_own: bool) {
    for volume in &record.volumes {
        site.volumes.let_go(&volume.name, record.id.as_str());
    }
    if takes_own {
        for name in record.own_volumes() {
            site.volumes.remove_with(name);
        }
    }
}

/// The volumes of a container that is about to run; dropped, they are put down again.
pub(super) struct Using<'s> {
    site: &'s Site,
    record: &'s ContainerRecord,
    is_kept: bool,
}

impl<'s> Using<'s> {
    /// Sees to it that every volume is there. Blocks.
    ///
    /// # Errors
    /// When one is gone, cannot be mounted or filled.
    pub(super) fn begin(site: &'s Site, record: &'s ContainerRecord) -> Result<Self> {
        let using = Self {
            site,
            record,
            is_kept: false,
        };
        for volume in &record.volumes {
            site.volumes.begin(&volume.name, record.id.as_str())?;
        }
        super::copy_up::at_start(site, record)?;
        for volume in &record.volumes {
            site.volumes.note_use(&volume.name)?;
            let (name, target) = (&volume.name, &volume.target);
            site.volumes
                .tell_mount(name, record.id.as_str(), target, volume.readonly);
        }
        Ok(using)
    }

    /// The container runs.
    pub(super) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            end(self.site, self.record);
        }
    }
}

/// Puts down the volumes of a container that runs no more. Blocks.
pub(super) fn end(site: &Site, record: &ContainerRecord) {
    for volume in &record.volumes {
        site.volumes.end(&volume.name, record.id.as_str());
    }
}

/// Reads a bind that names a volume; `None` when it names a directory of the host.
fn from_bind(bind: &str, driver: &str) -> Result<Option<(VolumeUse, Wish)>> {
    let (source, target, options) = mounts::split_bind(bind)?;
    let base = match source {
        Some(source) if source.starts_with('/') => return Ok(None),
        Some(source) => Wish::named(
            source
                .parse()
                .map_err(|error: engine_api::id::IdError| bad(error.to_string()))?,
        ),
        None => Wish::anonymous(),
    };
    let wish = Wish {
        driver: driver.to_owned(),
        ..base
    };
    let mode = if options.is_empty() { MODE } else { options };
    let mut volume = use_of(&wish, mounts::target_of(target)?, mode.to_owned());
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => volume.readonly = true,
            "nocopy" => volume.no_copy = true,
            "rw" | "z" | "Z" | "consistent" | "cached" | "delegated" => {}
            _ => return Err(bad(format!("invalid mode: {options}"))),
        }
    }
    Ok(Some((volume, wish)))
}

fn from_request(request: &MountRequest) -> Result<(VolumeUse, Wish)> {
    mounts::refuse_other_options(request, "volume")?;
    let options = request.volume_options.clone().unwrap_or_default();
    let base = match request.source.as_str() {
        "" => Wish::anonymous(),
        name => Wish::named(
            name.parse()
                .map_err(|error: engine_api::id::IdError| bad(error.to_string()))?,
        ),
    };
    let config = options.driver_config.unwrap_or_default();
    let wish = Wish {
        driver: config.name,
        options: config.options.unwrap_or_default(),
        labels: options.labels.unwrap_or_default(),
        ..base
    };
    if !options.subpath.is_empty() {
        if wish.is_anonymous {
            return Err(bad("must not set Subpath when using anonymous volumes"));
        }
        let subpath = Path::new(&options.subpath);
        let is_plain = subpath
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !is_plain || options.subpath.contains('\0') {
            return Err(bad("subpath must be a relative path within the volume"));
        }
    }
    let target = mounts::target_of(&request.target)?;
    let volume = VolumeUse {
        readonly: request.read_only,
        subpath: options.subpath,
        no_copy: options.no_copy,
        ..use_of(&wish, target, MODE.to_owned())
    };
    Ok((volume, wish))
}

fn use_of(wish: &Wish, target: String, mode: String) -> VolumeUse {
    VolumeUse {
        name: wish.name.to_string(),
        target,
        readonly: false,
        subpath: String::new(),
        no_copy: false,
        is_anonymous: wish.is_anonymous,
        mode,
    }
}

fn take(taken: &mut BTreeSet<String>, target: &str) -> Result<()> {
    match taken.insert(target.to_owned()) {
        true => Ok(()),
        false => Err(bad(format!("Duplicate mount point: {target}"))),
    }
}

/// No volume lies over a file of the kernel (runc CVE-2019-16884): its start would refuse it too.
fn refuse_kernels(target: &str) -> Result<()> {
    for kernel in ["/proc", "/sys"] {
        if Path::new(target).starts_with(kernel) && !engine_runtime::may_cover(target) {
            return Err(bad(format!(
                "{target:?} cannot be mounted because it is inside {kernel:?}: it is a file of the \
                 kernel"
            )));
        }
    }
    Ok(())
}

fn bad(message: impl Into<String>) -> ServiceError {
    ServiceError::BadRequest(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_with_a_name_is_a_volume() {
        let (volume, wish) = from_bind("data:/x/:ro,nocopy", "").unwrap().unwrap();
        assert_eq!(
            (volume.name.as_str(), volume.target.as_str()),
            ("data", "/x")
        );
        assert!(volume.readonly && volume.no_copy && !wish.is_anonymous);
        let (volume, wish) = from_bind("/x", "").unwrap().unwrap();
        assert!(wish.is_anonymous && volume.is_anonymous && volume.name.len() == 64);
        assert!(from_bind("/a:/b", "").unwrap().is_none());
        for bad in [
            "a:/b",
            "./a:/b",
            "data:/x:rshared",
            "data:/x:sideways",
            "data:x",
        ] {
            assert!(from_bind(bad, "").is_err(), "{bad}");
        }
    }

    #[test]
    fn what_lies_nearer_to_the_root_is_mounted_first() {
        let mount = |target: &str| Mount {
            kind: MountKind::Bind {
                source: "/s".into(),
                judged: None,
                how: BindHow::default(),
            },
            target: target.to_owned(),
            readonly: false,
        };
        let mut all = ["/etc/hosts", "/a/b/c", "/a", "/a/b"].map(mount);
        order(&mut all);
        let order = all.each_ref().map(|mount| mount.target.as_str());
        assert_eq!(order, ["/a", "/etc/hosts", "/a/b", "/a/b/c"]);
    }
}
