use super::*;
use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt as _};

fn read(given: &[(&str, OsString)]) -> Result<RawSettings, String> {
    let find = |name: &str| {
        given
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.clone())
    };
    RawSettings::from_names(find).map_err(|error| error.to_string())
}

#[test]
fn each_secret_is_read_from_its_file_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    fs::write(&file, "hush hush\r\n").unwrap();
    for setting in ALL {
        let given = read(&[(&setting.file_key(), file.clone().into())]).unwrap();
        assert_eq!(
            given.text(setting),
            setting.has_file().then_some("hush hush"),
            "{}",
            setting.key
        );
    }
    assert_eq!(
        ALL.iter().filter(|setting| setting.has_file()).count(),
        SECRETS.len() + WITH_PASSWORDS.len()
    );
}

#[test]
fn a_secret_is_no_flag_and_nothing_of_it_is_repeated() {
    for (setting, value) in [
        (&VESTIBULE_SECRET, "hush"),
        (&VALIDATOR_SECRET, "x"),
        (&PUSHER_SECRET, "hush"),
        (&DATABASE_URL, "postgres://sign_in:hush@db.internal/sign_in"),
        (
            &DATABASE_URL,
            "postgres://db.internal/sign_in?user=sign_in&password=hush",
        ),
        (&REDIS_URL, "rediss://:hush@cache.internal"),
        (&SMTP_URL, "smtps://a:hush@mail.example"),
        (&VALIDATOR_URL, "https://a:hush@v.example/"),
    ] {
        let line = setting.check_flag(value).unwrap_err().to_string();
        assert!(
            line.starts_with(&format!("{}: a secret, ", setting.key)) && !line.contains("hush"),
            "{line}"
        );
        assert_eq!(line.contains("_FILE"), setting.has_file(), "{line}");
    }
    for (setting, value) in [
        (&DATABASE_URL, "sqlite:vestibule.db"),
        (&DATABASE_URL, "postgres://sign_in@db.internal/sign_in"),
        (&REDIS_URL, "redis://localhost:6379/0"),
        (&VALIDATOR_URL, "https://v.example/validate?tenant=7"),
        (&MAIL_FROM, "Vestibule <no-reply@example.com>"),
    ] {
        assert!(setting.check_flag(value).is_ok(), "{value}");
    }
}

#[test]
fn a_file_that_is_of_no_use_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("good"), "hush").unwrap();
    fs::write(path("blank"), " \n\n").unwrap();
    fs::write(path("latin"), [0xe4, 0xf6]).unwrap();
    fs::write(path("long"), "x".repeat(70_000)).unwrap();
    for (file, problem) in [
        ("missing", "cannot be read"),
        ("blank", "is empty"),
        ("latin", "cannot be read"),
        ("long", "is longer"),
        ("", "cannot be read"),
    ] {
        let line = read(&[("SMTP_URL_FILE", path(file).into())]).err().unwrap();
        assert!(
            line.starts_with("SMTP_URL_FILE: ") && line.contains(problem) && !line.contains('\n'),
            "{line}"
        );
    }
    let both = [
        ("SMTP_URL", "smtp://hush".into()),
        ("SMTP_URL_FILE", path("good").into()),
    ];
    let line = read(&both).err().unwrap();
    assert!(
        line.starts_with("SMTP_URL_FILE: SMTP_URL is given as well") && !line.contains("hush"),
        "{line}"
    );
}

#[test]
fn settings_in_code_are_named_as_the_variables_are_and_give_way_to_those_before() {
    let line = RawSettings::from_pairs([("PUBLIC_ULR", "https://hush.example/")]);
    let line = line.err().unwrap().to_string();
    assert!(
        line.starts_with("PUBLIC_ULR: there is no such setting") && !line.contains("hush"),
        "{line}"
    );
    let settings = RawSettings::from_pairs([("SMTP_URL", "first"), ("REDIS_URL", " ")]).unwrap();
    let settings = settings.or([("SMTP_URL", "second"), ("REDIS_URL", "third")]);
    let settings = settings.unwrap();
    assert_eq!(
        (settings.text(&SMTP_URL), settings.text(&REDIS_URL)),
        (Some("first"), Some("third"))
    );
}

#[test]
fn a_value_that_is_no_text_is_refused_and_a_blank_one_is_none() {
    let line = read(&[("VALIDATOR_URL", OsString::from_vec(vec![0xff]))])
        .err()
        .unwrap();
    assert!(line.starts_with("VALIDATOR_URL: not UTF-8"), "{line}");
    let blank = [
        ("VALIDATOR_URL", " \t".into()),
        ("SMTP_URL_FILE", "".into()),
        ("SMTP_URL", "smtp://x".into()),
    ];
    let given = read(&blank).unwrap();
    assert_eq!(
        (given.text(&VALIDATOR_URL), given.text(&SMTP_URL)),
        (None, Some("smtp://x"))
    );
    assert_eq!(
        (
            given.is_blank(&VALIDATOR_URL),
            given.is_blank(&SMTP_URL),
            given.is_blank(&REDIS_URL)
        ),
        (true, false, false)
    );
}
