//! Every route with every wrong tenant: the account that one is no member of, ids of another
//! account in paths, queries and bodies.

use narthex::gate::routes::table;
use reqwest::Method;
use serde_json::{Value, json};

use crate::bad_input::endpoint::of_api;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::eve;
use crate::matrix::belongings::{ACCOUNT, Belongings, MEMBER};
use crate::matrix::callers::{desk, somebody, world};
use crate::matrix::{ask, nowhere};
use crate::tenants::Desk;

both!(case_59_no_route_takes_a_wrong_tenant, case_59_no_body_or_query_reaches_another_tenant,);

/// Everything there is to hold in beta: nothing there is refused by its policies.
async fn all_powerful(server: &TestServer) -> Desk {
    let all: Vec<String> =
        narthex::policy::privilege::NAMES.iter().map(|name| format!("{name}: true")).collect();
    server
        .apply(&format!(
            "accounts: [{{ id: beta, name: Beta Clinic, policies: [{{ name: All, rules: {{ {} }} }}] }}]",
            all.join(", ")
        ))
        .await;
    desk(server, &eve(server)).await
}

/// eve administers beta; ids of another account are to her what ids of nobody are.
async fn case_59_no_route_takes_a_wrong_tenant(db: Kind) {
    let server = world(db).await;
    let eve = all_powerful(&server).await;
    let platform = desk(&server, &somebody(&server, "pat")).await;
    let theirs = Belongings::of(&server).await;
    let before = theirs.shown(&platform).await;
    theirs.check(&before);
    let bearer = format!("Bearer {}", eve.token);
    let http = server.browser();
    let mut odd = Vec::new();
    for route in table().filter(|route| route.lock.is_some()) {
        let body = of_api(route, &[]).json.unwrap_or_default();
        let path = theirs.path(route.path);
        let what = format!("{} {}", route.method.as_str(), route.path);
        let mut answers = Vec::new();
        // An account that one is no member of, and one that is not there.
        for account in [ACCOUNT, "nowhere"] {
            let answer = ask(&http, route, &path, (&bearer, account), body).await;
            assert_eq!(answer.refusal(), "403 not_a_member", "{what}");
            answers.push(answer.body);
        }
        assert_eq!(answers[0], answers[1], "{what}");
        if !route.path.contains('{') {
            continue;
        }
        // One's own account, and ids of another. What is registered says its id again.
        let own = body.replace("\"id\":\"heart\"", "\"id\":\"theirs\"");
        let other = body.replace("\"id\":\"heart\"", "\"id\":\"no-such\"");
        let there = ask(&http, route, &path, (&bearer, "beta"), &own).await;
        let none = ask(&http, route, &nowhere(route, "nosuch"), (&bearer, "beta"), &other).await;
        let expected = match route.path {
            path if path.starts_with("/v1/accounts/") => "400 invalid_account",
            path if path.starts_with("/v1/reviews/") => "403 not_the_platform",
            // What is no picture is told so first.
            "/v1/apps/{id}/logo" if route.method.as_str() == "PUT" => "400 invalid_body",
            _ => "404 not_found",
        };
        if (there.refusal(), &there.body) != (expected.to_owned(), &none.body) {
            odd.push(format!("{what}: {there:?}, and for nobody's {none:?}"));
        }
    }
    assert_eq!(odd, Vec::<String>::new());
    assert_eq!(theirs.shown(&platform).await, before);
}

/// Requests that name what another account has, or what nobody has.
fn requests(theirs: &Belongings, own: &str, real: bool) -> Vec<(Method, String, Value)> {
    let id = |path: &str| if real { theirs.id(path) } else { "no-such" }.to_owned();
    let user = if real { MEMBER } else { "no-such" };
    let (group, app) = (id("/v1/account/groups/{id}"), id("/v1/apps/{id}"));
    let key = id("/v1/service-accounts/{id}/api-keys/{key}");
    let project = id("/v1/projects/{id}");
    let resource = json!({"type": "project", "id": project});
    let subject = json!({"type": "user", "id": user});
    let action = json!({"name": "readData"});
    let question = json!({"subject": subject, "action": action, "resource": resource});
    let several = json!({"evaluations": [question, question]});
    let simulated = json!({
        "policies": [], "questions": [{"user": user, "operation": "readData", "resource": {}}],
    });
    let get = |path: String| (Method::GET, path, Value::Null);
    let post = |path: &str, body: Value| (Method::POST, path.to_owned(), body);
    vec![
        (Method::PUT, format!("/v1/account/groups/beta-admins/members/{user}"), Value::Null),
        (Method::DELETE, format!("/v1/account/groups/beta-admins/members/{user}"), Value::Null),
        (Method::DELETE, format!("{own}/api-keys/{key}"), Value::Null),
        (Method::PATCH, own.to_owned(), json!({"app": app})),
        post("/v1/service-accounts", json!({"name": "x", "groups": [group]})),
        post("/v1/account/invitations", json!({"email": "a@b.example", "groupId": group})),
        post(
            "/v1/account/invitations",
            json!({"email": "a@b.example", "projectId": project, "patientId": "p"}),
        ),
        post("/v1/client-tokens", json!({"targetClientId": app})),
        post("/v1/policy-simulations", simulated),
        post("/access/v1/evaluation", question),
        post("/access/v1/evaluations", several),
        post(
            "/access/v1/search/resource",
            json!({"subject": subject, "action": action, "resource": {"type": "project"}}),
        ),
        post("/access/v1/search/action", json!({"subject": subject, "resource": resource})),
        get(format!("/v1/evaluated-policy?user={user}")),
        get(format!("/v1/policy-explanation?user={user}&operation=readData")),
        get(format!("/v1/projects?id={project}")),
        get(format!("/v1/audit?target={group}")),
        get(format!("/v1/audit?user={user}")),
        get(format!("/v1/usage?app={app}")),
    ]
}

/// Ids of another account where one's own are asked for, apart from paths that are another's from
/// their beginning.
async fn case_59_no_body_or_query_reaches_another_tenant(db: Kind) {
    let server = world(db).await;
    let eve = all_powerful(&server).await;
    let platform = desk(&server, &somebody(&server, "pat")).await;
    let theirs = Belongings::of(&server).await;
    let before = theirs.shown(&platform).await;
    let own = eve.post("/v1/service-accounts", "beta", json!({"name": "Own"})).await.expect(201);
    let own = format!("/v1/service-accounts/{}", own.text("id"));
    let mut odd = Vec::new();
    for ((method, path, body), (_, none, empty)) in
        requests(&theirs, &own, true).into_iter().zip(requests(&theirs, &own, false))
    {
        let what = format!("{method} {path} {body}");
        let there = eve.ask(method.clone(), &path, "beta", &body).await;
        let none = eve.ask(method, &none, "beta", &empty).await;
        // An answer may name what was asked about, and nothing else of it.
        let told = |answer: &str| {
            let ids = ["/v1/account/groups/{id}", "/v1/apps/{id}", "/v1/projects/{id}"];
            let named = ids
                .iter()
                .fold(answer.to_owned(), |text, path| text.replace(theirs.id(path), "no-such"));
            named
                .replace(&format!("\"{MEMBER}\""), "\"no-such\"")
                .replace(&format!("={MEMBER}"), "=no-such")
        };
        if (there.status, told(&there.body)) != (none.status, none.body.clone()) {
            odd.push(format!("{what}: {there:?}, and for nobody's {none:?}"));
        }
    }
    assert_eq!(odd, Vec::<String>::new());
    assert_eq!(theirs.shown(&platform).await, before);
}
