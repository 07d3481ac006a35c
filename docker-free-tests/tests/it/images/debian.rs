//! A whole distribution, as a person brings it: Debian's smallest system, made by debootstrap,
//! imported as an archive and used.

use docker_free_tests::{Engine, need};

/// Makes, installs and removes a package inside, with a script of its own.
const PACKAGE: &str = "
set -e
mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin
printf 'Package: shop\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: us <us@example.org>\\nDescription: a shop\\n' >/tmp/p/DEBIAN/control
printf '#!/bin/sh\\ngetent group shop >/dev/null || groupadd --system shop\\n' >/tmp/p/DEBIAN/postinst
printf '#!/bin/sh\\necho open\\n' >/tmp/p/usr/bin/shop
chmod 755 /tmp/p/DEBIAN/postinst /tmp/p/usr/bin/shop
dpkg-deb --build /tmp/p /tmp/shop.deb >/dev/null
dpkg -i /tmp/shop.deb >/dev/null
shop
getent group shop | cut -d: -f1
dpkg -l shop | tail -1 | cut -c1-2
dpkg -r shop >/dev/null
test -e /usr/bin/shop || echo gone
";

#[test]
fn debian_is_imported_and_used() {
    if !need::all(&["docker"]) {
        return;
    }
    let Some(archive) = need::made("out/debian.tar.gz") else {
        return;
    };
    let engine = Engine::start();
    let before = engine.count();
    let archive = std::fs::File::open(archive).expect("it is there");
    let mut import = engine.docker_command();
    import.args(["import", "-", "debian:12"]).stdin(archive);
    assert!(import.output().expect("docker runs").status.success());
    let run = |arguments: &[&str]| {
        let mut words = vec!["run", "--rm"];
        words.extend(arguments);
        engine.docker(&words)
    };
    let ok = |arguments: &[&str]| run(arguments).expect(0).out;

    assert!(ok(&["debian:12", "cat", "/etc/debian_version"]).starts_with("12."));
    let installed = ok(&[
        "debian:12",
        "sh",
        "-c",
        "dpkg -l | grep -c ^ii; dpkg --audit; apt-cache policy dpkg | head -1",
    ]);
    let mut lines = installed.lines();
    let n_packages: u32 = lines
        .next()
        .and_then(|line| line.parse().ok())
        .unwrap_or_default();
    assert!(n_packages > 60, "{installed}");
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["dpkg:"],
        "nothing is half installed"
    );
    assert_eq!(
        ok(&["debian:12", "bash", "-c", PACKAGE]),
        "open\nshop\nii\ngone\n"
    );

    // People: by name from the image, made inside, and changed by programs that are root's.
    assert_eq!(ok(&["-u", "nobody", "debian:12", "id", "-un"]), "nobody\n");
    let ann = "useradd -m ann && su ann -c 'id -un; cd && pwd; touch mine && stat -c %U mine'";
    assert_eq!(ok(&["debian:12", "sh", "-c", ann]), "ann\n/home/ann\nann\n");
    let status = ["debian:12", "passwd", "-S"];
    let may = ok(&[&["-u", "nobody"], &status[..]].concat());
    assert!(may.starts_with("nobody L "), "{may}");
    let options = ["-u", "nobody", "--security-opt", "no-new-privileges"];
    let may_not = run(&[&options, &status[..]].concat());
    assert!(!may_not.out.starts_with("nobody L "), "{}", may_not.out);

    // Without a network an update ends by itself and breaks nothing.
    let update = "apt-get update -q -o Acquire::Retries=0; dpkg -l | grep -c ^ii";
    let after = ok(&["--network", "none", "debian:12", "sh", "-c", update]);
    assert!(after.ends_with(&format!("\n{n_packages}\n")), "{after}");
    engine.ok(&["rmi", "debian:12"]);
    before.holds_again(&engine);
}
