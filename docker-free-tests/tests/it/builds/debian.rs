//! A real application on a real distribution: a package is made in one stage and installed by apt in
//! another, as root with everything that root needs.

use docker_free_tests::{Engine, need};

use super::{Project, config, said};

const DOCKERFILE: &str = r#"FROM debian:12 AS package
WORKDIR /package
COPY control DEBIAN/control
COPY --chmod=755 <<'EOF' DEBIAN/postinst
#!/bin/sh
set -e
getent group shop >/dev/null || groupadd --system shop
EOF
COPY --chmod=755 <<EOF usr/bin/shop
#!/bin/sh
echo open as \$(id -un)
EOF
RUN dpkg-deb --root-owner-group --build . /shop.deb

FROM debian:12
ENV DEBIAN_FRONTEND=noninteractive
SHELL ["/bin/bash", "-eo", "pipefail", "-c"]
RUN --mount=type=bind,from=package,source=/shop.deb,target=/tmp/shop.deb \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=tmpfs,target=/var/log/apt \
    apt-get install -y --no-install-recommends /tmp/shop.deb \
    && useradd --create-home --gid shop keeper \
    && dpkg --audit
USER keeper
WORKDIR /home/keeper
HEALTHCHECK CMD shop
CMD ["shop"]
"#;

const CONTROL: &str = "Package: shop\nVersion: 1.0\nArchitecture: all\n\
    Maintainer: us <us@example.org>\nDescription: a shop\n";

#[test]
fn an_application_is_packed_installed_by_apt_and_run() {
    if !need::all(&["docker"]) {
        return;
    }
    let Some(archive) = need::made("out/debian.tar.gz") else {
        return;
    };
    let engine = Engine::start();
    let archive = std::fs::File::open(archive).expect("it is there");
    let mut import = engine.docker_command();
    import.args(["import", "-", "debian:12"]).stdin(archive);
    assert!(import.output().expect("docker runs").status.success());
    let project = Project::new(DOCKERFILE);
    project.file("control", CONTROL);

    let asked = ["-t", "shop", "--network", "none"];
    project.built(&engine, &asked);

    assert_eq!(engine.ok(&["run", "--rm", "shop"]), "open as keeper");
    let script = "dpkg -s shop | grep Status; find /tmp /var/log/apt -type f; id -gn; pwd";
    let expected = "Status: install ok installed\nshop\n/home/keeper";
    assert_eq!(said(&engine, "shop", script), expected);
    let command = config(&engine, "shop", "{{json .Config.Cmd}}");
    assert_eq!(command, "[\"shop\"]");
    let again = project.built(&engine, &asked);
    assert!(!again.contains("---> Running in"), "{again}");
}
