use super::*;
use crate::secret::SystemEntropy;

#[test]
fn a_body_opens_for_its_own_mail_alone() {
    let keys = Keys::from_secret(&[1; 32]);
    let mine = MailId::from_bytes([1; 16]);
    let other = MailId::from_bytes([2; 16]);
    let device = Device::new("Firefox on Linux");
    let notice = |notice| {
        MailBody::AccountNotice(NoticeMail {
            notice,
            device: device.clone(),
            at: Timestamp::from_millis(7),
        })
    };
    let from = "ada@example.com".parse().unwrap();
    let to = "king@example.com".parse().unwrap();
    for body in [
        MailBody::Link(LinkMail {
            link: LinkToken::generate(&SystemEntropy),
            code: Some(Code::generate(&SystemEntropy)),
            device: device.clone(),
        }),
        MailBody::Link(LinkMail {
            link: LinkToken::generate(&SystemEntropy),
            code: None,
            device: None,
        }),
        notice(AccountNotice::WrongCodes { off: true }),
        MailBody::Address(AddressMail {
            ticket: "ticket".into(),
            device: None,
        }),
        notice(AccountNotice::Browser),
        notice(AccountNotice::Password),
        notice(AccountNotice::Moved { from, to }),
    ] {
        let sealed = SealedMailBody::seal(&keys, &SystemEntropy, mine, &body);
        assert_eq!(sealed.open(&keys, mine), Ok(body));
        assert_eq!(sealed.open(&keys, other), Err(CannotOpen));
    }
}

#[test]
fn a_body_that_an_earlier_version_sealed_is_read() {
    let keys = Keys::from_secret(&[1; 32]);
    let id = MailId::from_bytes([1; 16]);
    let opened = |json: &str| {
        let sealed = Sealed::seal(&keys, &SystemEntropy, id.as_bytes(), json.as_bytes());
        SealedMailBody(sealed).open(&keys, id)
    };
    let link = LinkToken::from_bytes([9; 32]);
    let token = URL_SAFE_NO_PAD.encode([9; 32]);
    for (code, json) in [
        (Some("012345".parse().unwrap()), r#""012345""#),
        (None, "null"),
    ] {
        let json =
            format!(r#"{{"device":null,"about":{{"Link":{{"link":"{token}","code":{json}}}}}}}"#);
        let link = link.clone();
        assert_eq!(
            opened(&json),
            Ok(MailBody::Link(LinkMail {
                link,
                code,
                device: None
            }))
        );
    }
    assert_eq!(
        opened(r#"{"device":null,"about":{"Address":{"ticket":"abc"}}}"#),
        Ok(MailBody::Address(AddressMail {
            ticket: "abc".into(),
            device: None,
        }))
    );
    let from = "ada@example.com".parse().unwrap();
    let to = "king@example.com".parse().unwrap();
    for (about, notice) in [
        (r#"{"Browser":{"at":7}}"#, AccountNotice::Browser),
        (
            r#"{"WrongCodes":{"off":true,"at":7}}"#,
            AccountNotice::WrongCodes { off: true },
        ),
        (r#"{"Password":{"at":7}}"#, AccountNotice::Password),
        (
            r#"{"Moved":{"from":"ada@example.com","to":"king@example.com","at":7}}"#,
            AccountNotice::Moved { from, to },
        ),
    ] {
        let json = format!(r#"{{"device":"Firefox on Linux","about":{about}}}"#);
        let device = Device::new("Firefox on Linux");
        let at = Timestamp::from_millis(7);
        assert_eq!(
            opened(&json),
            Ok(MailBody::AccountNotice(NoticeMail { notice, device, at }))
        );
    }
}
