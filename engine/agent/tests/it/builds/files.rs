//! `COPY` and `ADD`: names, owners, bits, archives.

use super::{Context, build, built, packed, run};
use crate::rig::Rig;

#[tokio::test]
async fn files_and_directories_go_where_docker_puts_them() {
    let rig = Rig::new().await;
    let dockerfile = "
FROM busybox
WORKDIR /w
COPY f as
COPY f into/
COPY f .
COPY d d
COPY d/ /merged/
COPY *.txt /texts/
COPY [\"a b\", \"/spaced\"]
COPY link /l
COPY dirlink /dl
COPY f tmp/../here
RUN ln -s /real /alias && mkdir /real
COPY f /alias/
RUN find /w /merged /texts /spaced /l /dl /real -type f | sort
";
    let context = Context::new(dockerfile)
        .file("f", "f\n")
        .file("d/x", "x\n")
        .file("d/e/y", "y\n")
        .file("one.txt", "")
        .file("two.txt", "")
        .file("a b", "")
        .link("link", "f")
        .link("dirlink", "d");
    let told = built(&rig, "it", context).await;
    let listed = "/dl/e/y\n/dl/x\n/l\n/merged/e/y\n/merged/x\n/real/f\n/spaced\n/texts/one.txt\n\
                  /texts/two.txt\n/w/as\n/w/d/e/y\n/w/d/x\n/w/f\n/w/here\n/w/into/f\n";
    assert!(told.text.contains(listed), "{}", told.text);
    assert_eq!(
        run(&rig, "it", Some("test -L /alias && cat /l /w/as")).await,
        "f\nf\n"
    );
    rig.end().await;
}

#[tokio::test]
async fn owners_and_bits_are_given_and_what_was_there_keeps_its_own() {
    let rig = Rig::new().await;
    let dockerfile = "
FROM busybox
COPY --chown=web:root f /by-name
COPY --chown=7 f /new/by-number
COPY --chown=web --chmod=640 d /dir
COPY x /x
COPY d /tmp/
RUN stat -c '%n %u:%g %a' /by-name /new /new/by-number /dir /dir/x /x /tmp /tmp/x
";
    let context = Context::new(dockerfile)
        .file("f", "")
        .file_with("d/x", "", 0o600, 1)
        .file_with("x", "", 0o755, 1);
    let told = built(&rig, "it", context).await;
    for line in [
        "/by-name 1000:0 644",
        "/new 7:7 755",
        "/new/by-number 7:7 644",
        "/dir/x 1000:1000 640",
        "/x 0:0 755",
        "/tmp/x 0:0 600",
    ] {
        assert!(
            told.text.contains(&format!("{line}\n")),
            "{line}: {}",
            told.text
        );
    }
    let nobody = Context::new("FROM busybox\nCOPY --chown=none f /\n").file("f", "");
    let error = build(&rig, &[], nobody.archive()).await.error.unwrap();
    assert!(error.contains("none"), "{error}");
    rig.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_named_and_a_directory_stays_one() {
    let rig = Rig::new().await;
    for (step, told) in [
        ("COPY none /", "stat none: file does not exist"),
        ("COPY no* /", "no source files"),
        ("COPY f /bin/busybox/x", "/bin/busybox"),
        ("COPY d/ /bin/busybox", "busybox"),
        ("COPY up /", "up"),
        ("ADD --checksum=sha256:00 f /", ""),
    ] {
        let context = Context::new(&format!("FROM busybox\n{step}\n"))
            .file("f", "")
            .file("d/x", "")
            .link("up", "../../../../etc/shadow");
        let error = build(&rig, &[], context.archive()).await.error;
        let error = error.unwrap_or_else(|| panic!("{step} was done"));
        assert!(error.contains(told), "{step}: {error}");
    }
    rig.end().await;
}

#[tokio::test]
async fn archives_are_unpacked_by_add_and_not_by_copy() {
    let rig = Rig::new().await;
    let dockerfile = "
FROM busybox
ADD a.tar.gz /added
COPY a.tar.gz /copied/
ADD plain.gz /kept/
ADD --chown=web a.tar.gz /mine
RUN find /added /copied /kept -type f | sort; cat /added/in/side; stat -c %U /mine/in/side
";
    let context = Context::new(dockerfile)
        .bytes("a.tar.gz", &packed("in/side", "packed\n"))
        .bytes("plain.gz", b"\x1f\x8b\x08\x00 no archive");
    let told = built(&rig, "it", context).await;
    let said = "/added/in/side\n/copied/a.tar.gz\n/kept/plain.gz\npacked\nweb\n";
    assert!(told.text.contains(said), "{}", told.text);
    rig.end().await;
}

#[tokio::test]
async fn parents_exclusions_and_files_of_the_dockerfile_itself() {
    let rig = Rig::new().await;
    let dockerfile = "
FROM busybox
COPY --parents a/b/f a/./c/g /with/
COPY --exclude=*.log --exclude=skip d /d/
COPY <<one <<two /here/
first
one
second
two
RUN <<EOF
echo from a document
find /with /d /here -type f | sort
cat /here/one /here/two
EOF
";
    let context = Context::new(dockerfile)
        .file("a/b/f", "")
        .file("a/c/g", "")
        .file("d/x.log", "")
        .file("d/skip/y", "")
        .file("d/keep", "");
    let told = built(&rig, "it", context).await;
    let said = "from a document\n/d/keep\n/here/one\n/here/two\n/with/a/b/f\n/with/c/g\n\
                first\nsecond\n";
    assert!(told.text.contains(said), "{}", told.text);
    rig.end().await;
}

#[tokio::test]
async fn a_linked_copy_depends_on_nothing_below() {
    let rig = Rig::new().await;
    let dockerfile = "
FROM busybox
RUN mkdir -m 700 /kept /real && ln -s real /way && mkdir /name
COPY f /way/plain
COPY --link f /way/linked
COPY --link f /name
COPY --link f /kept/
RUN find /way /real /name /kept -type f | sort; stat -c %a /kept
";
    let told = built(&rig, "it", Context::new(dockerfile).file("f", "")).await;
    let said = "/kept/f\n/name\n/real/plain\n/way/linked\n700\n";
    assert!(told.text.contains(said), "{}", told.text);
    rig.end().await;
}

#[tokio::test]
async fn mounts_are_seen_by_their_command_alone() {
    let rig = Rig::new().await;
    let dockerfile = "
FROM busybox AS made
RUN mkdir /out && echo made > /out/m
FROM busybox
RUN --mount=type=bind,source=d,target=/m cat /m/x && ! touch /m/no
RUN --mount=type=bind,from=made,source=/out,target=/o,rw cat /o/m && echo changed > /o/m
RUN --mount=type=bind,from=made,source=/out/m,target=/file cat /file
RUN --mount=type=tmpfs,target=/t touch /t/x && grep -q ' /t tmpfs ' /proc/mounts
RUN --mount=type=cache,target=/c echo kept > /c/k
RUN --mount=type=cache,target=/c cat /c/k
RUN --mount=type=secret,id=none test ! -e /run/secrets/none
RUN ls -d /m /o /file /t /c 2>/dev/null; echo nothing
";
    let context = Context::new(dockerfile).file("d/x", "bound\n");
    let told = built(&rig, "it", context).await;
    for said in ["bound\n", "made\n", "kept\n", "\nnothing\n"] {
        assert!(told.text.contains(said), "{said}: {}", told.text);
    }
    assert!(!told.text.contains("changed\n"), "{}", told.text);
    let last = told.text.rsplit("Running in ").next().unwrap();
    assert!(last[12..].starts_with("\nnothing\n"), "{last}");
    let asked = "FROM busybox\nRUN --mount=type=secret,id=s,required true\n";
    let told = build(&rig, &[("forcerm", "1")], Context::new(asked).archive()).await;
    assert!(told.error.unwrap().contains("cannot carry"));
    rig.end().await;
}
