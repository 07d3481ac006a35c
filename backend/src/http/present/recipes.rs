//! What the buttons do, said as `docker` and as a call of the API: one table for all pages.
//!
//! A row joins a permission, which is what a button asks for, to the operation of the engine it
//! becomes, and to the words of `docker` for it. Method, path and version of the call are the
//! operation's own.

use engine_api::operation::{self as ask, Method, Operation, Shape};
use engine_api::version::NEWEST;
use frontend::paths::Value;
use frontend::ui::{Recipe, Recipes};

use super::Reader;
use crate::access::PermissionId as Id;

/// What one asks, from elsewhere. `{}` stands for the thing's name.
pub(super) struct Row {
    pub(super) permission: Id,
    label: &'static str,
    icon: &'static str,
    docker: &'static str,
    operation: &'static Operation,
    query: &'static str,
    body: &'static str,
}

pub(super) const fn row(
    (permission, label, icon): (Id, &'static str, &'static str),
    docker: &'static str,
    operation: &'static Operation,
    query: &'static str,
) -> Row {
    Row {
        permission,
        label,
        icon,
        docker,
        operation,
        query,
        body: "",
    }
}

impl Row {
    pub(super) const fn with(self, body: &'static str) -> Row {
        Row { body, ..self }
    }
}

/// What can be done with a container.
const CONTAINER: &[Row] = &[
    row(
        (Id::ContainerStart, "start", "play"),
        "docker start {}",
        &ask::CONTAINER_START,
        "",
    ),
    row(
        (Id::ContainerStop, "stop", "square"),
        "docker stop {}",
        &ask::CONTAINER_STOP,
        "",
    ),
    row(
        (Id::ContainerRestart, "restart", "rotate-cw"),
        "docker restart {}",
        &ask::CONTAINER_RESTART,
        "",
    ),
    row(
        (Id::ContainerPause, "pause", "pause"),
        "docker pause {}",
        &ask::CONTAINER_PAUSE,
        "",
    ),
    row(
        (Id::ContainerPause, "unpause", "circle-play"),
        "docker unpause {}",
        &ask::CONTAINER_UNPAUSE,
        "",
    ),
    row(
        (Id::ContainerKill, "kill", "zap"),
        "docker kill {}",
        &ask::CONTAINER_KILL,
        "?signal=KILL",
    ),
    row(
        (Id::ContainerEdit, "edit", "settings-2"),
        "docker update --memory 512m --memory-swap 1g {}",
        &ask::CONTAINER_UPDATE,
        "",
    )
    .with(r#"{"Memory":536870912,"MemorySwap":1073741824}"#),
    row(
        (Id::ContainerRename, "rename", "pencil"),
        "docker rename {} NEW-NAME",
        &ask::CONTAINER_RENAME,
        "?name=NEW-NAME",
    ),
    row(
        (Id::ContainerLogs, "logs", "file-text"),
        "docker logs --follow --tail 1000 {}",
        &ask::CONTAINER_LOGS,
        "?follow=1&stdout=1&stderr=1&tail=1000",
    ),
    row(
        (Id::ContainerView, "stats", "chart-line"),
        "docker stats {}",
        &ask::CONTAINER_STATS,
        "",
    ),
    row(
        (Id::ContainerExec, "terminal", "terminal"),
        "docker exec -it {} sh",
        &ask::EXEC_CREATE,
        "",
    )
    .with(
        r#"{"Cmd":["sh"],"Tty":true,"AttachStdin":true,"AttachStdout":true,"AttachStderr":true}"#,
    ),
    row(
        (Id::ContainerDownloadFiles, "files-download", "download"),
        "docker cp {}:/PATH .",
        &ask::CONTAINER_ARCHIVE,
        "?path=/PATH",
    ),
    row(
        (Id::ContainerWriteFiles, "upload-title", "upload"),
        "docker cp FILE {}:/PATH",
        &ask::CONTAINER_EXTRACT,
        "?path=/PATH",
    )
    .with("@files.tar"),
    row(
        (Id::ContainerChanges, "changes", "file-diff"),
        "docker diff {}",
        &ask::CONTAINER_CHANGES,
        "",
    ),
    row(
        (Id::ContainerProcesses, "processes", "list-tree"),
        "docker top {}",
        &ask::CONTAINER_TOP,
        "",
    ),
    row(
        (Id::ContainerInspect, "inspect", "braces"),
        "docker inspect {}",
        &ask::CONTAINER_INSPECT,
        "",
    ),
    row(
        (Id::ContainerRemove, "remove", "trash-2"),
        "docker rm --force {}",
        &ask::CONTAINER_REMOVE,
        "?force=1",
    ),
];

/// What can be done with an image.
const IMAGE: &[Row] = &[
    row(
        (Id::ContainerCreate, "image-run", "play"),
        "docker run -d {}",
        &ask::CONTAINER_CREATE,
        "",
    )
    .with(r#"{"Image":"{}"}"#),
    row(
        (Id::ImageTag, "image-tag", "tag"),
        "docker tag {} team/app:2",
        &ask::IMAGE_TAG,
        "?repo=team/app&tag=2",
    ),
    row(
        (Id::ImagePush, "image-push", "upload"),
        "docker push {}",
        &ask::IMAGE_PUSH,
        "",
    ),
    row(
        (Id::ImageCheck, "update-check", "rotate-cw"),
        "docker manifest inspect {}",
        &ask::DISTRIBUTION_INSPECT,
        "",
    ),
    row(
        (Id::ImageSave, "image-save", "download"),
        "docker save --output image.tar {}",
        &ask::IMAGE_SAVE,
        "",
    ),
    row(
        (Id::ImageView, "layers", "layers"),
        "docker history {}",
        &ask::IMAGE_HISTORY,
        "",
    ),
    row(
        (Id::ImageFiles, "image-layers-read", "layers"),
        "docker history --no-trunc {}",
        &ask::IMAGE_LAYERS,
        "",
    ),
    row(
        (Id::ImageFiles, "image-files-list", "folder"),
        "docker run --rm {} ls -la /etc",
        &ask::IMAGE_FILES,
        "?path=/etc",
    ),
    row(
        (Id::ImageDownloadFiles, "image-file-read", "file"),
        "docker run --rm {} cat /etc/os-release",
        &ask::IMAGE_FILE,
        "?path=/etc/os-release",
    ),
    row(
        (Id::ImageView, "inspect", "braces"),
        "docker image inspect {}",
        &ask::IMAGE_INSPECT,
        "",
    ),
    row(
        (Id::ImageRemove, "remove", "trash-2"),
        "docker rmi {}",
        &ask::IMAGE_REMOVE,
        "",
    ),
];

/// How images come in.
const IMAGES: &[Row] = &[
    row(
        (Id::ImagePull, "pull", "download"),
        "docker pull nginx:1.29",
        &ask::IMAGE_CREATE,
        "?fromImage=nginx&tag=1.29",
    ),
    row(
        (Id::ImageBuild, "build", "hammer"),
        "DOCKER_BUILDKIT=0 docker build --tag team/app:2 .",
        &ask::BUILD,
        "?t=team/app:2",
    )
    .with("@context.tar"),
    row(
        (Id::ImageLoad, "load", "upload"),
        "docker load --input image.tar",
        &ask::IMAGE_LOAD,
        "",
    )
    .with("@image.tar"),
    row(
        (Id::ImagePrune, "images-prune", "trash-2"),
        "docker image prune --all",
        &ask::IMAGE_PRUNE,
        "?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D",
    ),
    row(
        (Id::ImageList, "images", "layers"),
        "docker images",
        &ask::IMAGE_LIST,
        "",
    ),
];

/// Returns what the buttons of a container's page do.
pub fn container(reader: &Reader, name: &str) -> Recipes {
    recipes(reader, CONTAINER, name)
}

/// Returns what the buttons of an image's page do.
pub fn image(reader: &Reader, name: &str) -> Recipes {
    recipes(reader, IMAGE, name)
}

/// Returns what the forms of the list of images do.
pub fn images(reader: &Reader) -> Recipes {
    recipes(reader, IMAGES, "")
}

/// Returns the calls that create a container of this body, and start it when asked.
pub fn create(reader: &Reader, name: &str, body: &str, and_start: bool) -> String {
    let query = match name {
        "" => String::new(),
        name => format!("?name={name}"),
    };
    let made = call(reader, &ask::CONTAINER_CREATE, "", &query, body);
    if !and_start {
        return made;
    }
    // Without a name the answer's id is what one starts.
    let name = if name.is_empty() { "ID" } else { name };
    let started = call(reader, &ask::CONTAINER_START, name, "", "");
    format!("{made}\n{started}")
}

/// Returns the call that builds by this query, from the context in this file.
pub fn build(reader: &Reader, query: &[(&'static str, String)], file: &str) -> String {
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={}", Value(value)))
        .collect();
    let query = match query.is_empty() {
        true => String::new(),
        false => format!("?{}", query.join("&")),
    };
    call(reader, &ask::BUILD, "", &query, file)
}

pub(super) fn recipes(reader: &Reader, rows: &[Row], name: &str) -> Recipes {
    let mine = rows.iter().filter(|row| reader.may(row.permission));
    let name_in_shell = shell(name);
    let recipes = mine.map(|row| Recipe {
        label: reader.words.t(row.label),
        icon: row.icon,
        command: row.docker.replace("{}", &name_in_shell),
        call: call(
            reader,
            row.operation,
            name,
            row.query,
            &row.body.replace("{}", name),
        ),
    });
    Recipes {
        words: reader.words,
        recipes: recipes.collect(),
    }
}

fn call(reader: &Reader, operation: &Operation, name: &str, query: &str, body: &str) -> String {
    let mut words = vec!["curl".to_owned()];
    if operation.shape == Shape::Stream {
        words.push("--no-buffer".to_owned());
    }
    words.extend(["--unix-socket".to_owned(), shell(&reader.socket)]);
    if operation.method != Method::Get {
        words.extend(["-X".to_owned(), operation.method.as_str().to_owned()]);
    }
    match body {
        "" => {}
        file if file.starts_with('@') => {
            words.extend(["-H".to_owned(), shell("Content-Type: application/x-tar")]);
            words.extend(["--data-binary".to_owned(), file.to_owned()]);
        }
        json => {
            words.extend(["-H".to_owned(), shell("Content-Type: application/json")]);
            words.extend(["-d".to_owned(), shell(json)]);
        }
    }
    let path = operation.path.replace("{id}", name).replace("{name}", name);
    words.push(shell(&format!("http://localhost/v{NEWEST}{path}{query}")));
    words.join(" ")
}

/// A word as a shell takes it.
fn shell(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::super::network_recipes;
    use super::*;
    use crate::access::{Effect, TABLE};
    use crate::domain::Language;

    fn reader() -> Reader {
        let now = "2026-11-21T06:00:00Z".parse().unwrap();
        Reader::outside(Language::English, now)
    }

    #[test]
    fn every_button_of_a_thing_has_its_recipe() {
        let of_images = || IMAGE.iter().chain(IMAGES);
        let of_networks = || network_recipes::all();
        let rows = || CONTAINER.iter().chain(of_images()).chain(of_networks());
        // Seen in the browser only: secrets that are revealed, a log as a file.
        let is_ours = [Id::ContainerReveal, Id::ContainerDownloadLogs];
        let buttons = TABLE.iter().filter(|row| {
            let rooms = ["container.", "image.", "network."];
            let is_thing = rooms.iter().any(|room| row.name.starts_with(room));
            is_thing && row.effect != Effect::Read && !is_ours.contains(&row.id)
        });
        for button in buttons {
            let is_told = rows().any(|row| row.permission == button.id);
            assert!(is_told, "{} has no recipe", button.name);
        }
    }

    #[test]
    fn a_recipe_is_the_operation_in_a_shell() {
        let stop = CONTAINER.iter().find(|row| row.label == "stop").unwrap();
        assert_eq!(
            call(&reader(), stop.operation, "web", stop.query, stop.body),
            format!(
                "curl --unix-socket /run/gantry/engine.sock -X POST \
                 http://localhost/v{NEWEST}/containers/web/stop"
            )
        );
        let load = IMAGES.iter().find(|row| row.label == "load").unwrap();
        let load = call(&reader(), load.operation, "", load.query, load.body);
        assert!(load.contains("--data-binary @image.tar"), "{load}");
        let create = create(&reader(), "web", r#"{"Image":"it's"}"#, true);
        assert_eq!(create.lines().count(), 2);
        let words = shlex::split(create.lines().next().unwrap()).unwrap();
        assert!(
            words.contains(&r#"{"Image":"it's"}"#.to_owned()),
            "{create}"
        );
    }
}
