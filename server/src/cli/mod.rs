//! The commands: flags over the environment, one line for what is wrong, then serve until told to
//! stop.

pub mod confirmation;
pub mod doctor;
pub mod key;
pub mod link;
pub mod memory;
pub mod output;
pub mod user;

mod args;

use crate::{
    cli::{
        confirmation::{
            ask_again::confirmation_ask_again, cancel::confirmation_cancel,
            list::confirmation_list, show::confirmation_show,
        },
        doctor::doctor,
        key::key_rotate,
        link::link_create,
        user::{add::user_add, disable::user_disable, list::user_list, remove::user_remove},
    },
    config::{Config, RawSettings, SETTINGS},
    http::listener::{self, file_limit},
    startup::{
        router::{router, worker},
        stop_signals::StopSignals,
    },
};
use clap::ArgMatches;
use std::{ffi::OsString, io, panic, process::ExitCode};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Does what the process's arguments say. The process is this program's own: it gets a log, a panic
/// hook, rustls' cryptography and a higher limit of open files, of which the library does nothing.
pub async fn main() -> ExitCode {
    let matches = args::command().get_matches();
    // A command that does one thing says what it did on its own; `RUST_LOG=vestibule::audit=info`
    // says it for a log as well.
    let level = match matches.subcommand_name() {
        Some("user" | "link" | "confirmation") => "warn",
        _ => "info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // Else a log that cannot be written to, on a disk that is full, would end the request that is
    // told of.
    log.log_internal_errors(false).init();
    say_nothing_of_caught_panics();
    // Several crates bring rustls, so it does not choose by itself; the driver of Redis goes by the
    // choice of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    file_limit::raise();
    match run(&matches).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("vestibule: {line}");
            ExitCode::FAILURE
        }
    }
}

/// The crate `pusher` panics where it cannot connect. Its publisher catches that and says in one
/// line what it means; the panic itself would be three more, for each sign-in, in which an operator
/// would look for a fault of ours.
fn say_nothing_of_caught_panics() {
    let say = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let of_pusher = |file: &str| file.contains("/pusher-0.") && file.ends_with("/request.rs");
        if !panic
            .location()
            .is_some_and(|place| of_pusher(place.file()))
        {
            say(panic);
        }
    }));
}

async fn run(matches: &ArgMatches) -> Result<(), String> {
    let config = |matches: &ArgMatches| {
        let flag = |name: &str| matches.try_get_one::<String>(name).ok().flatten();
        for setting in SETTINGS {
            let checked = flag(setting.key).map_or(Ok(()), |value| setting.check_flag(value));
            checked.map_err(|error| error.to_string())?;
        }
        let given = RawSettings::from_names(|name| {
            flag(name)
                .map(OsString::from)
                .or_else(|| std::env::var_os(name))
        });
        given
            .and_then(|given| Config::read(&given))
            .map_err(|error| error.to_string())
    };
    match matches.subcommand() {
        Some((about @ ("user" | "link" | "key" | "confirmation"), commands)) => {
            match commands.subcommand() {
                Some((name, its)) => self::command((about, name), its, config(its)?).await,
                None => Err(format!("{about}: what is to be done is missing")),
            }
        }
        Some(("doctor", doctor)) => {
            let proxy = doctor.get_one::<String>("proxy").map(String::as_str);
            match self::doctor(config(doctor)?, proxy, |line| println!("{line}")).await {
                0 => Ok(()),
                failed => Err(format!("{failed} of these failed")),
            }
        }
        Some(("worker", worker)) => {
            self::work(config(worker)?.apart().map_err(|error| error.to_string())?).await
        }
        Some((_, serve)) if serve.get_flag("no-worker") => {
            self::serve(config(serve)?.apart().map_err(|error| error.to_string())?).await
        }
        Some((_, serve)) => self::serve(config(serve)?).await,
        None => self::serve(config(matches)?).await,
    }
}

/// A command that does one thing beside the servers.
async fn command(command: (&str, &str), its: &ArgMatches, config: Config) -> Result<(), String> {
    let given = |name: &str| {
        its.get_one::<String>(name)
            .map(String::as_str)
            .unwrap_or_default()
    };
    let json = its.get_flag("json");
    let answer = match command {
        ("user", "list") => return user_list(config, json, &mut io::stdout()).await,
        ("user", "add") => {
            user_add(
                config,
                given("email"),
                its.get_one::<String>("name").cloned(),
            )
            .await?
        }
        ("user", "disable") => user_disable(config, given("email"), true).await?,
        ("user", "enable") => user_disable(config, given("email"), false).await?,
        ("user", "remove") => user_remove(config, given("email")).await?,
        ("link", "create") => link_create(config, given("email"), given("expires")).await?,
        ("key", "rotate") => key_rotate(config, its.get_flag("now")).await?,
        ("confirmation", "list") => {
            return confirmation_list(config, json, &mut io::stdout()).await;
        }
        ("confirmation", "show") => confirmation_show(config, given("id")).await?,
        ("confirmation", "cancel") => confirmation_cancel(config, given("id")).await?,
        ("confirmation", "ask-again") => confirmation_ask_again(config, given("id")).await?,
        (about, name) => return Err(format!("{about} {name}: there is no such command")),
    };
    println!("{}", answer.say(json));
    Ok(())
}

async fn serve(mut config: Config) -> Result<(), String> {
    let taken = |error| {
        format!(
            "LEPTOS_SITE_ADDR: {} cannot be listened on: {error} (example: 127.0.0.1:3001)",
            config.addr
        )
    };
    let listener = listener::bind(config.addr).map_err(taken)?;
    config.addr = listener.local_addr().map_err(|error| error.to_string())?;
    let addr = config.addr;
    let base = config.base.clone();
    let practice = config.is_practice();
    let places = listener::ConnectionLimits::of(&config);
    let (routes, running) = router(config).await.map_err(|error| error.to_string())?;
    let stop = StopSignals::listen().map_err(|error| error.to_string())?;
    if let Some(private) = running.ops_addr() {
        println!("operations at http://{private}");
    }
    println!("listening on http://{addr}{}", base.as_str());
    if practice {
        println!(
            "practice mode: open that address and click a link, or read on at docs/ARCHITECTURE.md"
        );
    }
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(listener::serve_in(
        places,
        listener,
        routes,
        shutdown.clone(),
    ));
    stop.received().await;
    shutdown.cancel();
    running.shutdown().await;
    serving.await.map_err(|error| error.to_string())
}

async fn work(config: Config) -> Result<(), String> {
    let running = worker(config).await.map_err(|error| error.to_string())?;
    let stop = StopSignals::listen().map_err(|error| error.to_string())?;
    println!("working");
    let ended = tokio::select! {
        () = stop.received() => Ok(()),
        // Nothing is left to do here: the process supervisor starts another.
        () = running.worker_stopped() => Err("the worker has stopped by itself".into()),
    };
    running.shutdown().await;
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_flag() {
        args::command().debug_assert();
        assert!(
            SETTINGS
                .iter()
                .any(|setting| setting.flag() == "validator-url")
        );
    }
}
