//! Files and contexts that a build fetches: from hosts that are named, and from no other inside.

use std::io::{Read, Write};
use std::net::TcpListener;

use bollard::query_parameters::CreateImageOptionsBuilder;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::TryStreamExt;

use super::{Context, build};
use crate::rig::{Rig, until};

/// Serves every path with the same bytes, but `/moved`, which leads to `to`. Ends with the test.
fn serve(bytes: Vec<u8>, to: String) -> String {
    crate::rig::own_network();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = Vec::new();
            let mut piece = [0; 1024];
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut piece) {
                    Ok(n_read) if n_read > 0 => asked.extend_from_slice(&piece[..n_read]),
                    _ => break,
                }
            }
            let text = String::from_utf8_lossy(&asked);
            let head = match text.split(' ').nth(1) {
                Some("/moved") => format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"),
                Some("/none") => "404 Not Found\r\nContent-Length: 0".to_owned(),
                _ => format!("200 OK\r\nContent-Length: {}", bytes.len()),
            };
            let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
            // Whoever asked may have gone.
            let _ = stream.write_all(head.as_bytes());
            if head.contains("200 OK") {
                let _ = stream.write_all(&bytes);
            }
        }
    });
    address
}

#[tokio::test]
async fn a_file_is_added_from_a_host_that_is_named_and_compared_with_its_checksum() {
    let secret = serve(b"secret".to_vec(), String::new());
    let host = serve(b"fetched\n".to_vec(), format!("http://{secret}/x"));
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    // sha256 of "fetched\n", told by the tool that everybody has.
    let sum = std::process::Command::new("sh")
        .args(["-c", "echo fetched | sha256sum"])
        .output()
        .unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let sum = sum.split(' ').next().unwrap();
    let dockerfile = format!(
        "FROM busybox\nADD http://{host}/dir/f.txt?a=b /in/\n\
         ADD --checksum=sha256:{sum} --chown=web --chmod=604 http://{host}/g /g\n\
         RUN cat /in/f.txt /g; stat -c '%n %a %U' /in/f.txt /g\n"
    );
    let told = build(&rig, &[], Context::new(&dockerfile).archive()).await;
    told.id();
    let said = "fetched\nfetched\n/in/f.txt 600 root\n/g 604 web\n";
    assert!(told.text.contains(said), "{}", told.text);

    let wrong = "0".repeat(64);
    for (step, reason) in [
        (
            format!("ADD --checksum=sha256:{wrong} http://{host}/g /g"),
            "checksum",
        ),
        (format!("ADD http://{host}/none /g"), "404"),
        (format!("ADD http://{host}/ /g/"), "filename"),
        (format!("ADD http://{secret}/x /g"), "--insecure-registry"),
        (format!("ADD http://{host}/moved /g"), "--insecure-registry"),
        (
            "ADD http://localhost:1/x /g".to_owned(),
            "--insecure-registry",
        ),
        (
            "ADD http://169.254.169.254/latest /g".to_owned(),
            "--insecure-registry",
        ),
        ("ADD git@example.org:a.git /g".to_owned(), "https://"),
    ] {
        let context = Context::new(&format!("FROM busybox\n{step}\n"));
        let error = build(&rig, &[], context.archive()).await.error;
        let error = error.unwrap_or_else(|| panic!("{step} was done"));
        assert!(error.contains(reason), "{step}: {error}");
    }
    rig.end().await;
}

#[tokio::test]
async fn an_image_is_imported_from_an_address() {
    let archive = Context::new("no Dockerfile, a file")
        .file("f", "x\n")
        .archive();
    let host = serve(archive.to_vec(), "http://localhost:1/x".to_owned());
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    let socket = rig.path("s");
    let docker =
        Docker::connect_with_unix(socket.to_str().unwrap(), 60, API_DEFAULT_VERSION).unwrap();
    let import = async |address: &str| {
        let options = CreateImageOptionsBuilder::new().from_src(address);
        let options = options.repo("far").tag("1").build();
        docker
            .create_image(Some(options), None, None)
            .try_collect::<Vec<_>>()
            .await
    };
    import(&format!("http://{host}/root.tar")).await.unwrap();
    let image = docker.inspect_image("far:1").await.unwrap();
    assert_eq!(image.root_fs.unwrap().layers.unwrap().len(), 1);
    for (address, reason) in [
        (format!("http://{host}/none"), "404"),
        (format!("http://{host}/moved"), "--insecure-registry"),
        (
            "http://169.254.169.254/latest".to_owned(),
            "--insecure-registry",
        ),
        ("far away".to_owned(), "no URL"),
    ] {
        let error = import(&address).await.unwrap_err().to_string();
        assert!(error.contains(reason), "{address}: {error}");
    }
    rig.end().await;
}

#[tokio::test]
async fn a_context_is_fetched_where_it_is_named() {
    let archive = Context::new("FROM busybox\nCOPY f /f\nRUN cat /f\n")
        .file("f", "of the remote\n")
        .archive();
    let host = serve(archive.to_vec(), String::new());
    let rig = Rig::with(&["--insecure-registry", &host]).await;
    let remote = format!("http://{host}/context.tar");
    let told = build(&rig, &[("remote", &remote)], bytes::Bytes::new()).await;
    told.id();
    assert!(told.text.contains("of the remote\n"), "{}", told.text);
    for (remote, reason) in [
        ("http://127.0.0.1:1/context.tar", "--insecure-registry"),
        ("file:///etc/passwd", "neither http nor https"),
    ] {
        let error = build(&rig, &[("remote", remote)], bytes::Bytes::new())
            .await
            .error;
        assert!(error.unwrap().contains(reason), "{remote}");
    }
    until("nothing of it is left", async || {
        let work = std::fs::read_dir(rig.path("d/builds/work")).unwrap();
        work.count() == 0
    })
    .await;
    rig.end().await;
}
