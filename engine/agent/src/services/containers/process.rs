//! The command line, environment and terminal of a program, from what was asked and the image.

use engine_api::containers::ContainerConfig;
use engine_api::execs::ExecCreateBody;
use engine_runtime::{Process, TerminalSize};

use super::security;
use crate::records::ContainerRecord;
use crate::services::error::{Result, ServiceError};

/// Docker's search path where neither image nor person names one.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Returns the words to execute: the entrypoint, then the command.
pub(super) fn arguments(config: &ContainerConfig) -> Vec<String> {
    let words = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    let mut arguments = words(&config.entrypoint);
    arguments.extend(words(&config.cmd));
    arguments
}

/// Returns the whole environment, in Docker's order: search path, host name, terminal, the rest.
pub(super) fn environment(config: &ContainerConfig, hostname: &str) -> Vec<String> {
    let given = config.env.as_deref().unwrap_or_default();
    let has = |name: &str| given.iter().any(|entry| name_of(entry) == name);
    let mut environment = Vec::with_capacity(given.len() + 3);
    if !has("PATH") {
        environment.push(DEFAULT_PATH.to_owned());
    }
    if !has("HOSTNAME") {
        environment.push(format!("HOSTNAME={hostname}"));
    }
    if config.tty && !has("TERM") {
        environment.push("TERM=xterm".to_owned());
    }
    // An entry without "=" takes its value from nowhere and is left out, as Docker does.
    environment.extend(given.iter().filter(|entry| entry.contains('=')).cloned());
    environment
}

/// Lays `over` onto `base`: a name that both have takes the value of `over`, in base's place.
pub(crate) fn overlaid(base: &[String], over: &[String]) -> Vec<String> {
    let mut environment = base.to_vec();
    for entry in over {
        let name = name_of(entry);
        match environment.iter_mut().find(|known| name_of(known) == name) {
            Some(known) => known.clone_from(entry),
            None => environment.push(entry.clone()),
        }
    }
    environment.retain(|entry| entry.contains('='));
    environment
}

/// Checks entries of an environment.
///
/// # Errors
/// When one has no name or holds a zero byte.
pub(super) fn check_environment(entries: &[String]) -> Result<()> {
    for entry in entries {
        if name_of(entry).is_empty() {
            return Err(ServiceError::BadRequest(format!(
                "Env: invalid environment variable: {entry}"
            )));
        }
        check_text("Env", entry)?;
    }
    Ok(())
}

/// Checks a text that the kernel will take as a C string.
///
/// # Errors
/// When it holds a zero byte.
pub(super) fn check_text(option: &str, text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(ServiceError::BadRequest(format!(
            "{option} holds a zero byte"
        )));
    }
    Ok(())
}

/// Turns Docker's pair of rows and columns into a size, unless it says nothing.
pub(crate) fn size([rows, columns]: [u16; 2]) -> Option<TerminalSize> {
    (rows > 0 && columns > 0).then_some(TerminalSize { rows, columns })
}

fn name_of(entry: &str) -> &str {
    entry.split('=').next().unwrap_or_default()
}

/// Checks the words and environment of a command.
///
/// # Errors
/// When one holds a zero byte or has no name.
pub(crate) fn check_process(words: &[String], env: &[String]) -> Result<()> {
    check_environment(env)?;
    words.iter().try_for_each(|word| check_text("Cmd", word))?;
    check_room(words, env)
}

/// Checks what a program is started with against the kernel's limits, which nobody can raise.
///
/// # Errors
/// Names the limit and what is beyond it.
pub(super) fn check_room(words: &[String], env: &[String]) -> Result<()> {
    /// execve(2): three quarters of 8 MiB for everything.
    const ALL_MAX: usize = 6 << 20;
    // 32 pages for one string with its end.
    let one_max = rustix::param::page_size() * 32 - 1;
    for (option, list) in [("Cmd", words), ("Env", env)] {
        if let Some(long) = list.iter().find(|text| text.len() > one_max) {
            return Err(ServiceError::BadRequest(format!(
                "{option}: one text is {} bytes long, and the kernel takes at most {one_max}",
                long.len()
            )));
        }
    }
    let all: usize = words.iter().chain(env).map(|text| text.len() + 9).sum();
    if all > ALL_MAX {
        return Err(ServiceError::BadRequest(format!(
            "Cmd and Env take {all} bytes together, and the kernel takes at most {ALL_MAX}"
        )));
    }
    Ok(())
}

/// Returns a command to run beside the program: as the container, unless it says otherwise.
///
/// `grantable` is what a privileged one gets.
pub(crate) fn exec_process(
    record: &ContainerRecord,
    asked: &ExecCreateBody,
    size: Option<TerminalSize>,
    grantable: &[String],
) -> Process {
    let config = &record.config;
    let or_own = |asked: &str, own: &str| {
        if asked.is_empty() {
            own.to_owned()
        } else {
            asked.to_owned()
        }
    };
    let mut env = environment(config, &config.hostname);
    if asked.tty {
        env = overlaid(&["TERM=xterm".to_owned()], &env);
    }
    let cwd = or_own(&asked.working_dir, &config.working_dir);
    let host = &record.host_config;
    Process {
        args: asked.cmd.clone().unwrap_or_default(),
        env: overlaid(&env, &asked.env),
        cwd: if cwd.is_empty() { "/".to_owned() } else { cwd },
        user: or_own(&asked.user, &config.user),
        additional_groups: host.group_add.clone().unwrap_or_default(),
        terminal: asked.tty,
        open_stdin: asked.attach_stdin,
        stdin_once: true,
        // Checked when the container was created.
        no_new_privileges: security::read(host).map_or(true, |found| found.no_new_privileges),
        // None are the container's own.
        rlimits: Vec::new(),
        size,
        capabilities: asked.privileged.then(|| grantable.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_asked_lies_over_the_image() {
        let image = texts(&["PATH=/bin", "A=1"]);
        let asked = texts(&["A=2", "B=3", "EMPTY=", "UNSET"]);
        assert_eq!(
            overlaid(&image, &asked),
            texts(&["PATH=/bin", "A=2", "B=3", "EMPTY="])
        );
    }

    #[test]
    fn the_environment_begins_with_path_host_name_and_terminal() {
        let config = ContainerConfig {
            tty: true,
            env: Some(texts(&["A=1"])),
            ..ContainerConfig::default()
        };
        let expected = [DEFAULT_PATH, "HOSTNAME=web", "TERM=xterm", "A=1"];
        assert_eq!(environment(&config, "web"), expected);
    }

    #[test]
    fn malformed_entries_are_refused() {
        assert!(check_environment(&texts(&["A=1", "B"])).is_ok());
        assert!(check_environment(&texts(&["=1"])).is_err());
        assert!(check_environment(&texts(&["A=\0"])).is_err());
    }
}
