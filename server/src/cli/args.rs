//! The command line: each setting is a flag, in kebab case.

use crate::config::SETTINGS;
use clap::{Arg, ArgAction, Command};

/// The command line.
pub fn command() -> Command {
    let settings = {
        // A secret cannot be a flag, but an operator who passes it as one gets an error that says
        // so.
        let flag = |setting: &&'static crate::config::Setting| {
            let flag = Arg::new(setting.key)
                .long(setting.flag())
                .value_name("VALUE")
                .help(setting.help)
                .global(true);
            match setting.key {
                "PRACTICE" => flag
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("on"),
                _ => flag.hide(setting.is_secret()),
            }
        };
        let file = |setting: &&'static crate::config::Setting| {
            let help = format!("A file with {}. {}", setting.key, setting.help);
            let flag = Arg::new(setting.file_key()).long(format!("{}-file", setting.flag()));
            flag.value_name("FILE").help(help).global(true)
        };
        let files = SETTINGS.iter().filter(|setting| setting.has_file());
        SETTINGS.iter().map(flag).chain(files.map(file))
    };
    let email = |help: &'static str| {
        Arg::new("email")
            .long("email")
            .value_name("ADDRESS")
            .required(true)
            .help(help)
    };
    let json = || {
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .help("Say it in JSON, for programs")
    };
    let add = Command::new("add")
        .about("Add a user who signs in with the password on the standard input; a known one is signed out everywhere")
        .arg(email("The address to sign in with"))
        .arg(Arg::new("name").long("name").help("What to call the user"))
        .arg(json());
    let list = Command::new("list")
        .about("List users: subject, name, issuer, since when, and whether they are disabled")
        .arg(json());
    let remove = Command::new("remove")
        .about("Remove a user, end their sessions and revoke the links to them")
        .arg(email("The address that the user signs in with"))
        .arg(json());
    let disable = Command::new("disable")
        .about("Keep a user out, end their sessions and revoke the links to them")
        .arg(email("The address that the user signs in with"))
        .arg(json());
    let enable = Command::new("enable")
        .about("Let a user in again who was disabled")
        .arg(email("The address that the user signs in with"))
        .arg(json());
    let create = Command::new("create")
        .about(
            "Create a link that signs a person in once, with or without an account, and print it",
        )
        .arg(email("Whom it signs in"))
        .arg(
            Arg::new("expires")
                .long("expires")
                .value_name("TIME")
                .default_value("24h")
                .help("How long it is good"),
        )
        .arg(json());
    Command::new("vestibule")
        .about("Signs a user in from a worker")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(
            "Each flag is an environment variable too: --validator-url is VALIDATOR_URL. A secret is no flag: it is in a \
             variable (VESTIBULE_SECRET) or a file (VESTIBULE_SECRET_FILE). RUST_LOG sets what is logged.",
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
        .subcommand(doctor())
        .subcommand(
            Command::new("user")
                .about("Users")
                .subcommand_required(true)
                .subcommands([add, list, disable, enable, remove]),
        )
        .subcommand(Command::new("link").about("Links that sign in").subcommand_required(true).subcommand(create))
        .subcommand(key(json()))
        .subcommand(confirmation(&json()))
}

/// What is done about sign-ins that have begun.
fn confirmation(json: &Arg) -> Command {
    let id = Arg::new("id")
        .value_name("ID")
        .required(true)
        .help("Its id, as the list and the log show it");
    let list = Command::new("list")
        .about("List those that are not decided, the oldest first: id, step, begun, deadline, and when the validator is asked next")
        .arg(json);
    let show = Command::new("show")
        .about("Show one, also after it was decided: how far it has come, or what it came to")
        .args([&id, json]);
    let cancel = Command::new("cancel")
        .about("Cancel one, as its user could; a sign-in that no browser has got yet is taken back")
        .args([&id, json]);
    let ask_again = Command::new("ask-again")
        .about("Have the validator asked about one at once, instead of when it is due")
        .args([&id, json]);
    Command::new("confirmation")
        .about("Sign-ins that have begun; tokens are never shown")
        .subcommand_required(true)
        .subcommands([list, show, cancel, ask_again])
}

/// What is done with the keys that sign assertions.
fn key(json: Arg) -> Command {
    let now = Arg::new("now")
        .long("now")
        .action(ArgAction::SetTrue)
        .help("The former keys may be known to someone else: none of them stays");
    let rotate = Command::new("rotate")
        .about("Sign assertions with the next key; programs that verify them notice nothing")
        .args([now, json]);
    Command::new("key")
        .about("The keys that sign assertions")
        .subcommand_required(true)
        .subcommand(rotate)
}

/// What is wrong.
fn doctor() -> Command {
    let proxy = Arg::new("proxy")
        .long("proxy")
        .value_name("URL")
        .help("Also the proxy before the application at this address");
    Command::new("doctor")
        .about("Say what is wrong: database, sessions, mail server, Pusher server; by publishing and receiving")
        .arg(proxy)
}
