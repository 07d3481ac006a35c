//! A handler's signature says who may call it: a `Permit`, an `Actor`, or openly `Anyone`.

use crate::golden;
use crate::source;
use crate::tree::{File, Problem, Tree};

/// The rooms whose public async functions are handlers.
const ROOMS: &[&str] = &[
    "backend/src/http/pages/",
    "backend/src/http/api/",
    "backend/src/http/sockets/",
];

/// The frames under the sockets' handlers: nobody mounts them.
const NO_HANDLERS: &[&str] = &["backend/src/http/sockets/wire.rs"];

/// What a signature may hold to say it; `Bulk` and `Permits` are one permit for each of many.
const PROOFS: [&str; 5] = ["Permit", "Permits", "Actor", "Anyone", "Bulk"];

/// A handler: its name, where it stands, and its parameters.
struct Handler<'a> {
    file: &'a File,
    line: usize,
    name: String,
    parameters: String,
}

/// Every handler takes a proof or says that it takes none.
pub(crate) fn guarded(tree: &Tree) -> Vec<Problem> {
    handlers(tree)
        .into_iter()
        .filter(|handler| {
            let says = |word| source::words(&handler.parameters, word).next().is_some();
            !PROOFS.into_iter().any(says)
        })
        .map(|handler| {
            let rule = format!("{} takes no Permit, Actor or Anyone", handler.name);
            Problem::new(&handler.file.path, handler.line, rule)
        })
        .collect()
}

/// The handlers that anyone may call are the reviewed ones; the list may only shrink.
pub(crate) fn open_to_all_is_golden(tree: &Tree) -> Vec<Problem> {
    let mut open: Vec<String> = handlers(tree)
        .into_iter()
        .filter(|handler| {
            source::words(&handler.parameters, "Anyone")
                .next()
                .is_some()
        })
        .map(|handler| {
            let room = handler
                .file
                .path
                .trim_start_matches("backend/src/http/")
                .trim_end_matches(".rs");
            format!("{}::{}\n", room.replace('/', "::"), handler.name)
        })
        .collect();
    open.sort();
    golden::compare(tree, "routes-open-to-all.txt", &open.concat())
}

fn handlers(tree: &Tree) -> Vec<Handler<'_>> {
    let in_rooms = tree
        .rust()
        .filter(|file| ROOMS.iter().any(|room| file.path.starts_with(room)))
        .filter(|file| !NO_HANDLERS.contains(&file.path.as_str()));
    in_rooms.flat_map(handlers_of).collect()
}

fn handlers_of(file: &File) -> Vec<Handler<'_>> {
    let code = source::read(&file.text).code;
    let mut found = Vec::new();
    for at in source::words(&code, "async") {
        let before = code[..at].trim_end();
        let public = before.ends_with("pub")
            || before.ends_with("pub(crate)")
            || before.ends_with("pub(super)")
            || before.ends_with("pub(in crate::http)");
        let Some(rest) = code[at..].strip_prefix("async fn ") else {
            continue;
        };
        if !public {
            continue;
        }
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let parameters = in_brackets(&rest[name.len()..]);
        if source::words(&parameters, "self").next().is_some() {
            continue;
        }
        found.push(Handler {
            file,
            line: source::line_of(&code, at),
            name,
            parameters,
        });
    }
    found
}

fn in_brackets(text: &str) -> String {
    let mut depth = 0;
    let Some(open) = text.find('(') else {
        return String::new();
    };
    for (at, c) in text[open..].char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return text[open..=open + at].to_owned();
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_without_a_proof_is_seen() {
        let tree = Tree::of(&[(
            "backend/src/http/pages/a.rs",
            "pub(crate) async fn start(permit: Permit<container::Start>, s: State<App>) {}\n\
             pub async fn login(_: Anyone, Form(f): Form<(A, B)>) {}\n\
             async fn private(a: A) {}\n\
             pub async fn open(State(app): State<App>, f: fn() -> Permitted) {}\n",
        )]);
        let problems = guarded(&tree);
        assert_eq!(problems.len(), 1);
        assert_eq!(
            (problems[0].line, problems[0].rule.starts_with("open ")),
            (4, true)
        );
    }

    #[test]
    fn functions_elsewhere_are_no_handlers() {
        let tree = Tree::of(&[("backend/src/services/a.rs", "pub async fn start(a: A) {}")]);
        assert!(guarded(&tree).is_empty());
    }
}
