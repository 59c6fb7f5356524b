//! The endpoints, each with a good request to begin from.

use narthex::gate::routes::{Method, Route, table};

use crate::common::actors::basic;
use crate::common::server::TestServer;
use crate::common::world::{ada, backend, portal};

/// How an endpoint must refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// JSON with `error`. Source: RFC 6749 section 5.2.
    OAuth,
    /// `WWW-Authenticate: Bearer`. Source: RFC 6750 section 3.
    Bearer,
    /// JSON with `error`. Source: RFC 7591 section 3.2.2.
    Registration,
    /// JSON with `error` and `reason`.
    Api,
    /// A page for people, or a redirect to a registered place.
    Page,
}

/// An endpoint, and a good request for it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub method: &'static str,
    pub path: String,
    pub shape: Shape,
    /// Parameters of the query (GET) or of the form (POST).
    pub params: Vec<(&'static str, String)>,
    /// A JSON body in place of a form.
    pub json: Option<&'static str>,
    pub headers: Vec<(&'static str, String)>,
}

type Fields = &'static [(&'static str, &'static str)];

/// Pages: method, path, parameters.
const PAGES: &[(&str, &str, Fields)] = &[
    ("GET", "/authorize/1", &[("x", "y")]),
    ("GET", "/authorize/%FF", &[("x", "y")]),
    ("GET", "/sign-in", &[("grant", "1"), ("login_hint", "ada")]),
    ("POST", "/sign-in", &[("csrf", "x"), ("grant", "1"), ("username", "u"), ("password", "x")]),
    ("POST", "/sign-in/cancel", &[("csrf", "x"), ("grant", "1")]),
    ("GET", "/sign-in/totp", &[("grant", "1")]),
    ("POST", "/sign-in/totp", &[("csrf", "x"), ("grant", "1"), ("code", "123456")]),
    ("GET", "/consent", &[("grant", "1")]),
    ("POST", "/consent", &[("csrf", "x"), ("grant", "1"), ("decision", "allow")]),
    ("GET", "/logout", &[("id_token_hint", "x"), ("client_id", "portal"), ("state", "s")]),
    ("POST", "/logout", &[("csrf", "x"), ("client_id", "portal"), ("confirm", "yes")]),
    ("GET", "/device", &[("user_code", "WDJB-MJHT")]),
    ("POST", "/device", &[("csrf", "x"), ("user_code", "WDJB-MJHT"), ("decision", "allow")]),
    ("GET", "/invitation", &[("inviteId", "x"), ("evc", "1.x")]),
    (
        "POST",
        "/invitation",
        &[("csrf", "x"), ("inviteId", "x"), ("evc", "1.x"), ("decision", "accept")],
    ),
    ("GET", "/approvals", &[("x", "y")]),
    ("POST", "/approvals", &[("csrf", "x"), ("request", "1"), ("decision", "allow")]),
    ("GET", "/signed-out", &[("x", "y")]),
    ("GET", "/", &[("x", "y")]),
];

/// What apps post: path, parameters.
const FORMS: &[(&str, Fields)] = &[
    ("/token", &[("grant_type", "client_credentials"), ("scope", "project.read")]),
    (
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("code", "1.x"),
            ("redirect_uri", "https://x"),
            ("code_verifier", "x"),
        ],
    ),
    ("/token", &[("grant_type", "refresh_token"), ("refresh_token", "1.x.y"), ("scope", "openid")]),
    (
        "/token",
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", "1.x"),
            ("authorization_details", "[]"),
        ],
    ),
    (
        "/token",
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", "x.y.z"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ],
    ),
    (
        "/token",
        &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", "x.y.z")],
    ),
    ("/token", &[("grant_type", "urn:openid:params:grant-type:ciba"), ("auth_req_id", "1.x")]),
    ("/device_authorization", &[("scope", "openid")]),
    ("/bc-authorize", &[("scope", "openid"), ("login_hint", "ben"), ("binding_message", "1")]),
    ("/introspect", &[("token", "x.y.z"), ("token_type_hint", "access_token")]),
    ("/revoke", &[("token", "x"), ("token_type_hint", "access_token")]),
    ("/v1/oauth/token", &[("grant_type", "client_credentials"), ("scope", "project.read")]),
    ("/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", "1.x.y")]),
    ("/oidc-provider/token", &[("grant_type", "client_credentials"), ("scope", "project.read")]),
    ("/oidc-provider/token/revocation", &[("token", "x")]),
];

fn endpoint(
    method: &'static str,
    path: &str,
    shape: Shape,
    params: &[(&'static str, &str)],
) -> Endpoint {
    let params = params.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Endpoint { method, path: path.to_owned(), shape, params, json: None, headers: Vec::new() }
}

/// Where a trusted app signs people in.
const DIRECT: &[(&str, &str)] = &[
    ("/auth/v1/api/login", r#"{"clientId":"phone","username":"ben","password":"x"}"#),
    ("/auth/v1/api/passwordless-auth", r#"{"clientId":"phone","username":"ben"}"#),
    (
        "/auth/v1/api/passwordless-auth/verify",
        r#"{"clientId":"phone","username":"ben","session":"1.x","code":"1"}"#,
    ),
    ("/auth/v1/api/signup", r#"{"clientId":"phone","email":"a@b.example","password":"x"}"#),
    ("/auth/v1/api/confirm", r#"{"clientId":"phone","username":"a@b.example","code":"1"}"#),
    ("/auth/v1/api/invite-validations", r#"{"inviteId":"x","evc":"1.x"}"#),
    ("/v1/client-tokens/redeem", r#"{"clientId":"phone","code":"1.x"}"#),
];

const PHONE: &str = "apps: [{ id: phone, account: acme, title: Phone, status: live, type: public, \
    allowed_accounts: all, allowed_scopes: [openid], callback_urls: ['org.acme.phone:/cb'], \
    client_metadata: { may_take_passwords: true } }]";

/// All endpoints of the server.
pub async fn endpoints(server: &TestServer) -> Vec<Endpoint> {
    let app = portal(server);
    let token = app.tokens(server, &ada(server)).await.access;
    let bearer = vec![("authorization", format!("Bearer {token}"))];
    let own = vec![("authorization", basic("backend", backend(server).secret.expect("a secret")))];
    let mut all = Vec::new();
    for method in ["GET", "POST"] {
        let authorize = endpoint(method, "/authorize", Shape::Page, &[]);
        all.push(Endpoint { params: app.request(), ..authorize });
        let userinfo = endpoint(method, "/userinfo", Shape::Bearer, &[]);
        all.push(Endpoint { headers: bearer.clone(), ..userinfo });
    }
    for (method, path, params) in PAGES {
        all.push(endpoint(method, path, Shape::Page, params));
    }
    for (path, params) in FORMS {
        let form = endpoint("POST", path, Shape::OAuth, params);
        all.push(Endpoint { headers: own.clone(), ..form });
    }
    server.apply(PHONE).await;
    for (path, json) in DIRECT {
        all.push(Endpoint { json: Some(json), ..endpoint("POST", path, Shape::Api, &[]) });
    }
    let methods = [("login", "ben"), ("clientId", "phone")];
    all.push(endpoint("GET", "/auth/v1/api/login-methods", Shape::Api, &methods));
    all.extend(of_registration());
    all.extend(table().map(|route| of_api(route, &bearer)));
    all
}

/// Where apps register themselves; nobody may, or not for this app.
fn of_registration() -> Vec<Endpoint> {
    let json = r#"{"client_name":"A","redirect_uris":["https://a.example/cb"],"jwks":{"keys":[]}}"#;
    let bearer = [("authorization", "Bearer 1.x".to_owned())];
    let with = |method, path, json, headers: &[(&'static str, String)]| Endpoint {
        json,
        headers: headers.to_vec(),
        ..endpoint(method, path, Shape::Registration, &[])
    };
    vec![
        with("POST", "/register", Some(json), &[]),
        with("POST", "/register", Some(json), &bearer),
        with("GET", "/register/portal", None, &bearer),
        with("PUT", "/register/portal", Some(json), &bearer),
        with("DELETE", "/register/portal", None, &bearer),
    ]
}

/// A route of the resource API, with ids that may be there and a good body.
#[expect(clippy::too_many_lines, reason = "a line for each route")]
pub fn of_api(route: &Route, bearer: &[(&'static str, String)]) -> Endpoint {
    let path = route.path.replace("{id}", "heart").replace("{name}", "Nurse%20Access");
    let path = path.replace("{user}", "ben").replace("{key}", "k");
    let (params, json): (&[(&str, &str)], _) = match (route.method, path.as_str()) {
        (Method::Get, _) => {
            (&[("pageSize", "2"), ("nextPageToken", ""), ("name", "H"), ("id", "heart")], None)
        }
        (Method::Post, "/v1/projects") => (&[], Some(r#"{"name":"A","description":"B"}"#)),
        (Method::Put, p) if p.contains("/members/") => (&[], None),
        (Method::Post | Method::Put, p) if p.starts_with("/v1/account/groups") => {
            (&[], Some(r#"{"name":"A","description":"B"}"#))
        }
        (Method::Post, p) if p.ends_with("/resend") || p == "/v1/accounts/heart/restore" => {
            (&[], None)
        }
        (Method::Put | Method::Patch | Method::Post, p) if p.starts_with("/v1/accounts") => {
            (&[], Some(r#"{"name":"A","description":"B"}"#))
        }
        (Method::Post, "/v1/account/invitations") => {
            (&[], Some(r#"{"email":"a@b.example","groupId":"acme-nurses","language":"de"}"#))
        }
        (Method::Patch, "/v1/invitations/heart") => (&[], Some(r#"{"status":"ACCEPTED"}"#)),
        (Method::Post, p) if p.ends_with("/api-keys") => {
            (&[], Some(r#"{"name":"A","expireInDays":1,"scopes":["project.read"]}"#))
        }
        (Method::Post, "/v1/service-accounts") => (&[], Some(r#"{"name":"A","groups":["g"]}"#)),
        (Method::Patch, p) if p.starts_with("/v1/service-accounts") => {
            (&[], Some(r#"{"name":"A","description":"B","disabled":true,"app":null}"#))
        }
        (Method::Patch, "/v1/user") => (&[], Some(r#"{"profile":{"displayName":"A"}}"#)),
        (Method::Post | Method::Patch, "/v1/apps" | "/v1/apps/heart") => {
            (&[], Some(r#"{"title":"A","callbackUrls":["https://a.example/cb"]}"#))
        }
        (Method::Put, p) if p.ends_with("/block") => (&[], None),
        (Method::Put, "/v1/apps/heart/status") => (&[], Some(r#"{"status":"disabled"}"#)),
        (Method::Put, "/v1/apps/heart/review") => (&[], Some(r#"{"note":"A","app":{}}"#)),
        (Method::Post, "/v1/apps/heart/secrets") => (&[], Some(r#"{"overlapSeconds":1}"#)),
        (Method::Patch, "/v1/reviews/heart") => (&[], Some(r#"{"status":"rejected","version":1}"#)),
        (Method::Post, "/v1/client-tokens") => (&[], Some(r#"{"targetClientId":"portal"}"#)),
        (Method::Post | Method::Put, at) if at.starts_with("/v1/apis") => (
            &[],
            Some(
                r#"{"id":"heart","title":"A","identifier":"https://a.example","basePath":"/","scopes":[],"routes":[]}"#,
            ),
        ),
        (Method::Post, at) if at.starts_with("/access/") => (
            &[],
            Some(
                r#"{"subject":{"type":"user","id":"a"},"action":{"name":"readData"},"resource":{"type":"file","id":"1"}}"#,
            ),
        ),
        (Method::Delete, _) => (&[], None),
        (Method::Patch, "/v1/projects/heart") => (&[], Some(r#"{"name":"A","description":null}"#)),
        (Method::Post, "/v1/policies/Nurse%20Access/restore") => (&[], Some(r#"{"version":1}"#)),
        (Method::Put, "/v1/policy-attributes/users/heart") => {
            (&[], Some(r#"{"attributes":{"a":1}}"#))
        }
        (Method::Post, "/v1/policy-simulations") => (
            &[],
            Some(
                r#"{"policies":[{"name":"A","policy":null}],"questions":[{"user":"ben","operation":"readData","resource":{"id":"x"}}]}"#,
            ),
        ),
        (Method::Post | Method::Put | Method::Patch, _) => {
            (&[], Some(r#"{"name":"A","policy":{"rules":{"readData":true}}}"#))
        }
    };
    let account = [("lifeomic-account", "acme".to_owned())];
    let headers = [bearer, &account].concat();
    Endpoint { json, headers, ..endpoint(route.method.as_str(), &path, Shape::Api, params) }
}
