//! The line that an image's history has for a step: `created_by`, as the classic builder writes it.

use crate::action::{Action, Origin, Source, Transfer};
use crate::dockerfile::{Command, Healthcheck};

impl Action {
    /// What the history says of this step. `shell` is the one that holds when it runs.
    ///
    /// A command is shown as it is executed, with the declared arguments it sees in front; all else
    /// is a remark to a shell that does nothing.
    pub fn history(&self, shell: &[String]) -> String {
        let remark = |text: String| format!("{} #(nop)  {text}", shell.join(" "));
        let words = |words: &[String]| serde_json::json!(words).to_string();
        let command = |command: &Command| words(&command.argv(shell));
        let pairs = |pairs: &[(String, String)]| {
            let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join(" ")
        };
        match self {
            Action::Run(run) => {
                let argv = run.command.argv(shell).join(" ");
                if run.arguments.is_empty() {
                    return argv;
                }
                format!("|{} {} {argv}", run.arguments.len(), pairs(&run.arguments))
            }
            Action::Add(transfer) => remark(format!("ADD {}", files(transfer))),
            Action::Copy(transfer) => remark(format!("COPY {}", files(transfer))),
            Action::Arg(arguments) => {
                let arguments = arguments.iter().map(|(name, value)| match value {
                    Some(value) => format!("{name}={value}"),
                    None => name.clone(),
                });
                remark(format!("ARG {}", arguments.collect::<Vec<_>>().join(" ")))
            }
            Action::Cmd(line) => remark(format!("CMD {}", command(line))),
            Action::Entrypoint(line) => remark(format!("ENTRYPOINT {}", command(line))),
            Action::Env(variables) => remark(format!("ENV {}", pairs(variables))),
            Action::Label(labels) => remark(format!("LABEL {}", pairs(labels))),
            Action::Expose(ports) => {
                let ports = ports.iter().map(ToString::to_string);
                remark(format!("EXPOSE {}", ports.collect::<Vec<_>>().join(" ")))
            }
            Action::Healthcheck(Healthcheck::None) => remark("HEALTHCHECK NONE".to_owned()),
            Action::Healthcheck(Healthcheck::Cmd { command, .. }) => {
                let test = match command {
                    Command::Shell(text) => text.clone(),
                    Command::Exec(argv) => words(argv),
                };
                remark(format!("HEALTHCHECK CMD {test}"))
            }
            Action::Maintainer(text) => remark(format!("MAINTAINER {text}")),
            Action::Onbuild(text) => remark(format!("ONBUILD {text}")),
            Action::Shell(argv) => remark(format!("SHELL {}", words(argv))),
            Action::Stopsignal(signal) => remark(format!("STOPSIGNAL {signal}")),
            Action::User(user) => remark(format!("USER {user}")),
            Action::Volume(paths) => remark(format!("VOLUME {}", paths.join(" "))),
            Action::Workdir(path) => remark(format!("WORKDIR {path}")),
        }
    }
}

fn files(transfer: &Transfer) -> String {
    let sources = transfer.sources.iter().map(|source| match source {
        Source::Path(text) | Source::Url(text) | Source::Git(text) => text.clone(),
        Source::Inline { name, .. } => format!("<<{name}"),
    });
    let from = match &transfer.from {
        Origin::Context => "",
        Origin::Stage(_) | Origin::Image(_) => "--from ",
    };
    let sources: Vec<String> = sources.collect();
    format!("{from}{} in {}", sources.join(" "), transfer.target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Run;
    use crate::dockerfile::RunNetwork;

    fn shell() -> Vec<String> {
        vec!["/bin/sh".to_owned(), "-c".to_owned()]
    }

    #[test]
    fn a_command_is_shown_with_its_arguments_and_all_else_as_a_remark() {
        let run = |arguments| {
            Action::Run(Run {
                command: Command::Shell("make $X".to_owned()),
                script: None,
                mounts: Vec::new(),
                network: RunNetwork::Default,
                environment: Vec::new(),
                arguments,
            })
        };
        assert_eq!(run(Vec::new()).history(&shell()), "/bin/sh -c make $X");
        let with = run(vec![("X".to_owned(), "1".to_owned())]);
        assert_eq!(with.history(&shell()), "|1 X=1 /bin/sh -c make $X");
        let cmd = Action::Cmd(Command::Exec(vec!["a b".to_owned(), "c".to_owned()]));
        assert_eq!(
            cmd.history(&shell()),
            r#"/bin/sh -c #(nop)  CMD ["a b","c"]"#
        );
    }
}
