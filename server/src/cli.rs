//! The command line: each setting is a flag, in kebab case.

use clap::{Arg, ArgAction, Command};
use vestibule_server::config::SETTINGS;

/// The command line.
pub fn command() -> Command {
    let settings = {
        let flag = |setting: &&'static vestibule_server::config::Setting| {
            Arg::new(setting.key).long(setting.flag()).value_name("VALUE").help(setting.help).global(true)
        };
        SETTINGS.iter().map(flag)
    };
    let add = Command::new("add")
        .about("Add a user who signs in with the password on the standard input")
        .arg(Arg::new("email").long("email").required(true).help("The address to sign in with"))
        .arg(Arg::new("name").long("name").help("What to call the user"));
    Command::new("vestibule")
        .about("Signs a user in from a worker")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(
            "Each flag is an environment variable too: --validator-url is VALIDATOR_URL. RUST_LOG sets what is logged.",
        )
        .args(settings)
        .subcommand(
            Command::new("serve")
                .about("Serve pages, with a worker beside them (what happens without a command, too)")
                .arg(Arg::new("no-worker").long("no-worker").action(ArgAction::SetTrue).help(
                    "Only the pages; `vestibule worker` does the work, in any number of processes on PostgreSQL",
                )),
        )
        .subcommand(Command::new("worker").about("Only the work behind the pages of other processes"))
        .subcommand(
            Command::new("doctor").about(
                "Say what is wrong: database, sessions, mail server, Pusher server; by publishing and receiving",
            ),
        )
        .subcommand(Command::new("user").about("Users").subcommand_required(true).subcommand(add))
}
