//! Where an address is, by a database of the operator's.

use std::path::Path;

use narthex::config::model::Config;
use narthex::places::Places;

use crate::account::text_of;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::ben;

both!(sessions_name_the_place_that_the_database_knows);

/// A text in the `MaxMind` DB format: type 2.
fn text(text: &str) -> Vec<u8> {
    [&[2 << 5 | u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
}

/// A map: type 7, keys and values in turn.
fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![7 << 5 | u8::try_from(pairs.len()).unwrap()];
    for (key, value) in pairs {
        bytes.extend(text(key));
        bytes.extend(value);
    }
    bytes
}

/// A number: type 5, in two bytes.
fn number(number: u16) -> Vec<u8> {
    [&[5 << 5 | 2], &number.to_be_bytes()[..]].concat()
}

/// A database that knows one network of 24 bits. Source: `MaxMind` DB file format 2.0.
fn database(network: [u8; 3]) -> Vec<u8> {
    const NODES: u32 = 24;
    let mut bytes = Vec::new();
    for depth in 0..NODES {
        let octet = network[depth as usize / 8];
        let bit = octet >> (7 - depth % 8) & 1;
        // To the next node, or to the first record of the data; the other side is empty.
        let on = if depth + 1 == NODES { NODES + 16 } else { depth + 1 };
        let sides = if bit == 0 { [on, NODES] } else { [NODES, on] };
        for side in sides {
            bytes.extend(&side.to_be_bytes()[1..]);
        }
    }
    bytes.extend([0; 16]);
    let names = |en: &str, de: &str| map(&[("names", map(&[("en", text(en)), ("de", text(de))]))]);
    let record = [("city", names("Geneva", "Genf")), ("country", names("Switzerland", "Schweiz"))];
    bytes.extend(map(&record));
    bytes.extend(b"\xAB\xCD\xEFMaxMind.com");
    bytes.extend(map(&[
        ("binary_format_major_version", number(2)),
        ("binary_format_minor_version", number(0)),
        // Type 9, which is 2 beyond the first seven.
        ("build_epoch", vec![1, 2, 1]),
        ("database_type", text("Test")),
        ("description", map(&[])),
        ("ip_version", number(4)),
        ("languages", vec![0, 4]),
        ("node_count", vec![6 << 5 | 1, 24]),
        ("record_size", number(24)),
    ]));
    bytes
}

fn write(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("places.mmdb");
    std::fs::write(&file, database([127, 0, 0])).unwrap();
    file
}

#[test]
fn a_place_is_named_in_both_languages_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let places = Places::open(&write(folder.path())).unwrap();
    let of = |address: &str, language| places.of(address.parse().unwrap(), language);

    assert_eq!(of("127.0.0.1", "en").as_deref(), Some("Geneva, Switzerland"));
    assert_eq!(of("127.0.0.1", "de").as_deref(), Some("Genf, Schweiz"));
    assert_eq!(of("127.0.1.1", "en"), None);
    assert_eq!(of("2001:db8::1", "en"), None);
}

async fn sessions_name_the_place_that_the_database_knows(db: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path());
    let with = |config: &mut Config| config.geo_database_file = Some(file);
    let server = TestServer::start_with(db, with).await;
    server.apply("users: [{ username: ben, password: ben-correct-horse }]").await;
    let ben = ben(&server);
    ben.sign_in(&server).await;

    let page = ben.browser.get("/account/sessions").await.expect(200);

    let expected = "Geneva, Switzerland (network 127.0.0.0/24)";
    assert_eq!(text_of(&page, "session-place-1"), expected);
}
