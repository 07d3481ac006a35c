//! Git repositories as contexts and in `ADD`, served by git itself on loopback.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Context, Told, build, run};
use crate::rig::{Rig, until};

/// A repository with two commits, a branch, a tag and what a hostile one would hold.
struct Repository {
    dir: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.write(
            "Dockerfile",
            "FROM busybox\nCOPY . /in/\nRUN cat /in/which; ls /in\n",
        );
        repository.write("which", "of the first\n");
        repository.write(
            ".gitattributes",
            "secret export-ignore\nwhich export-subst\n",
        );
        repository.write("secret", "no archive leaves it out\n");
        repository.write("app/Dockerfile", "FROM busybox\nCOPY f /f\nRUN cat /f\n");
        repository.write("app/f", "of the app\n");
        symlink("/etc/passwd", repository.dir.path().join("out")).unwrap();
        repository.commit();
        repository.git(&["tag", "v1"]);
        repository.git(&["switch", "--quiet", "--create", "side/b"]);
        repository.write("which", "of the side\n");
        repository.commit();
        repository.git(&["switch", "--quiet", "main"]);
        repository
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=one"]);
    }

    fn git(&self, words: &[&str]) -> String {
        let done = git(self.dir.path()).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{words:?}: {said}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Serves it on loopback until the test ends; `/moved.git` leads there too.
    fn serve(&self) -> String {
        crate::rig::own_network();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let dir = self.dir.path().to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let dir = dir.clone();
                std::thread::spawn(move || answer(stream.unwrap(), &dir));
            }
        });
        address
    }
}

fn git(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(dir).env("HOME", dir);
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "ann");
        command.env(format!("GIT_{name}_EMAIL"), "ann@example.org");
    }
    command
}

/// What `git http-backend` does, for one request.
fn answer(mut stream: TcpStream, dir: &Path) {
    let mut asked = Vec::new();
    let mut piece = [0; 4096];
    let head_end = loop {
        let Ok(n_read @ 1..) = stream.read(&mut piece) else {
            return;
        };
        asked.extend_from_slice(&piece[..n_read]);
        if let Some(at) = asked.windows(4).position(|end| end == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&asked[..head_end]).into_owned();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    while asked.len() < head_end + length {
        let n_read = stream.read(&mut piece).unwrap();
        asked.extend_from_slice(&piece[..n_read]);
    }
    if head.contains("/moved.git") {
        let location =
            "HTTP/1.1 302 Found\r\nLocation: /shop.git/info/refs?service=git-upload-pack";
        let _ = write!(
            stream,
            "{location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        return;
    }
    let (option, kind) = match head.starts_with("GET") {
        true => ("--http-backend-info-refs", "advertisement"),
        false => ("--stateless-rpc", "result"),
    };
    let mut serving = git(dir)
        .env("GIT_PROTOCOL", "version=2")
        .args(["upload-pack", option, "."])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serving
        .stdin
        .take()
        .unwrap()
        .write_all(&asked[head_end..])
        .unwrap();
    let said = serving.wait_with_output().unwrap().stdout;
    let kind = format!("Content-Type: application/x-git-upload-pack-{kind}");
    let length = said.len();
    let head = format!("HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: {length}");
    // Whoever asked may have gone.
    let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(&said);
}

async fn build_of(rig: &Rig, remote: &str) -> Told {
    let options = [("remote", remote), ("nocache", "1")];
    build(rig, &options, bytes::Bytes::new()).await
}

#[tokio::test]
async fn a_branch_a_tag_a_commit_and_a_directory_of_a_repository_are_built() {
    let repository = Repository::new();
    let host = repository.serve();
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    let first = repository.git(&["rev-parse", "v1"]);
    for (part, said) in [
        ("", "of the first\n"),
        ("#side/b", "of the side\n"),
        ("#v1", "of the first\n"),
        (&format!("#{first}"), "of the first\n"),
        ("#main:app", "of the app\n"),
    ] {
        let told = build_of(&rig, &format!("http://{host}/shop.git{part}")).await;
        told.id();
        assert!(told.text.contains(said), "{part}: {}", told.text);
    }
    let told = build_of(&rig, &format!("http://{host}/shop.git")).await;
    assert!(told.text.contains("secret\n"), "{}", told.text);
    assert!(!told.text.contains(".git\n"), "{}", told.text);
    rig.end().await;
}

#[tokio::test]
async fn a_repository_that_cannot_be_had_is_refused_in_words() {
    let repository = Repository::new();
    let host = repository.serve();
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    let inside = host.replace("127.0.0.1", "localhost");
    for (remote, reason) in [
        (
            format!("http://{host}/shop.git#none"),
            "couldn't find remote ref none",
        ),
        (format!("http://{host}/shop.git#main:none"), "none"),
        (format!("http://ann:secret@{host}/moved.git"), "moved.git"),
        (format!("http://{inside}/shop.git"), "--insecure-registry"),
        (
            "https://169.254.169.254/a.git".to_owned(),
            "--insecure-registry",
        ),
        (
            format!("http://{host}/shop.git#--upload-pack=touch"),
            "no branch, tag or commit",
        ),
        (
            "git@example.org:a.git".to_owned(),
            "only repositories at https://",
        ),
    ] {
        let error = build_of(&rig, &remote).await.error;
        let error = error.unwrap_or_else(|| panic!("{remote} was built"));
        assert!(error.contains(reason), "{remote}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let left = fs::read_dir(rig.path("d/builds/work")).unwrap();
    assert_eq!(left.count(), 0, "a refused build leaves files");
    rig.end().await;
}

/// Programs whose environment names a repository below `dir`.
fn gits_below(dir: &str) -> usize {
    let named = format!("GIT_DIR={dir}");
    let processes = fs::read_dir("/proc").unwrap();
    let environments =
        processes.filter_map(|process| fs::read(process.ok()?.path().join("environ")).ok());
    environments
        .filter(|text| String::from_utf8_lossy(text).contains(&named))
        .count()
}

#[tokio::test]
async fn a_build_that_nobody_waits_for_leaves_no_git_behind() {
    crate::rig::own_network();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = silent.local_addr().unwrap().to_string();
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    let dir = rig.path("d").display().to_string();
    let remote = format!("http://{host}/shop.git");
    {
        let building = build_of(&rig, &remote);
        let asked = async {
            until("git and its helper ask", async || gits_below(&dir) >= 2).await;
        };
        tokio::select! {
            told = building => panic!("nobody answers: {:?}", told.error),
            () = asked => {}
        }
    }
    until("no git is left", async || gits_below(&dir) == 0).await;
    until("no file is left", async || {
        fs::read_dir(rig.path("d/builds/work")).unwrap().count() == 0
    })
    .await;
    rig.end().await;
}

async fn add(rig: &Rig, instruction: &str) -> Told {
    let dockerfile = format!("FROM busybox\nADD {instruction}\n");
    build(rig, &[("t", "it")], Context::new(&dockerfile).archive()).await
}

#[tokio::test]
async fn the_files_of_a_repository_are_added_and_known_by_their_content() {
    let repository = Repository::new();
    let host = repository.serve();
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    let url = format!("http://ann:secret@{host}/shop.git");
    let first = add(&rig, &format!("{url}#v1 /src")).await;
    first.id();
    let seen = run(&rig, "it", Some("cat /src/which; ls -a /src")).await;
    assert!(
        seen.starts_with("of the first\n") && !seen.contains(".git\n"),
        "{seen}"
    );
    let again = add(&rig, &format!("--keep-git-dir=false {url}#v1 /src")).await;
    assert_eq!((again.n_cached(), again.id()), (1, first.id()));
    add(&rig, &format!("{url}#:app /app/")).await.id();
    assert_eq!(
        run(&rig, "it", Some("ls /app; cat /app/f")).await,
        "Dockerfile\nf\nof the app\n"
    );

    let commit = repository.git(&["rev-parse", "side/b"]);
    add(&rig, &format!("--checksum={commit} {url}#side/b /s"))
        .await
        .id();
    let other = add(&rig, &format!("--checksum={commit} {url}#v1 /s"))
        .await
        .error
        .unwrap();
    assert!(
        other.contains(&format!("{commit} was expected")) && !other.contains("secret"),
        "{other}"
    );
    for address in [
        "git@example.org:a/b.git",
        "ssh://example.org/a.git",
        "git://h/a.git",
    ] {
        let refused = add(&rig, &format!("{address} /s")).await.error.unwrap();
        assert!(
            refused.contains("only repositories at https://"),
            "{refused}"
        );
    }
    rig.end().await;
}

#[tokio::test]
async fn a_kept_repository_is_one_at_that_commit_and_says_no_password() {
    let repository = Repository::new();
    let host = repository.serve();
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    let url = format!("http://ann:secret@{host}/shop.git");
    let told = add(&rig, &format!("--keep-git-dir=true {url}#side/b /src")).await;
    told.id();
    let layers = rig.client.image("it").await.unwrap().root_fs.layers;
    let top = layers.last().unwrap().trim_start_matches("sha256:");
    let src = rig.path("d/layers").join(top).join("diff/src");
    let asked = |words: &[&str]| {
        let done = git(&src)
            .args(["-c", "safe.directory=*"])
            .args(words)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(
        asked(&["rev-parse", "HEAD"]),
        repository.git(&["rev-parse", "side/b"])
    );
    assert_eq!(
        asked(&["config", "remote.origin.url"]),
        format!("http://{host}/shop.git")
    );
    assert_eq!(asked(&["status", "--porcelain"]), "");
    let found = Command::new("grep")
        .args(["-r", "secret@"])
        .arg(&src)
        .output()
        .unwrap();
    assert!(
        found.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&found.stdout)
    );

    let again = add(&rig, &format!("--keep-git-dir=true {url}#side/b /src")).await;
    assert_eq!((again.n_cached(), again.id()), (1, told.id()));
    rig.end().await;
}

/// Adds a submodule without asking whether it is there.
fn link(repository: &Repository, path: &str, url: &str, commit: &str) {
    let name = format!("submodule.{path}");
    repository.git(&["config", "-f", ".gitmodules", &format!("{name}.path"), path]);
    repository.git(&["config", "-f", ".gitmodules", &format!("{name}.url"), url]);
    repository.git(&["add", ".gitmodules"]);
    let entry = format!("160000,{commit},{path}");
    repository.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repository.git(&["commit", "--quiet", "--message=linked"]);
}

#[tokio::test]
async fn submodules_come_along_from_addresses_that_are_judged_like_the_first() {
    let library = Repository::new();
    let at_library = library.serve();
    let repository = Repository::new();
    let host = repository.serve();
    let (rig_host, rig_library) = (host.as_str(), at_library.as_str());
    let rig = Rig::with(&[
        "--insecure-registry",
        rig_host,
        "--insecure-registry",
        rig_library,
    ])
    .await;
    let side = library.git(&["rev-parse", "side/b"]);
    link(
        &repository,
        "app/lib",
        &format!("http://{at_library}/lib.git"),
        &side,
    );
    // Beside itself, on its own host.
    let own = repository.git(&["rev-parse", "v1"]);
    link(&repository, "deep/own", "../shop.git", &own);

    let script = "cat /src/which /src/app/lib/which /src/deep/own/app/f";
    add(&rig, &format!("http://{host}/shop.git /src"))
        .await
        .id();
    let wanted = "of the first\nof the side\nof the app\n";
    assert_eq!(run(&rig, "it", Some(script)).await, wanted);
    add(&rig, &format!("http://{host}/shop.git#:app /app"))
        .await
        .id();
    assert_eq!(
        run(&rig, "it", Some("cat /app/lib/which")).await,
        "of the side\n"
    );
    let told = build_of(&rig, &format!("http://{host}/shop.git")).await;
    told.id();
    assert!(told.text.contains("deep\n"), "{}", told.text);

    for (url, reason) in [
        ("https://169.254.169.254/a.git", "--insecure-registry"),
        ("ssh://example.org/a.git", "only repositories at https://"),
        ("/etc", "only repositories at https://"),
        ("../../../../a", "only repositories at https://"),
    ] {
        link(&repository, "bad", url, &own);
        let refused = add(&rig, &format!("http://{host}/shop.git /src"))
            .await
            .error
            .unwrap();
        assert!(refused.contains(reason), "{url}: {refused}");
    }
    rig.end().await;
}
