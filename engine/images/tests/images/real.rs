//! Debian's `docker-registry`, with images that `skopeo` put there.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use engine_images::{Digest, Reference, RegistryError};
use tempfile::TempDir;

use crate::world::{image, password, words, world};

/// `user` and `secret`.
const HTPASSWD: &str = "user:$2b$04$QKtVHepDAXaT2ywMgDjEH.v8bXEUo9JrqO5QugcMU1WOiJco1xxNm";

struct Real {
    dir: TempDir,
    address: String,
    child: Child,
}

impl Real {
    fn start(settings: &str) -> Self {
        let dir = TempDir::new().unwrap();
        // Free a moment ago; a race is lost loudly.
        let address = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .to_string();
        let path = dir.path().display();
        fs::write(dir.path().join("htpasswd"), HTPASSWD).unwrap();
        let settings = settings.replace("DIR", &path.to_string());
        let config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {path}/data}}}}\n\
             http: {{addr: \"{address}\"{settings}\n"
        );
        fs::write(dir.path().join("config.yml"), config).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(dir.path().join("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed");
        let real = Self {
            dir,
            address,
            child,
        };
        let mut n_tries = 0;
        while TcpStream::connect(&real.address).is_err() {
            n_tries += 1;
            assert!(n_tries < 1000, "docker-registry did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        real
    }

    /// Puts an image there with skopeo, layers compressed as asked; says its manifest's digest.
    fn push(&self, name: &str, format: &str, credentials: &[&str]) -> Digest {
        let layout = self.dir.path().join("layout");
        layout_of(
            &layout,
            &image("amd64", &[name.as_bytes(), &[name.as_bytes()[0]; 300_000]]),
        );
        let digest = self.dir.path().join("digest");
        let status = Command::new("skopeo")
            .args([
                "copy",
                "-q",
                "--dest-tls-verify=false",
                "--dest-compress-format",
                format,
            ])
            .arg("--digestfile")
            .arg(&digest)
            .args(credentials)
            .arg(format!("oci:{}:x", layout.display()))
            .arg(format!("docker://{}/{name}", self.address))
            .status()
            .expect("skopeo is installed");
        assert!(status.success());
        fs::read_to_string(digest).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes an OCI layout.
pub(crate) fn layout_of(dir: &Path, made: &crate::world::Made) {
    let blobs = dir.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    for (digest, bytes) in &made.blobs {
        fs::write(blobs.join(digest.hex()), bytes).unwrap();
    }
    fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [{
        "mediaType": crate::world::MANIFEST,
        "digest": made.manifest,
        "size": made.blobs[&made.manifest].len(),
        "annotations": {"org.opencontainers.image.ref.name": "x"},
    }]});
    fs::write(dir.join("index.json"), index.to_string()).unwrap();
}

#[tokio::test]
async fn what_skopeo_pushed_is_pulled_with_the_same_digest() {
    let real = Real::start("}");
    for format in ["gzip", "zstd"] {
        let pushed = real.push(&format!("{format}/image:1"), format, &[]);
        let world = world();

        let pulled = world
            .pull(&format!("{}/{format}/image:1", real.address))
            .await
            .unwrap();

        assert_eq!(pulled.manifest, pushed);
        for layer in &pulled.layers {
            assert!(
                layer.blob.media_type.ends_with(format),
                "{}",
                layer.blob.media_type
            );
            let mut start = [0; 2];
            let mut blob = world.store.blobs().reader(layer.blob.digest).unwrap();
            blob.read_exact(&mut start).unwrap();
            assert_eq!(
                start,
                if format == "gzip" {
                    [0x1f, 0x8b]
                } else {
                    [0x28, 0xb5]
                }
            );
        }
    }
    let error = world()
        .pull(&format!("{}/gzip/image:2", real.address))
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_with_passwords_wants_the_right_one() {
    let real = Real::start("}\nauth: {htpasswd: {realm: x, path: DIR/htpasswd}}");
    real.push("private:1", "gzip", &["--dest-creds", "user:secret"]);
    let name = format!("{}/private:1", real.address);
    let world = world();

    let none = world.pull(&name).await.unwrap_err();
    let wrong = world
        .pull_as(&name, None, Some(&password("guess")))
        .await
        .unwrap_err();
    assert!(
        matches!(none, RegistryError::Denied { .. }),
        "{}",
        words(&none)
    );
    assert!(
        matches!(wrong, RegistryError::Unauthorized { .. }),
        "{}",
        words(&wrong)
    );
    world.assert_empty();
    world
        .pull_as(&name, None, Some(&password("secret")))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_registry_has_is_told_to_who_may_know() {
    let real = Real::start("}\nauth: {htpasswd: {realm: x, path: DIR/htpasswd}}");
    let to = ["--dest-creds", "user:secret"];
    let pushed = real.push("shop/app:1", "gzip", &to);
    real.push("shop/app:2", "gzip", &to);
    real.push("tools/db:1", "gzip", &to);
    let (world, secret) = (world(), password("secret"));
    let (registry, server) = (&world.registry, &real.address);
    let repository: Reference = format!("{server}/shop/app").parse().unwrap();

    let all = registry.repositories(server, "", 9, Some(&secret));
    assert_eq!(all.await.unwrap().names, ["shop/app", "tools/db"]);
    let tags = registry.some_tags(&repository, 9, Some(&secret));
    let mut tags = tags.await.unwrap();
    tags.names.sort();
    assert_eq!(
        (tags.names, tags.is_whole),
        (vec!["1".to_owned(), "2".to_owned()], true)
    );
    let term = format!("{server}/db");
    let found = registry.search(&term, 9, Some(&secret));
    assert_eq!(found.await.unwrap()[0].name, format!("{server}/tools/db"));
    let one = repository.with_tag("1").unwrap();
    let about = registry.about(&one, Some(&secret)).await.unwrap();
    assert_eq!((about.digest, about.platforms.len()), (pushed, 1));

    registry.login(server, Some(&secret)).await.unwrap();
    let nobody = registry.login(server, None).await.unwrap_err();
    assert!(
        matches!(nobody, RegistryError::Unauthorized { .. }),
        "{nobody}"
    );
    let denied = registry.repositories(server, "", 9, None).await;
    assert!(
        matches!(denied, Err(RegistryError::CatalogDenied { .. })),
        "{denied:?}"
    );
    let denied = registry.about(&one, None).await;
    assert!(
        matches!(denied, Err(RegistryError::Denied { .. })),
        "{denied:?}"
    );
    let wrong = password("guess");
    let wrong = registry.repositories(server, "", 9, Some(&wrong)).await;
    assert!(
        matches!(wrong, Err(RegistryError::Unauthorized { .. })),
        "{wrong:?}"
    );
    world.assert_empty();
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused() {
    let names = vec!["127.0.0.1".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).unwrap();
    let keys = TempDir::new().unwrap();
    let (certificate, key) = (keys.path().join("cert.pem"), keys.path().join("key.pem"));
    fs::write(&certificate, certified.cert.pem()).unwrap();
    fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
    let tls = format!(
        ", tls: {{certificate: {}, key: {}}}}}",
        certificate.display(),
        key.display()
    );
    let real = Real::start(&tls);

    let world = world();
    let error = world
        .pull(&format!("{}/a:1", real.address))
        .await
        .unwrap_err();

    // Not even on loopback is plain HTTP tried behind a certificate that is not good.
    assert!(
        matches!(error, RegistryError::Tls { .. }),
        "{}",
        words(&error)
    );
    assert!(
        words(&error).contains("nobody this machine trusts"),
        "{}",
        words(&error)
    );
}

/// An authority with its key, and a registry of Debian's whose certificate it signed.
struct Signed {
    authority: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    real: Real,
    /// Keeps the registry's keys.
    _keys: TempDir,
}

/// Starts a registry with an authority of its own; `more` are further settings of its TLS.
fn signed(more: &str) -> Signed {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    let pem = authority.self_signed(&key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, key);
    let keys = TempDir::new().unwrap();
    let path = |name: &str| keys.path().join(name);
    let (certificate, key) = leaf(&issuer);
    fs::write(path("cert.pem"), certificate).unwrap();
    fs::write(path("key.pem"), key).unwrap();
    fs::write(path("ca.pem"), &pem).unwrap();
    let more = more.replace("CA", &path("ca.pem").display().to_string());
    let tls = format!(
        ", tls: {{certificate: {}, key: {}{more}}}}}",
        path("cert.pem").display(),
        path("key.pem").display(),
    );
    Signed {
        authority: pem,
        issuer,
        real: Real::start(&tls),
        _keys: keys,
    }
}

/// A certificate for loopback, and its key.
fn leaf(issuer: &rcgen::Issuer<'_, rcgen::KeyPair>) -> (String, String) {
    let names = vec!["127.0.0.1".to_owned()];
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.extended_key_usages = vec![
        rcgen::ExtendedKeyUsagePurpose::ServerAuth,
        rcgen::ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn world_trusting(dir: &Path) -> crate::world::World {
    crate::world::world_with(engine_images::RegistryConfig {
        certificates: Some(dir.to_owned()),
        ..engine_images::RegistryConfig::default()
    })
}

#[tokio::test]
async fn an_authority_of_one_registry_is_trusted_for_that_one_alone() {
    let (ours, other) = (signed(""), signed(""));
    ours.real.push("a:1", "gzip", &[]);
    let dir = TempDir::new().unwrap();
    let certs = dir.path().join(&ours.real.address);
    let world = world_trusting(dir.path());
    let name = format!("{}/a:1", ours.real.address);

    let before = words(&world.pull(&name).await.unwrap_err());
    assert!(
        before.contains("give that authority's certificate"),
        "{before}"
    );
    // Another registry's authority under this one's name is a wrong one.
    fs::create_dir(&certs).unwrap();
    fs::write(certs.join("ca.crt"), &other.authority).unwrap();
    let wrong = world.pull(&name).await.unwrap_err();
    assert!(matches!(wrong, RegistryError::Tls { .. }), "{wrong}");
    world.assert_empty();

    // The right one needs no restart.
    fs::write(certs.join("own.crt"), &ours.authority).unwrap();
    world.pull(&name).await.unwrap();
    let elsewhere = format!("{}/a:1", other.real.address);
    let elsewhere = world.pull(&elsewhere).await.unwrap_err();
    assert!(
        matches!(elsewhere, RegistryError::Tls { .. }),
        "{elsewhere}"
    );

    fs::write(certs.join("broken.crt"), "no certificate").unwrap();
    let broken = words(&world.pull(&name).await.unwrap_err());
    assert!(
        broken.contains("broken.crt: it holds no certificate"),
        "{broken}"
    );
    fs::rename(certs.join("broken.crt"), certs.join("client.cert")).unwrap();
    let keyless = words(&world.pull(&name).await.unwrap_err());
    assert!(
        keyless.contains("client.cert: its key is missing"),
        "{keyless}"
    );
}

#[tokio::test]
async fn a_registry_that_wants_to_know_us_by_certificate_is_shown_ours() {
    let closed = signed(", clientcas: [CA]");
    let dir = TempDir::new().unwrap();
    let certs = dir.path().join(&closed.real.address);
    fs::create_dir(&certs).unwrap();
    fs::write(certs.join("ca.crt"), &closed.authority).unwrap();
    let world = world_trusting(dir.path());
    let login = async || world.registry.login(&closed.real.address, None).await;

    assert!(login().await.is_err(), "nobody without a certificate");
    let (certificate, key) = leaf(&closed.issuer);
    fs::write(certs.join("client.key"), key).unwrap();
    fs::write(certs.join("client.cert"), certificate).unwrap();
    login().await.unwrap();
}

#[tokio::test]
async fn an_authority_that_comes_along_is_for_its_registry_and_that_request() {
    let (ours, other) = (signed(""), signed(""));
    ours.real.push("a:1", "gzip", &[]);
    let world = world();
    let reference: Reference = format!("{}/a:1", ours.real.address).parse().unwrap();

    let trusting = world.registry.trusting(&reference, &ours.authority).await;
    let trusting = trusting.unwrap();

    trusting.digest_of(&reference, None).await.unwrap();
    let elsewhere: Reference = format!("{}/a:1", other.real.address).parse().unwrap();
    for refused in [
        trusting.digest_of(&elsewhere, None).await,
        world.registry.digest_of(&reference, None).await,
        world
            .registry
            .trusting(&reference, &other.authority)
            .await
            .unwrap()
            .digest_of(&reference, None)
            .await,
    ] {
        assert!(
            matches!(refused, Err(RegistryError::Tls { .. })),
            "{refused:?}"
        );
    }
    let none = world.registry.trusting(&reference, "nothing").await;
    let none = words(&none.err().unwrap());
    assert!(none.contains("holds no certificate in PEM"), "{none}");
}
