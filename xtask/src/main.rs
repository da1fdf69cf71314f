//! Vestibule's own commands, started as `cargo xtask NAME`.
//!
//! Each command is a file, with its parts in the folder of that name: [`mod@run`], [`mod@build`],
//! [`mod@test`], [`mod@api`], [`mod@bench`], [`mod@faults`],
//! [`mod@mutants`], [`mod@package`].
//!
//! They share [`servers`], which starts the databases that tests run on, [`debian`], which installs
//! what is missing where there is apt, [`process`] for other programs, [`workspace`] for paths, and
//! [`mod@step`], which prints what is running and how long it took.

mod api;
mod bench;
mod build;
mod copy;
mod debian;
mod error;
mod faults;
mod mutants;
mod package;
mod process;
mod run;
mod servers;
mod step;
mod test;
mod test_counts;
mod workspace;

use std::process::ExitCode;

use error::Error;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  run [ARGS]               build what has changed and start the server in practice mode; ARGS go to the server
  build [--release]        build the server and the browser's half, with --release small, fast and precompressed
  test [STEP]... [-- ARGS] run every check, or those whose name contains a STEP; ARGS go to the tests themselves
  api                      write down in api/ what other programs see, after a change that is meant
  bench [peers]            measure the release build, also beside an Express application; with `peers` nothing but that
  bench loop               measure how long a developer waits: from an edit until it is served, and in a fresh clone
  faults                   kill, stop and take away in earnest, for about 25 minutes, and print the figures
  mutants [NAME]           break each rule on purpose and see a test fail
  package                  pack the crates as they can be published, with the built client
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = without_dashes(&arguments).split_first() else {
        eprint!("{USAGE}");
        return ExitCode::FAILURE;
    };
    // For `test`, it separates the steps from the arguments of the tests.
    let rest = if command == "test" {
        rest
    } else {
        without_dashes(rest)
    };
    let result = match command.as_str() {
        "run" => run::run(rest),
        "build" => build::build(rest),
        "test" => test::test(rest),
        "api" => api::api(rest),
        "bench" => bench::bench(rest),
        "faults" => faults::faults(rest),
        "mutants" => mutants::mutants(rest),
        "package" => package::package(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(Error::new(format!(
            "there is no command `{other}`; `cargo xtask help` lists them"
        ))),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The arguments without a `--` before them, which cargo's own commands want there.
fn without_dashes(arguments: &[String]) -> &[String] {
    match arguments {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    }
}

#[cfg(test)]
mod tests {
    use super::without_dashes;

    #[test]
    fn one_pair_of_dashes_before_the_arguments_is_dropped() {
        for (given, left) in [
            (
                &["--", "--leptos-site-addr", "127.0.0.1:0"][..],
                &["--leptos-site-addr", "127.0.0.1:0"][..],
            ),
            (&["--", "serve", "--", "x"], &["serve", "--", "x"]),
            (&["--", "--", "x"], &["--", "x"]),
            (&["rule-10", "--"], &["rule-10", "--"]),
            (&["--"], &[]),
            (&[], &[]),
        ] {
            let given: Vec<String> = given.iter().map(|&word| word.to_owned()).collect();
            assert_eq!(without_dashes(&given), left);
        }
    }
}
