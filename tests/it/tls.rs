//! TLS of our own: versions, suites, certificates that change. Source: RFC 9325 (BCP 195).

use rustls::CipherSuite;
use rustls::ProtocolVersion::{TLSv1_2, TLSv1_3};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::tls::{Identity, TlsServer, server_identity};

both!(
    tls_1_3_is_preferred_and_1_2_is_spoken,
    rfc9325_3_1_old_versions_are_refused,
    rfc9325_4_2_only_recommended_suites_of_tls_1_2_are_spoken,
    requests_over_tls_are_answered_with_and_without_a_certificate,
    a_changed_certificate_is_taken_up,
    a_certificate_that_is_no_good_changes_nothing,
);

async fn tls_1_3_is_preferred_and_1_2_is_spoken(db: Kind) {
    let tls = TlsServer::start(db, |_| ()).await;

    let both = tls.handshake(&[&TLS12, &TLS13], None).await.expect("a handshake");
    let old = tls.handshake(&[&TLS12], None).await.expect("a handshake");

    assert_eq!(both.get_ref().1.protocol_version(), Some(TLSv1_3));
    assert_eq!(old.get_ref().1.protocol_version(), Some(TLSv1_2));
}

/// A hello that offers one version and the suites that belong to it.
fn hello(version: [u8; 2], suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    body.extend(u16::try_from(suites.len()).expect("few").to_be_bytes());
    body.extend(suites);
    body.extend([1, 0]);
    // supported_groups (P-256), ec_point_formats, signature_algorithms.
    let extensions: &[u8] =
        &[0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4];
    body.extend(u16::try_from(extensions.len()).expect("few").to_be_bytes());
    body.extend(extensions);
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    let mut handshake = vec![1];
    handshake.extend(&length[1..]);
    handshake.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(handshake.len()).expect("short").to_be_bytes());
    record.extend(handshake);
    record
}

/// The type of the first record that comes back: 22 goes on, 21 is an alert with its code.
async fn answer(tls: &TlsServer, hello: &[u8]) -> (u8, u8) {
    let mut stream = TcpStream::connect(tls.address).await.expect("a connection");
    stream.write_all(hello).await.expect("written");
    let mut head = [0; 7];
    match stream.read_exact(&mut head).await {
        Ok(_) => (head[0], head[6]),
        Err(_) => (0, 0),
    }
}

async fn rfc9325_3_1_old_versions_are_refused(db: Kind) {
    const HANDSHAKE: u8 = 22;
    let tls = TlsServer::start(db, |_| ()).await;
    let suites = [0xC02B, 0xC02F, 0xC009, 0xC013, 0x002F, 0x000A];

    for version in [[3, 0], [3, 1], [3, 2]] {
        let (kind, _) = answer(&tls, &hello(version, &suites)).await;
        assert_ne!(kind, HANDSHAKE, "{version:?}");
    }
    // The same hello with TLS 1.2 and a good suite goes on, so that it was not the hello.
    let (kind, _) = answer(&tls, &hello([3, 3], &suites)).await;
    assert_eq!(kind, HANDSHAKE);
    // CBC, RSA key exchange, 3DES, RC4, NULL, ChaCha20 of TLS 1.2.
    for suite in [0xC009, 0xC013, 0xC023, 0x009C, 0x002F, 0x003C, 0x000A, 0x0005, 0x0001, 0xCCA9] {
        let (kind, _) = answer(&tls, &hello([3, 3], &[suite])).await;
        assert_ne!(kind, HANDSHAKE, "{suite:04x}");
    }
}

async fn rfc9325_4_2_only_recommended_suites_of_tls_1_2_are_spoken(db: Kind) {
    let tls = TlsServer::start(db, |_| ()).await;
    // The certificate's key is on P-256.
    let good = [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ];

    for suite in good {
        let stream = tls.handshake(&[&TLS12], Some(&[suite])).await.expect("a handshake");
        let spoken = stream.get_ref().1.negotiated_cipher_suite().map(|suite| suite.suite());
        assert_eq!(spoken, Some(suite));
    }
    let chacha = CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    assert!(tls.handshake(&[&TLS12], Some(&[chacha])).await.is_err());
    let plain = reqwest::get(format!("http://{}/jwks", tls.address)).await;
    assert!(plain.is_err(), "plain HTTP is not understood");
}

async fn requests_over_tls_are_answered_with_and_without_a_certificate(db: Kind) {
    let tls = TlsServer::start(db, |_| ()).await;

    let bare = tls.client(None).get("/jwks").await;
    let shown = tls.client(Some(&Identity::self_signed("anybody"))).get("/jwks").await;
    let beside = tls.server.browser().get("/jwks").await;

    assert_eq!((bare.status, shown.status, beside.status), (200, 200, 200));
    assert_eq!(bare.body, beside.body);
}

async fn a_changed_certificate_is_taken_up(db: Kind) {
    let tls = TlsServer::start(db, |_| ()).await;
    let held = tls.server.server.tls.clone().expect("TLS");
    let mut open = tls.handshake(&[&TLS13], None).await.expect("a handshake");

    assert!(!held.reload_if_changed().expect("readable"));
    later().await;
    tls.replace(&server_identity());
    assert!(tls.handshake(&[&TLS13], None).await.is_err(), "the old one is still shown");
    assert!(held.reload_if_changed().expect("readable"));

    tls.handshake(&[&TLS13], None).await.expect("the new one");
    let request = b"GET /jwks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    open.write_all(request).await.expect("the open connection stays");
    let mut answer = Vec::new();
    let _ = open.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

async fn a_certificate_that_is_no_good_changes_nothing(db: Kind) {
    let tls = TlsServer::start(db, |_| ()).await;
    let held = tls.server.server.tls.clone().expect("TLS");
    let before = std::fs::read(&tls.certificate_file).expect("a file");

    later().await;
    std::fs::write(&tls.certificate_file, "nonsense").expect("written");
    assert!(held.reload_if_changed().is_err());
    later().await;
    std::fs::write(&tls.certificate_file, server_identity().certificate).expect("written");
    assert!(held.reload_if_changed().is_err(), "the key is another's");
    std::fs::write(&tls.certificate_file, before).expect("written");

    tls.handshake(&[&TLS13], None).await.expect("the first one is still shown");
}

/// Long enough for a file to have another time.
async fn later() {
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
}
