//! The flags of `docker run` 28 that are no row of the table: without effect on the container, or
//! without one here.

/// Flags that change nothing about the container and take no value.
pub(super) const NOTHING: &[(Option<char>, &str)] = &[
    (Some('d'), "detach"),
    (None, "sig-proxy"),
    (Some('q'), "quiet"),
    (None, "disable-content-trust"),
];

/// Other spellings of a row's flag.
pub(super) const ALIASES: &[(&str, &str)] = &[("net", "network"), ("dns-opt", "dns-option")];

/// Flags without effect here that take no value.
pub(super) const UNSUPPORTED_SWITCHES: &[(Option<char>, &str)] =
    &[(Some('P'), "publish-all"), (None, "help")];

/// Flags without effect here that take a value.
pub(super) const UNSUPPORTED: &[(Option<char>, &str)] = &[
    (Some('a'), "attach"),
    (Some('p'), "publish"),
    (None, "cidfile"),
    (None, "detach-keys"),
    (None, "env-file"),
    (None, "gpus"),
    (None, "ip"),
    (None, "ip6"),
    (None, "isolation"),
    (None, "kernel-memory"),
    (None, "label-file"),
    (None, "link"),
    (None, "link-local-ip"),
    (None, "mac-address"),
    (None, "network-alias"),
    (None, "platform"),
    (None, "pull"),
    (None, "runtime"),
    (None, "volume-driver"),
    (None, "volumes-from"),
];
