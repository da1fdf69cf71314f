//! To open a link and begin with it, as a browser does that keeps its cookies.

use super::support::Server;

/// Opens a page, and returns the line of the cookies that it has set.
pub fn cookies_of(server: &Server, path: &str, more: &[&str]) -> String {
    let page = server.get(path, more);
    let set = page
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    format!("Cookie: {}", set.collect::<Vec<_>>().join("; "))
}

/// Opens a link and begins as its page does. Returns the line of its cookies as well.
pub fn call_begin(server: &Server, token: &str) -> (String, String) {
    let cookies = cookies_of(server, &format!("/confirm/{token}"), &[]);
    let answer = server.post(
        "/api/begin",
        &[&cookies],
        &format!("token={token}&again=false"),
    );
    (answer, cookies)
}
