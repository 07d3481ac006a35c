//! The folders a container sees beside its image.

use engine_api::containers::{BindOptions, MountRequest, TmpfsOptions};

use crate::domain::Rule;
use crate::services::drafts::row::*;
use crate::services::drafts::rules;
use crate::services::drafts::size::{format_size, parse_size};

pub(in crate::services::drafts) const ROWS: &[Row] = &[
    Row {
        // A volume's name is no path: there are none yet, and it is named.
        heard: |value| value.starts_with('/').then(|| value.to_owned()),
        ..maybe_list!(
            "mounts",
            short('v', "volume"),
            Kind::Lines,
            host_config.binds,
            bind
        )
    },
    Row {
        heard: |value| request(value).is_ok().then(|| value.to_owned()),
        ..things!(
            "mount_requests",
            long("mount"),
            host_config.mounts,
            request_text,
            request
        )
    },
    Row {
        field: "tmpfs",
        member: "tmpfs",
        flag: long("tmpfs"),
        kind: Kind::Lines,
        get: |body| pairs(&body.host_config.tmpfs, tmpfs_text, tmpfs),
        set: |body, items| {
            body.host_config.tmpfs = map(items, tmpfs)?;
            Ok(())
        },
        ..PLAIN
    },
    number!(
        "shm_size",
        long("shm-size"),
        host_config.shm_size,
        format_size,
        rules::size
    ),
    Row {
        field: "storage_size",
        member: "storageopt",
        flag: long("storage-opt"),
        get: |body| {
            let options = body.host_config.storage_opt.iter().flatten();
            let size = options.filter(|(key, _)| key.eq_ignore_ascii_case("size"));
            size.map(|(_, size)| size.clone()).collect()
        },
        set: |body, items| {
            let rule = |text: &str| {
                let is_size = parse_size(text).is_some_and(|bytes| bytes > 0);
                is_size.then(|| Some(text.to_owned())).ok_or(Rule::Size)
            };
            let size = first(items, rule)?;
            body.host_config.storage_opt = size.map(|size| [("size".to_owned(), size)].into());
            Ok(())
        },
        said: |item| Some(format!("size={item}")),
        heard: |value| value.strip_prefix("size=").map(str::to_owned),
        ..PLAIN
    },
];

/// `/on/host:/in/container[:options]`
fn bind(line: &str) -> Result<String, Rule> {
    const OPTIONS: [&str; 13] = [
        "ro",
        "rw",
        "z",
        "Z",
        "consistent",
        "cached",
        "delegated",
        "private",
        "rprivate",
        "slave",
        "rslave",
        "shared",
        "rshared",
    ];
    let line = line.trim();
    let parts: Vec<&str> = line.split(':').collect();
    let (host, inside, options) = match parts[..] {
        [host, inside] => (host, inside, ""),
        [host, inside, options] => (host, inside, options),
        _ => return Err(Rule::Mount),
    };
    let are_paths = host.starts_with('/') && inside.starts_with('/');
    let mut words = options.split(',').filter(|word| !word.is_empty());
    if are_paths && words.all(|word| OPTIONS.contains(&word)) {
        Ok(line.to_owned())
    } else {
        Err(Rule::Mount)
    }
}

/// `/path[:options]`
fn tmpfs(line: &str) -> Result<(String, String), Rule> {
    let (path, options) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
    Ok((rules::absolute(path)?, options.to_owned()))
}

fn tmpfs_text((path, options): &(String, String)) -> String {
    match options.as_str() {
        "" => path.clone(),
        options => format!("{path}:{options}"),
    }
}

/// `type=bind,source=/a,target=/b,readonly`
fn request(line: &str) -> Result<MountRequest, Rule> {
    let mut mount = MountRequest::default();
    for option in line.trim().split(',') {
        let (key, value) = option.split_once('=').unwrap_or((option, "true"));
        let is_on = || match value {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Rule::MountRequest),
        };
        match key {
            "type" => value.clone_into(&mut mount.kind),
            "source" | "src" => value.clone_into(&mut mount.source),
            "target" | "destination" | "dst" => value.clone_into(&mut mount.target),
            "readonly" | "ro" => mount.read_only = is_on()?,
            key if key.starts_with("bind-") => {
                let how = mount.bind_options.get_or_insert_default();
                bind_option(how, key, value, is_on)?;
            }
            key if key.starts_with("tmpfs-") => {
                let how = mount.tmpfs_options.get_or_insert_default();
                tmpfs_option(how, key, value)?;
            }
            _ => return Err(Rule::MountRequest),
        }
    }
    let has_source = match mount.kind.as_str() {
        "bind" => mount.source.starts_with('/') && mount.tmpfs_options.is_none(),
        "tmpfs" => mount.source.is_empty() && mount.bind_options.is_none(),
        _ => false,
    };
    if has_source && mount.target.starts_with('/') {
        Ok(mount)
    } else {
        Err(Rule::MountRequest)
    }
}

fn bind_option(
    how: &mut BindOptions,
    key: &str,
    value: &str,
    is_on: impl Fn() -> Result<bool, Rule>,
) -> Result<(), Rule> {
    match (key, value) {
        ("bind-propagation", word) => word.clone_into(&mut how.propagation),
        ("bind-nonrecursive", _) => how.non_recursive = is_on()?,
        ("bind-create-src", _) => how.create_mountpoint = is_on()?,
        ("bind-recursive", "enabled") => {}
        ("bind-recursive", "disabled") => how.non_recursive = true,
        ("bind-recursive", "writable") => how.read_only_non_recursive = true,
        ("bind-recursive", "readonly") => how.read_only_force_recursive = true,
        _ => return Err(Rule::MountRequest),
    }
    Ok(())
}

fn tmpfs_option(how: &mut TmpfsOptions, key: &str, value: &str) -> Result<(), Rule> {
    match key {
        "tmpfs-size" => how.size_bytes = parse_size(value).ok_or(Rule::Size)?,
        "tmpfs-mode" => {
            how.mode = u32::from_str_radix(value, 8).map_err(|_| Rule::MountRequest)?;
        }
        _ => return Err(Rule::MountRequest),
    }
    Ok(())
}

fn request_text(mount: &MountRequest) -> String {
    let mut parts = vec![format!("type={}", mount.kind)];
    let mut add = |is_set: bool, text: String| {
        if is_set {
            parts.push(text);
        }
    };
    add(!mount.source.is_empty(), format!("source={}", mount.source));
    add(true, format!("target={}", mount.target));
    add(mount.read_only, "readonly".to_owned());
    if let Some(how) = &mount.bind_options {
        let word = &how.propagation;
        add(!word.is_empty(), format!("bind-propagation={word}"));
        add(how.non_recursive, "bind-recursive=disabled".to_owned());
        add(how.create_mountpoint, "bind-create-src=true".to_owned());
        let (shallow, deep) = (how.read_only_non_recursive, how.read_only_force_recursive);
        add(shallow, "bind-recursive=writable".to_owned());
        add(deep, "bind-recursive=readonly".to_owned());
        // Options that say nothing are told apart from none.
        add(
            *how == BindOptions::default(),
            "bind-recursive=enabled".to_owned(),
        );
    }
    if let Some(how) = &mount.tmpfs_options {
        let size = format_size(how.size_bytes);
        let is_default = *how == TmpfsOptions::default();
        add(
            how.size_bytes != 0 || is_default,
            format!("tmpfs-size={size}"),
        );
        add(how.mode != 0, format!("tmpfs-mode={:o}", how.mode));
    }
    parts.join(",")
}
