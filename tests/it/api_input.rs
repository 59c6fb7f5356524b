//! Whatever comes in, the resource API answers in its own shape, and never with a fault of its own.

use narthex::gate::routes::table;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, portal};

both!(any_request_gets_an_answer_in_the_shape_of_the_api, the_number_of_an_interaction_comes_back,);

const REQUESTS: usize = 400;
const ODD: &[&str] =
    &["%00", "%ff", "%0d%0a", "%2F", "%25", "..", "'", "\"", "%F0%9F%92%A9", "+", "{", "%"];
const PARAMETERS: &[&str] =
    &["pageSize", "nextPageToken", "name", "id", "include", "access_token", "x"];
const MEMBERS: &[&str] =
    &["name", "policy", "rules", "description", "readData", "comparison", "value", ""];
const METHODS: &[&str] =
    &["GET", "GET", "POST", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY"];

#[derive(Clone, Debug)]
struct Request {
    method: &'static str,
    target: String,
    account: Vec<u8>,
    kind: String,
    body: Vec<u8>,
}

/// Text as a client may put it into a path or query, clean or not.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9.~%'()*;:@$_-]{0,24}",
        select(ODD).prop_map(str::to_owned),
        "[a-z]{1,8}".prop_map(|text| text.repeat(200)),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let pair = (select(PARAMETERS), piece()).prop_map(|(name, value)| format!("{name}={value}"));
    prop_oneof![
        Just("pageSize=2&name=L&include=count&nextPageToken=".to_owned()),
        proptest::collection::vec(pair, 0..4).prop_map(|pairs| pairs.join("&")),
    ]
}

fn target() -> impl Strategy<Value = String> {
    let paths: Vec<&str> = table().map(|route| route.path).collect();
    (select(paths), piece(), query()).prop_map(|(path, id, query)| {
        format!("{}?{query}", path.replace("{id}", &id).replace("{name}", &id))
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..60);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let json = leaf.prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(select(MEMBERS), inner, 0..4).prop_map(|map| {
                map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    });
    let project = any::<String>().prop_map(|name| serde_json::json!({ "name": name }));
    let json = prop_oneof![json, project].prop_map(|value| value.to_string().into_bytes());
    prop_oneof![1 => bytes, 4 => json]
}

fn requests() -> impl Strategy<Value = Request> {
    let account = prop_oneof![
        4 => Just(b"acme".to_vec()),
        1 => proptest::collection::vec(0x20..=0xff_u8, 0..20),
    ];
    let kind = prop_oneof![4 => Just("application/json".to_owned()), 1 => "[ -~]{0,20}"];
    (select(METHODS), target(), account, kind, body()).prop_map(
        |(method, target, account, kind, body)| Request { method, target, account, kind, body },
    )
}

fn bytes(request: &Request, token: &str) -> Vec<u8> {
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: {}\r\ncontent-length: {}\r\nlifeomic-account: ",
        request.method,
        request.target,
        request.kind,
        request.body.len()
    );
    [head.as_bytes(), &request.account, b"\r\n\r\n", &request.body].concat()
}

async fn any_request_gets_an_answer_in_the_shape_of_the_api(db: Kind) {
    let server = TestServer::start(db).await;
    let token = portal(&server).tokens(&server, &ada(&server)).await.access;
    let mut runner = TestRunner::deterministic();
    let mut good = 0;

    for _ in 0..REQUESTS {
        let request = requests().new_tree(&mut runner).unwrap().current();
        let answer = server.raw(&bytes(&request, &token)).await;
        let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let class = status.chars().next();
        assert!(matches!(class, Some('2' | '4')), "{request:?}: {answer}");
        if class == Some('2') {
            good += 1;
        } else if !body.is_empty() {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            let is_text = |name: &str| body.get(name).is_some_and(Value::is_string);
            assert!(is_text("error") && is_text("reason"), "{request:?}: {answer}");
            assert!(head.contains("application/json"), "{request:?}: {answer}");
        } else {
            // What is not even HTTP is answered before anybody knows what it is about.
            assert_eq!(status, "400", "{request:?}: {answer}");
        }
    }
    assert!(good > REQUESTS / 50, "only {good} requests were good: they do not reach far");
}

/// FAPI 1.0 Baseline section 6.2.1 point 11.
async fn the_number_of_an_interaction_comes_back(db: Kind) {
    const HEADER: &str = "x-fapi-interaction-id";
    const ID: &str = "cD979616-f950-4109-9EaD-1fD2dA97b202";
    let server = TestServer::start(db).await;
    let http = server.browser();

    let good = http.get_with("/v1/scopes", &[(HEADER, ID)]).await;
    let refused = http.get_with("/v1/projects", &[(HEADER, ID)]).await;
    let strange = http.get_with("/v1/scopes", &[(HEADER, "<script>")]).await;

    assert_eq!(good.header(HEADER), ID);
    assert_eq!((refused.status, refused.header(HEADER)), (401, ID));
    let own = strange.header(HEADER);
    assert!(own.len() == 36 && own.as_bytes()[14] == b'7', "{own}");
}
