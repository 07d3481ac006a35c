//! A project whose services find each other, brought up and down by Debian's docker-compose.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use docker_free_tests::{Engine, need, wait};

use super::python::compose;

const PROJECT: &str = r#"
version: "3.7"
services:
  web:
    image: busybox
    command: ["sh", "-c", "mkdir /w; hostname > /w/index.html; exec httpd -f -p 80 -h /w"]
    ports: ["80"]
    networks: [front, back]
    depends_on: [store]
    stop_grace_period: 0s
  store:
    image: busybox
    command: ["sleep", "1000"]
    networks:
      back: { aliases: [db], ipv4_address: 10.77.0.9 }
    stop_grace_period: 0s
networks:
  front: {}
  back:
    internal: true
    ipam: { config: [{ subnet: 10.77.0.0/24 }] }
"#;

/// The one page of a web server of this machine.
fn page(address: &str) -> Option<String> {
    let address = address.trim().replace("0.0.0.0", "127.0.0.1");
    let mut stream = TcpStream::connect(&address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text.lines().last()?.to_owned())
}

#[test]
fn the_services_of_a_project_find_each_other_and_its_port_answers() {
    if !need::all(&["busybox", "docker-compose"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    let folder = engine.scratch().join("project");
    std::fs::create_dir(&folder).expect("the directory is ours");
    std::fs::write(folder.join("docker-compose.yml"), PROJECT).expect("the directory is ours");
    let ok = |arguments: &[&str]| compose(&engine, arguments).expect(0);

    ok(&["up", "-d"]);
    let web = engine.inspect("village_web_1");
    let name = web["Config"]["Hostname"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let address = ok(&["port", "web", "80"]).out;
    wait::until_true("the page is there", || {
        page(&address).as_deref() == Some(&name)
    });
    let inside = ok(&["exec", "-T", "store", "wget", "-qO-", "http://web/"]).out;
    assert_eq!(inside.trim(), name);
    let said = ok(&["exec", "-T", "web", "nslookup", "-type=a", "db"]).out;
    assert!(said.contains("10.77.0.9"), "{said}");

    ok(&["up", "-d", "--scale", "web=2"]);
    let said = ok(&["exec", "-T", "store", "nslookup", "-type=a", "web"]).out;
    assert_eq!(said.matches("Address: 10.77.0.").count(), 2, "{said}");
    ok(&["restart"]);
    let address = ok(&["port", "web", "80"]).out;
    wait::until_true("the page is there again", || page(&address).is_some());

    ok(&["down"]);
    let left = engine
        .wire()
        .get("/networks?filters=%7B%22type%22%3A%5B%22custom%22%5D%7D");
    assert_eq!(
        left.expect(200).text(),
        "[]",
        "the project's networks are gone"
    );
    assert!(page(&address).is_none(), "its port is free");
    before.holds_again(&engine);
}
