//! The one check of every place the island navigates to.

/// Whether `path` leads to this origin, whatever origin that is and however the browser reads it.
///
/// It must be printable ASCII: a backslash counts as a slash anywhere in it; tabs and line ends are
/// dropped by URL parsers before they look, so that `/\t/host` would become `//host` (WHATWG URL,
/// "basic URL parser", steps 1 to 3). A path whose only peculiarity is beyond ASCII or a space
/// would be percent-encoded by any server that means it. Before its query no segment is empty but
/// the last, none is `.` or `..`, and none hides a slash, a backslash or a control character behind
/// percent signs. The server's own paths are held to the same (`LocalPath`).
pub fn is_local(path: &str) -> bool {
    if !path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    {
        return false;
    }
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let Some(segments) = path[..end].strip_prefix('/') else {
        return false;
    };
    let mut segments = segments.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if !is_plain(segment.as_bytes()) || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Whether a segment means the same to every parser.
fn is_plain(mut segment: &[u8]) -> bool {
    // How many dots it is made of before a semicolon, unless it has something else there.
    let mut dots = Some(0);
    let mut parameters = false;
    while let [first, rest @ ..] = segment {
        let mut byte = *first;
        segment = rest;
        if byte == b'%' {
            let digit = |place: usize| {
                rest.get(place)
                    .and_then(|byte| char::from(*byte).to_digit(16))
            };
            let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                return false;
            };
            byte = u8::try_from(high * 16 + low).unwrap_or_default();
            segment = &rest[2..];
        }
        if byte.is_ascii_control() || byte == b'/' || byte == b'\\' {
            return false;
        }
        parameters |= byte == b';';
        if !parameters {
            dots = dots.filter(|_| byte == b'.').map(|dots| dots + 1);
        }
    }
    !matches!(dots, Some(1 | 2))
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_path_of_this_origin_is_taken_and_nothing_that_could_be_another() {
        for (path, good) in include!("../../../src/path/cases.rs") {
            assert_eq!(is_local(path), good, "{path:?}");
        }
    }
}
