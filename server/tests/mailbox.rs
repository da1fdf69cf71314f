//! The mailbox of practice mode.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};
use support::{Server, has_status};

/// The mailbox as a browser sees it that knows this machine by the name `host`.
fn mailbox(server: &Server, host: &str) -> String {
    let mut stream = TcpStream::connect(server.addr).unwrap();
    let head = format!("GET /practice/mail HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}

#[test]
fn links_lead_to_the_name_that_the_browser_knows_this_machine_by() {
    let server = Server::start(&[]);
    assert!(has_status(&server.get("/practice/mail", &[]), 200));
    assert!(has_status(
        &server.post("/login/link", &[], "email=practice%40example.com"),
        303
    ));
    let port = server.addr.port();
    // The limit only makes a failure of what would otherwise be a test that hangs.
    let has_come = || mailbox(&server, &format!("localhost:{port}")).contains("/confirm/");
    assert!(
        (0..100_000).any(|_| has_come()),
        "waited in vain for the mail"
    );
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        let page = mailbox(&server, &format!("{name}:{port}"));
        assert!(
            page.contains(&format!("href=\"http://{name}:{port}/confirm/")),
            "{name}: {page}"
        );
    }
    let foreign = mailbox(&server, &format!("elsewhere.example:{port}"));
    assert!(
        has_status(&foreign, 403) && !foreign.contains("/confirm/"),
        "{foreign}"
    );
}
