//! Whatever comes in, what goes out is a refusal in the standard's own shape: never a 5xx.

mod bend;
pub mod endpoint;
mod nul;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle;

use crate::bad_input::bend::{Bend, bends, bent};
use crate::bad_input::endpoint::{Endpoint, Shape, endpoints};
use crate::common::both;
use crate::common::database::Kind;
use crate::common::raw::Raw;
use crate::registration::actor::open_server;

both!(bad_input_is_refused_in_the_shape_of_its_standard);

/// Requests that each run makes, on each database.
const CASES: u32 = 1_500;

fn check(endpoint: &Endpoint, answer: &Raw, must: bool) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500 && answer.status >= 200, "{answer:?}");
    if must {
        prop_assert!(
            (400..500).contains(&answer.status)
                || (endpoint.path == "/authorize" && answer.header("location").contains("error=")),
            "not refused: {answer:?}"
        );
    }
    // What the HTTP layer itself could not read as a request has no endpoint yet.
    let unread = answer.body.is_empty() && matches!(answer.status, 400 | 414 | 431);
    if answer.status < 400 || unread {
        return Ok(());
    }
    let json = serde_json::from_str::<serde_json::Value>(&answer.body).ok();
    let error = json.as_ref().and_then(|json| json.get("error")?.as_str());
    match endpoint.shape {
        Shape::OAuth => {
            let known = ["invalid_request", "invalid_client", "invalid_grant", "invalid_scope"];
            let more = ["unauthorized_client", "unsupported_grant_type"];
            let known = error.is_some_and(|error| known.contains(&error) || more.contains(&error));
            prop_assert!(known || answer.status == 404, "{answer:?}");
        }
        Shape::Registration => {
            let known = ["invalid_client_metadata", "invalid_redirect_uri", "invalid_token"];
            let more = ["too_many_requests", "access_denied", "invalid_request"];
            let known = error.is_some_and(|error| known.contains(&error) || more.contains(&error));
            prop_assert!(known || answer.status == 404, "{answer:?}");
        }
        Shape::Bearer => {
            let challenge = answer.header("www-authenticate");
            prop_assert!(challenge.starts_with("Bearer") || answer.status == 404, "{answer:?}");
        }
        Shape::Api => {
            prop_assert!(error.is_some_and(|error| !error.is_empty()), "{answer:?}");
            prop_assert!(
                answer.status != 401 || answer.header("www-authenticate").starts_with("Bearer"),
                "{answer:?}"
            );
        }
        Shape::Page => {
            prop_assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");
            prop_assert!(answer.body.contains("<h1"), "{answer:?}");
            prop_assert!(!answer.body.contains("<script"), "{answer:?}");
        }
    }
    Ok(())
}

async fn bad_input_is_refused_in_the_shape_of_its_standard(db: Kind) {
    let server = open_server(db).await;
    let all = endpoints(&server).await;
    for endpoint in &all {
        // Unbent, each is at least understood.
        let (request, _) = bent(endpoint, &Bend::Body(Vec::new()));
        let answer = server.send(&request).await;
        assert!(answer.status < 500, "{endpoint:?} {answer:?}");
    }
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let handle = Handle::current();

    tokio::task::block_in_place(|| {
        let outcome = TestRunner::new(config).run(&(select(all), bends()), |(endpoint, bend)| {
            let (request, must) = bent(&endpoint, &bend);
            let answer = handle.block_on(server.send(&request));
            check(&endpoint, &answer, must)
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    });

    let health = server.browser().get("/.well-known/openid-configuration").await;
    assert_eq!(health.status, 200, "it still answers");
}
