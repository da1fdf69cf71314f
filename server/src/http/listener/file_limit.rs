//! How many files and sockets this process may have open, and what that leaves for validations.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many as anything here needs: sockets of browsers, connections to the validator and to the
/// Pusher server, the database.
const ENOUGH: u64 = 65_536;

/// How many files this process may have open. Nothing is changed: the limit belongs to the program.
pub fn current() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(ENOUGH)
}

/// Raises the limit as far as the system lets us, and tells where it is then. The usual one of
/// 1,024 is for programs that cannot do with more, not for those that need it.
///
/// The binary does so when it starts. An application that serves Vestibule's routes itself decides
/// for its whole process.
pub fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
    match current {
        Some(current) if current < wanted => {
            let raised = setrlimit(
                Resource::Nofile,
                Rlimit {
                    current: Some(wanted),
                    maximum,
                },
            );
            if raised.is_ok() { wanted } else { current }
        }
        Some(current) => current,
        None => ENOUGH,
    }
}

/// How many validations can be in flight of those `wanted`, with so many files. Each has a
/// connection; half of all files is for everything else.
pub fn validations(wanted: usize, files: u64) -> usize {
    let room = usize::try_from(files / 2).unwrap_or(usize::MAX).max(1);
    if room < wanted {
        tracing::warn!(
            "only {room} validations can be in flight at once, not {wanted}: this process may have no more than {files} \
             files open (ulimit -Hn)"
        );
    }
    wanted.min(room)
}

/// How many of the `wanted` connections there can be beside so many validations in flight, with so
/// many files. An eighth of all files is for the database, the Pusher server and everything else.
pub fn connections(wanted: u32, in_flight: usize, files: u64) -> u32 {
    let in_flight = u64::try_from(in_flight).unwrap_or(u64::MAX).min(files / 2);
    let room = u32::try_from(files - files / 8 - in_flight).unwrap_or(u32::MAX);
    wanted.min(room.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_leaves_files_for_everything_else() {
        assert_eq!(validations(2048, 1024), 512);
        assert_eq!(validations(2048, 65_536), 2048);
        assert_eq!(validations(16, 1024), 16);
        assert_eq!(validations(16, 0), 1);
    }

    #[test]
    fn connections_and_validations_never_take_all_files() {
        assert_eq!(connections(12_000, 2048, 65_536), 12_000);
        for files in [64, 256, 1024, 4096, 16_384] {
            for in_flight in [0, 16, 2048, usize::MAX] {
                let taken = u64::from(connections(12_000, in_flight, files));
                let taken = taken + u64::try_from(validations(in_flight, files)).unwrap();
                assert!(
                    taken <= files - files / 8,
                    "{files} files, {in_flight} in flight"
                );
            }
        }
    }

    #[test]
    fn the_limit_is_raised_to_what_the_system_allows() {
        let allowed = getrlimit(Resource::Nofile)
            .maximum
            .unwrap_or(ENOUGH)
            .min(ENOUGH);
        assert!(raise() >= allowed);
        assert!(
            getrlimit(Resource::Nofile)
                .current
                .is_none_or(|current| current >= allowed)
        );
    }
}
