//! With TLS in front of it.

use crate::{
    expect_failed,
    stage::{Stage, examine},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{fs, sync::Arc};
use tempfile::NamedTempFile;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// A server's side of TLS as `localhost`, and the file of its certificate authority, which no
/// machine trusts.
fn tls() -> (TlsAcceptor, NamedTempFile) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), authority.pem()).unwrap();
    (TlsAcceptor::from(Arc::new(config)), file)
}

/// A proxy that takes TLS off in front of `plain`.
async fn before(plain: &str, tls: TlsAcceptor) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let plain = plain.to_owned();
    tokio::spawn(async move {
        while let Ok((outside, _)) = listener.accept().await {
            let tls = tls.clone();
            let plain = plain.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = tls.accept(outside).await else {
                    return;
                };
                let mut inside = TcpStream::connect(plain).await.unwrap();
                let _ = copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    format!("localhost:{port}")
}

#[tokio::test]
async fn an_unknown_authority_is_named_and_configuring_it_helps() {
    let (stage, (tls, authority)) = (Stage::set(|_| ()).await, tls());
    let api = before(&stage.api, tls.clone()).await;
    let sockets = before(&stage.sockets, tls).await;
    let lines = examine(&api, &sockets, &[("PUSHER_SCHEME", "https")]).await;
    let problem = "signed by no authority that this machine trusts; a private authority is named by PUSHER_CA";
    expect_failed(&lines, &[("socket", problem), ("publish", problem)]);

    let authority = authority.path().to_str().unwrap();
    let lines = examine(
        &api,
        &sockets,
        &[("PUSHER_SCHEME", "https"), ("PUSHER_CA", authority)],
    )
    .await;
    expect_failed(&lines, &[]);
    assert!(
        lines.last().unwrap().starts_with("delivery: ok"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn tls_where_there_is_none_is_named() {
    let lines = Stage::set(|_| ())
        .await
        .examine(&[("PUSHER_SCHEME", "https")])
        .await;
    let problem = "it does not speak TLS; if it is meant to be without, PUSHER_SCHEME is http";
    expect_failed(&lines, &[("socket", problem), ("publish", problem)]);
}

#[tokio::test]
async fn no_tls_where_there_is_some_is_named() {
    let (stage, (tls, _)) = (Stage::set(|_| ()).await, tls());
    let api = before(&stage.api, tls.clone()).await;
    let sockets = before(&stage.sockets, tls).await;
    let lines = examine(&api, &sockets, &[]).await;
    expect_failed(
        &lines,
        &[
            ("socket", "is TLS missing"),
            ("publish", "no Pusher server's"),
        ],
    );
}
