//! Steps that change how an image is run and not its files.

use std::time::Duration;

use engine_build::{Action, Healthcheck, resolve};
use engine_images::{Empty, ImageConfig, RunConfig};
use serde_json::{Value, json};

/// The shell of an image that names none.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// Returns the shell that runs the texts of an image's Dockerfile.
pub(super) fn shell(config: &RunConfig) -> Vec<String> {
    let own = config.shell.clone().filter(|shell| !shell.is_empty());
    own.unwrap_or_else(|| SHELL.map(str::to_owned).to_vec())
}

/// The working directory, absolute.
pub(super) fn working_dir(config: &RunConfig) -> &str {
    match config.working_dir.as_str() {
        "" => "/",
        dir => dir,
    }
}

/// Changes the configuration as an action says; what it says of files is done elsewhere.
/// `is_cmd_set` is whether this stage has a command of its own.
pub(super) fn apply(image: &mut ImageConfig, action: &Action, is_cmd_set: &mut bool) {
    let shell = shell(&image.config);
    let config = &mut image.config;
    match action {
        Action::Cmd(command) => {
            config.cmd = Some(command.argv(&shell));
            *is_cmd_set = true;
        }
        Action::Entrypoint(command) => {
            config.entrypoint = Some(command.argv(&shell));
            if !*is_cmd_set {
                // The base's command was meant for the base's entrypoint.
                config.cmd = None;
            }
        }
        Action::Env(pairs) => {
            for (key, value) in pairs {
                set_env(&mut config.env, key, value);
            }
        }
        Action::Expose(ports) => {
            let ports = ports.iter().map(|port| (port.to_string(), Empty {}));
            config.exposed_ports.extend(ports);
        }
        Action::Healthcheck(check) => config.healthcheck = Some(healthcheck(check, &shell)),
        Action::Label(pairs) => config.labels.extend(pairs.iter().cloned()),
        Action::Maintainer(author) => image.author.clone_from(author),
        Action::Onbuild(trigger) => config.on_build.push(trigger.clone()),
        Action::Shell(words) => config.shell = Some(words.clone()),
        Action::Stopsignal(signal) => config.stop_signal.clone_from(signal),
        Action::User(user) => config.user.clone_from(user),
        Action::Volume(paths) => {
            let paths = paths.iter().map(|path| (path.clone(), Empty {}));
            config.volumes.extend(paths);
        }
        Action::Workdir(path) => config.working_dir = resolve(working_dir(config), path),
        Action::Add(_) | Action::Arg(_) | Action::Copy(_) | Action::Run(_) => {}
    }
}

fn set_env(env: &mut Vec<String>, key: &str, value: &str) {
    let entry = format!("{key}={value}");
    let has_key = |entry: &String| entry.split('=').next() == Some(key);
    match env.iter_mut().find(|entry| has_key(entry)) {
        Some(known) => *known = entry,
        None => env.push(entry),
    }
}

fn healthcheck(check: &Healthcheck, shell: &[String]) -> Value {
    let Healthcheck::Cmd {
        command,
        interval,
        timeout,
        start_period,
        start_interval,
        retries,
    } = check
    else {
        return json!({"Test": ["NONE"]});
    };
    let test: Vec<String> = match command {
        engine_build::Command::Exec(words) => {
            let head = std::iter::once("CMD".to_owned());
            head.chain(words.iter().cloned()).collect()
        }
        // Docker's readers know one shell for it.
        engine_build::Command::Shell(text) if shell == SHELL => {
            vec!["CMD-SHELL".to_owned(), text.clone()]
        }
        command => {
            let head = std::iter::once("CMD".to_owned());
            head.chain(command.argv(shell)).collect()
        }
    };
    let mut value = json!({ "Test": test });
    let mut set = |key: &str, duration: &Option<Duration>| {
        if let Some(duration) = duration
            && let Ok(ns) = i64::try_from(duration.as_nanos())
        {
            value[key] = ns.into();
        }
    };
    set("Interval", interval);
    set("Timeout", timeout);
    set("StartPeriod", start_period);
    set("StartInterval", start_interval);
    if let Some(retries) = retries {
        value["Retries"] = (*retries).into();
    }
    value
}

#[cfg(test)]
mod tests {
    use engine_build::Command;

    use super::*;

    #[test]
    fn an_entrypoint_takes_the_command_of_the_base_away_and_not_that_of_the_stage() {
        let words = |text: &str| Command::Exec(vec![text.to_owned()]);
        let mut image = ImageConfig {
            config: RunConfig {
                cmd: Some(vec!["base".to_owned()]),
                ..RunConfig::default()
            },
            created: None,
            author: String::new(),
            comment: String::new(),
            platform: engine_images::Platform::host(),
            rootfs: engine_images::RootFs::default(),
            history: Vec::new(),
        };
        let mut is_set = false;
        apply(&mut image, &Action::Entrypoint(words("run")), &mut is_set);
        assert_eq!(image.config.cmd, None);
        apply(&mut image, &Action::Cmd(words("own")), &mut is_set);
        apply(&mut image, &Action::Entrypoint(words("go")), &mut is_set);
        assert_eq!(image.config.cmd, Some(vec!["own".to_owned()]));
    }

    #[test]
    fn a_variable_is_set_once_and_a_path_is_relative_to_the_one_before() {
        let mut env = vec!["A=1".to_owned(), "AB=2".to_owned()];
        set_env(&mut env, "A", "3=4");
        set_env(&mut env, "C", "");
        assert_eq!(env, ["A=3=4", "AB=2", "C="]);
    }
}
