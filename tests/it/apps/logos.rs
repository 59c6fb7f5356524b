//! Pictures of apps: checked by their bytes, served from here, run nowhere.

use reqwest::Method;

use crate::apps::{Api, start};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::world::ada;

both!(case_04_a_picture_is_served_as_a_picture_and_nothing_else);

/// A picture that says something.
pub fn png(note: &[u8]) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let long = u32::try_from(data.len()).expect("short").to_be_bytes();
        [&long[..], kind, data, &[0; 4]].concat()
    };
    let header = chunk(b"IHDR", b"\0\0\0\x40\0\0\0\x40\x08\x06\0\0\0");
    let parts = [&b"\x89PNG\r\n\x1a\n"[..], &header, &chunk(b"tEXt", note), &chunk(b"IEND", b"")];
    parts.concat()
}

async fn case_04_a_picture_is_served_as_a_picture_and_nothing_else(db: Kind) {
    let server = start(db).await;
    let ada = Api::of(&server, &ada(&server), "acme").await;
    let path = "/v1/apps/workbench/logo";
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let behind = [png(b"x"), script.to_vec()].concat();

    for (bad, status) in [
        (&script[..], 400),
        (b"", 400),
        (b"<html>", 400),
        (&behind, 400),
        (&vec![0; 200_000], 400),
        (&vec![0; 300_000], 413),
    ] {
        let answer = ada.send(Method::PUT, path, "image/png", bad).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let first = ada.send(Method::PUT, path, "text/html", &png(b"one")).await.expect(200);
    let url = first.text("iconUrl");
    assert!(url.starts_with(&format!("{}/logos/workbench/", server.url)), "{url}");
    let shown = server.browser().get(&url).await.expect(200);
    assert_eq!(shown.header("content-type"), "image/png");
    assert_eq!(shown.header("x-content-type-options"), "nosniff");
    assert_eq!(
        shown.header("content-security-policy"),
        "default-src 'none'; sandbox; frame-ancestors 'none'"
    );
    let second = ada.send(Method::PUT, path, "image/png", &png(b"two")).await.expect(200);
    assert_ne!(second.text("iconUrl"), url);
    assert_eq!(server.browser().get(&url).await.status, 404, "each picture has a name of its own");
    assert_eq!(ada.delete(path).await.status, 204);
    assert_eq!(server.browser().get(&second.text("iconUrl")).await.status, 404);
    for odd in ["/logos/workbench/x", "/logos/%FF/x", "/logos/no%20such/..%2f"] {
        assert_eq!(server.browser().get(odd).await.status / 100, 4, "{odd}");
    }
}
