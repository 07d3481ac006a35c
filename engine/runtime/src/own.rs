//! What this process itself may do: the most that it can hand on to a container.

use std::{fs, path::Path};

use engine_sys::rlimit;

/// Returns this process's hard limit by Docker's name; an unknown one has none.
pub fn rlimit_most(name: &str) -> u64 {
    rlimit::most(name).unwrap_or(u64::MAX)
}

/// Returns this process's `oom_score_adj`, which its children inherit.
pub fn oom_score_adj() -> i32 {
    let text = fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

/// Tells how the mount at or above a path of the host spreads: shared, and slave of another.
pub fn spreads(path: &Path) -> (bool, bool) {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // The longest mount point wins, and of equal ones the last that was mounted.
    let covering = mounts.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let point = fields.get(4)?;
        path.starts_with(point)
            .then(|| (point.len(), fields[6..].to_vec()))
    });
    let Some((_, optional)) = covering.max_by_key(|(length, _)| *length) else {
        return (false, false);
    };
    let optional = optional.into_iter().take_while(|field| *field != "-");
    optional.fold((false, false), |(shared, slave), field| {
        (
            shared || field.starts_with("shared:"),
            slave || field.starts_with("master:"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_this_processs() {
        assert!(rlimit_most("nofile") > 0);
        assert_eq!(rlimit_most("no-such-limit"), u64::MAX);
        assert!((-1000..=1000).contains(&oom_score_adj()));
    }
}
