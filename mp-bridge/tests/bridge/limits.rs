//! What does not cross: descriptors, names that are denied; and who is let in by the server.

use std::{fs, process::Command};

use mp_core::{Client, Message, Name, Primary, RequestError, Secondary};
use tests::{Group, eventually};

use crate::common::{Bridge, Hosts, SECOND, Server, command};

fn with_a_descriptor(name: &'static str) -> Message {
    let null = fs::File::open("/dev/null").expect("it is everywhere");
    Message::new(Name::from_static(name)).with_fd(null.into()).expect("one fits")
}

fn refused(result: Result<mp_core::Reply, RequestError>) -> String {
    match result {
        Err(RequestError::Ignored { why }) => why.text().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_with_descriptors_is_refused_at_once_and_a_message_dropped_and_counted() {
    let mut hosts = Hosts::joined();
    let mut primary = hosts.primary();
    let client = Client::builder("app").runtime_dir(hosts.away.path()).start().expect("it starts");
    let answer = client.request(&with_a_descriptor("echo"), 60 * SECOND);
    assert_eq!(refused(answer), "descriptors cannot leave the host");
    client.send(&with_a_descriptor("note")).expect("it is sent");
    // A reply with some.
    let files = Message::new(Name::from_static("files")).with_param(b"2").expect("short");
    assert_eq!(refused(client.request(&files, 60 * SECOND)), "descriptors cannot leave the host");
    client.send(&Message::new(Name::from_static("note"))).expect("it is sent");
    assert!(primary.event("note").starts_with("fds=0"), "the message before did not come");
    for bridge in [&mut hosts.away_bridge, &mut hosts.home_bridge] {
        assert!(bridge.finish());
    }
    assert!(hosts.away_bridge.says("in all").contains("descriptors 2"));
    assert!(hosts.home_bridge.says("in all").contains("descriptors 1"));
}

#[test]
fn a_name_that_is_denied_or_not_allowed_crosses_in_no_direction() {
    let hosts = Hosts::joined_with(&["--allow", "e*", "--allow", "note", "--deny", "echo.secret"]);
    let mut primary = hosts.primary();
    let mut client = hosts.away.client();
    let _secondary = hosts.secondary();
    assert!(client.call("ask echo 10000 x").ends_with('x'));
    for name in ["echo.secret", "keep"] {
        let answer = client.call(&format!("ask {name} 60000"));
        assert!(answer.contains("its name may not leave the host"), "{answer}");
        assert!(primary.call(&format!("ask {name} 60000")).contains("Ignored(Declined)"));
    }
}

#[test]
fn fingerprints_cross_both_ways() {
    let hosts = Hosts::joined();
    let name = Name::from_static("typed");
    let (told, heard) = std::sync::mpsc::channel();
    let primary = Primary::builder("app")
        .runtime_dir(hosts.home.path())
        .serve(name, move |request| {
            told.send(request.fingerprint()).expect("it is waited for");
            let _ = request.reply(b"", &[]);
        })
        .start()
        .expect("it starts");
    hosts.has_primary();
    let (told, heard_away) = std::sync::mpsc::channel();
    let secondary = Secondary::builder("app")
        .runtime_dir(hosts.away.path())
        .on(name, move |message, _| told.send(message.fingerprint()).expect("it is waited for"))
        .start()
        .expect("it joins");
    hosts.has_members(1);
    let reply = secondary.request(&Message::new(name).with_fingerprint(0xabcd), 10 * SECOND);
    assert_eq!(reply.expect("an answer").message.fingerprint(), 0xabcd, "the answer carries it back");
    assert_eq!(heard.recv_timeout(10 * SECOND), Ok(0xabcd));
    primary.send(&Message::new(name).with_fingerprint(0xef01)).expect("it is sent");
    assert_eq!(heard_away.recv_timeout(10 * SECOND), Ok(0xef01));
}

#[test]
fn a_list_tells_whom_the_stand_ins_stand_for() {
    let hosts = Hosts::joined();
    let secondary = hosts.secondary();
    let list = || fs::read_to_string(hosts.home.join("mp_bridge")).expect("the list");
    let stand_in = hosts.home.files("mp_socket_").remove(0);
    let line = format!("{stand_in} the-away {}\n", secondary.pid());
    assert!(eventually(|| list() == line), "{:?}, not {line:?}", list());
    assert!(secondary.finish());
    assert!(eventually(|| list().is_empty()));
}

#[test]
fn the_servers_permissions_separate_groups() {
    let server = Server::with(
        r#"authorization { users = [
            { user: app, password: secret, permissions: { publish: "mp.app.>", subscribe: "mp.app.>" } }
            { user: other, password: secret, permissions: { publish: "mp.other.>", subscribe: "mp.other.>" } }
        ] }"#,
    );
    let peer = tests::peer();
    let (home, away) = (Group::new(&peer), Group::new(&peer));
    let url = |user: &str| format!("nats://{user}:secret@127.0.0.1:{}", server.port);
    let _here = Bridge::spawn(&mut command("home", &home, &url("app")));
    let other = Bridge::spawn(&mut command("away", &away, &url("other")));
    other.says("Permissions Violation");
    drop(other);
    let there = Bridge::spawn(&mut command("away", &away, &url("app")));
    there.says("has the primary");
    let mut refused = Bridge::spawn(&mut command("away", &Group::new(&peer), &url("nobody")));
    assert!(!refused.wait_end());
    refused.says("cannot be used");
}

#[test]
fn tls_with_certificates_of_ones_own_is_passed_through() {
    let files = tempfile::tempdir().expect("a temporary directory");
    let file = |name: &str| files.path().join(name).display().to_string();
    let openssl = |arguments: &[&str]| {
        let made = Command::new("openssl").args(arguments).output().expect("openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let (ca, ca_key, key, request, certificate) =
        (file("ca.pem"), file("ca.key"), file("key.pem"), file("request.pem"), file("certificate.pem"));
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let made = ["-x509", "-subj", "/CN=ca", "-keyout", &ca_key, "-out", &ca, "-days", "2"];
    openssl(&[&new[..], &made].concat());
    openssl(&[&new[..], &["-subj", "/CN=127.0.0.1", "-keyout", &key, "-out", &request]].concat());
    fs::write(files.path().join("names"), "subjectAltName=IP:127.0.0.1").expect("it can be written");
    let signed = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
    openssl(&[&signed[..], &["-extfile", &file("names"), "-days", "2", "-out", &certificate]].concat());
    let server = Server::with(&format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {ca:?}, verify: true }}"
    ));
    let peer = tests::peer();
    let (home, away) = (Group::new(&peer), Group::new(&peer));
    let url = format!("tls://127.0.0.1:{}", server.port);
    let own = ["--tls-ca", &ca, "--tls-cert", &certificate, "--tls-key", &key];
    let _here = Bridge::spawn(command("home", &home, &url).args(own));
    let there = Bridge::spawn(command("away", &away, &url).args(own));
    there.says("has the primary");
    // Whoever does not trust the server, and whom it does not know.
    let mut distrusts = Bridge::spawn(&mut command("away", &Group::new(&peer), &url));
    assert!(!distrusts.wait_end());
    distrusts.says("cannot be used");
}

#[test]
fn a_key_in_a_file_lets_in() {
    // Of nkeys' documentation: a user's seed and its public key.
    let seed = "SUACH75SWCM5D2JMJM6EKLR2WDARVGZT4QC6LX3AGHSWOMVAKERABBBRWM";
    let user = nkeys::KeyPair::from_seed(seed).expect("a seed").public_key();
    let server = Server::with(&format!("authorization {{ users = [ {{ nkey: {user} }} ] }}"));
    let files = tempfile::tempdir().expect("a temporary directory");
    let file = files.path().join("user.nk");
    fs::write(&file, format!("{seed}\n")).expect("it can be written");
    let peer = tests::peer();
    let (home, away) = (Group::new(&peer), Group::new(&peer));
    let key = ["--nkey", &file.display().to_string()].map(str::to_owned);
    let _here = Bridge::spawn(command("home", &home, &server.url()).args(&key));
    let there = Bridge::spawn(command("away", &away, &server.url()).args(&key));
    there.says("has the primary");
    let mut without = Bridge::spawn(&mut command("away", &Group::new(&peer), &server.url()));
    assert!(!without.wait_end());
    let missing = ["--creds", "/no/such/file"];
    let mut without_file = Bridge::spawn(command("away", &Group::new(&peer), &server.url()).args(missing));
    assert!(!without_file.wait_end());
    without_file.says("/no/such/file");
}
