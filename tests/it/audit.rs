//! The record of who did what: what stands in it, who may see it, and that nothing goes missing.

mod acts;
mod kept;
mod keys;
mod routes;

use chrono::TimeDelta;
use narthex::db::query::sql;
use narthex::worker::recorder;
use serde_json::{Value, json};

use crate::common::both;
use crate::common::database::{Kind, TestDatabase};
use crate::common::program::{apply, flags, narthex, with_flags};
use crate::common::server::TestServer;
use crate::common::world::{ada, ben, eve};
use crate::tenants::{Desk, each};

both!(
    what_changes_is_told_with_both_actors_before_and_after,
    refusals_and_sign_ins_are_told_and_counted,
    case_59_the_record_of_one_account_tells_nothing_of_another,
    case_74_no_secret_is_in_the_record,
    a_page_follows_the_other_and_filters_narrow,
    it_is_exported_as_fhir,
    the_program_finds_what_was_removed,
    an_account_of_the_same_name_begins_anew,
);

pub async fn written(server: &TestServer) {
    recorder::write_seen(&server.server, true).await;
}

/// The entries of a query, the latest first.
pub async fn entries(desk: &Desk, query: &str) -> Vec<Value> {
    let answer = desk.get(&format!("/v1/audit?pageSize=200&{query}"), "acme").await.expect(200);
    answer.json()["items"].as_array().cloned().unwrap()
}

async fn what_changes_is_told_with_both_actors_before_and_after(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;

    let made = desk.post("/v1/account/groups", "acme", json!({"name": "Night shift"})).await;
    let id = made.expect(201).text("id");
    let path = format!("/v1/account/groups/{id}");
    let changed = json!({"id": id, "name": "Day shift"});
    let changed = desk.put(&path, "acme", changed).await.expect(200);
    desk.delete(&path, "acme").await.expect(204);

    let told = entries(&desk, &format!("type=group&target={id}")).await;
    let actions: Vec<_> = told.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["delete", "update", "create"], "{told:?}");
    for entry in &told {
        assert_eq!((&entry["user"], &entry["app"]), (&json!("ada"), &json!("portal")), "{entry}");
        assert_eq!((&entry["account"], &entry["outcome"]), (&json!("acme"), &json!("success")));
        assert_eq!((&entry["ip"], &entry["times"]), (&json!("127.0.0.1"), &json!(1)));
    }
    let request = changed.header("x-fapi-interaction-id");
    assert_eq!(told[1]["request"], request);
    assert!(told[1]["before"].to_string().contains("Night shift"), "{}", told[1]);
    assert!(told[1]["after"].to_string().contains("Day shift"), "{}", told[1]);
    // What operators declare is told, too, and has no actor.
    let declared = entries(&desk, "type=group").await;
    assert!(declared.iter().any(|entry| entry.get("user").is_none()), "{declared:?}");
}

async fn refusals_and_sign_ins_are_told_and_counted(db: Kind) {
    let server = TestServer::start(db).await;
    let nurse = Desk::of(&server, &ben(&server)).await;
    let stranger = Desk::of(&server, &eve(&server)).await;
    let nobody = Desk::holding(&server, "x");
    for _ in 0..3 {
        nurse.get("/v1/policies", "acme").await.expect(403);
        stranger.get("/v1/policies", "acme").await.expect(403);
        nobody.get("/v1/policies", "acme").await.expect(401);
        nobody.get("/v1/policies", "nowhere").await.expect(401);
        stranger.get("/v1/policies", "nowhere").await.expect(403);
    }
    let wrong = crate::common::actors::Person { password: "not-bens", ..ben(&server) };
    let page = wrong.browser.get("/sign-in").await;
    wrong.answer_page(&server, &page).await;
    written(&server).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    written(&server).await;

    let refused = entries(&desk, "type=gate").await;
    let mut told: Vec<_> = refused
        .iter()
        .map(|entry| {
            format!("{} {} {}", entry["user"], entry["reason"], entry["times"]).replace('"', "")
        })
        .collect();
    told.sort();
    assert_eq!(told, ["ben policy_denies 3", "eve not_a_member 3"], "{refused:?}");
    assert_eq!(refused[0]["target"], "policy.read");
    let signed_in = entries(&desk, "type=sign-in&outcome=success").await;
    let mut who: Vec<_> = signed_in.iter().map(|e| e["user"].as_str().unwrap()).collect();
    who.sort_unstable();
    assert_eq!(who, ["ada", "ben"], "eve is of beta: {signed_in:?}");
    let failed = entries(&desk, "type=sign-in&outcome=failed").await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!((&failed[0]["target"], failed[0].get("user")), (&json!("ben"), None));
    // Strangers without a token fill nobody's record but the server's own.
    let own =
        server.count("SELECT COUNT(*) AS n FROM audit_entries WHERE chain = '' AND kind = 'gate'");
    assert_eq!(own.await, 2);
}

async fn case_59_the_record_of_one_account_tells_nothing_of_another(db: Kind) {
    let server = TestServer::start(db).await;
    let (ours, theirs) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    ours.post("/v1/account/groups", "acme", json!({"name": "Acme only"})).await.expect(201);
    theirs.post("/v1/account/groups", "beta", json!({"name": "Beta only"})).await.expect(201);
    written(&server).await;

    for path in ["/v1/audit", "/v1/audit/fhir"] {
        assert_eq!(theirs.get(path, "acme").await.refusal(), "403 not_a_member");
        assert_eq!(theirs.get(path, "").await.refusal(), "400 account_required");
        let seen = theirs.get(&format!("{path}?pageSize=500"), "beta").await.expect(200);
        assert!(!seen.body.contains("Acme only") && !seen.body.contains("\"ada\""), "{seen:?}");
        let nurse = Desk::of(&server, &ben(&server)).await;
        assert_eq!(nurse.get(path, "acme").await.refusal(), "403 policy_denies");
    }
    // A page token of one leads nowhere in the other.
    let page = ours.get("/v1/audit?pageSize=1", "acme").await.expect(200).json();
    let next = page["links"]["next"].as_str().unwrap();
    assert_eq!(theirs.get(next, "beta").await.refusal(), "400 invalid_query");
}

async fn case_74_no_secret_is_in_the_record(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    desk.get("/v1/projects", "acme").await.expect(200);
    desk.get("/v1/usage", "acme").await.expect(403);
    written(&server).await;
    let seen = desk.get("/v1/audit?pageSize=500", "acme").await.expect(200);

    let secrets = [
        &*desk.token,
        "correct-horse",
        "GEZDGNBVGY3TQOJQ",
        "backend-secret",
        "acme.example",
        "argon2",
    ];
    for secret in secrets {
        assert!(!seen.body.contains(secret), "{secret}");
    }
    for kind in ["user", "app", "provider"] {
        let all = desk.get(&format!("/v1/audit?type={kind}"), "acme").await.expect(200);
        assert!(!all.body.contains("secret-0123"), "{all:?}");
    }
}

async fn a_page_follows_the_other_and_filters_narrow(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    for n in 0..3 {
        let body = json!({"name": format!("g{n}")});
        desk.post("/v1/account/groups", "acme", body).await.expect(201);
        server.advance(TimeDelta::minutes(5));
    }
    let all = desk.get("/v1/audit?pageSize=500", "acme").await.expect(200);
    let numbers = each(&all, "id");
    assert!(numbers.len() > 5);
    let numbers: Vec<i64> = numbers.iter().map(|id| id.parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "{numbers:?}");

    let mut walked = Vec::new();
    let mut path = "/v1/audit?pageSize=2".to_owned();
    loop {
        let page = desk.get(&path, "acme").await.expect(200);
        walked.extend(each(&page, "id"));
        match page.json()["links"]["next"].as_str() {
            Some(next) => next.clone_into(&mut path),
            None => break,
        }
    }
    assert_eq!(walked, each(&all, "id"));

    let mine = entries(&desk, "type=group&user=ada").await;
    assert_eq!(mine.len(), 3);
    let second = mine[1]["time"].as_str().unwrap();
    assert_eq!(entries(&desk, &format!("type=group&user=ada&from={second}")).await.len(), 2);
    assert_eq!(entries(&desk, &format!("type=group&user=ada&until={second}")).await.len(), 1);
    assert_eq!(entries(&desk, "type=group&user=ada&outcome=refused").await.len(), 0);
    assert_eq!(entries(&desk, "user=nobody").await.len(), 0);
    let request = mine[0]["request"].as_str().unwrap();
    assert_eq!(entries(&desk, &format!("request={request}")).await, [mine[0].clone()]);
    assert_eq!(entries(&desk, "type=group&user=ada&action=create").await.len(), 3);
    assert_eq!(entries(&desk, "type=group&user=ada&action=delete").await.len(), 0);
    assert_eq!(entries(&desk, "type=group&apiKey=k").await.len(), 0);
    assert_eq!(entries(&desk, "reason=policy_denies").await.len(), 0);
    for bad in
        ["outcome=x", "action=x", "from=yesterday", "until=2026", "user=a&user=b", "pageSize=0"]
    {
        let answer = desk.get(&format!("/v1/audit?{bad}"), "acme").await;
        assert_eq!(answer.refusal(), "400 invalid_query", "{bad}");
    }
}

async fn it_is_exported_as_fhir(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    desk.post("/v1/account/groups", "acme", json!({"name": "New"})).await.expect(201);
    written(&server).await;

    let answer = desk.get("/v1/audit/fhir?pageSize=2", "acme").await.expect(200);

    assert_eq!(answer.header("content-type"), "application/fhir+json");
    let bundle = answer.json();
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("searchset")));
    assert_eq!(bundle["link"][0]["relation"], "self");
    let next = bundle["link"][1]["url"].as_str().unwrap();
    assert!(next.starts_with("/v1/audit/fhir?"), "{next}");
    let all = desk.get("/v1/audit/fhir?pageSize=500", "acme").await.expect(200).json();
    let events: Vec<_> = all["entry"].as_array().unwrap().iter().map(|e| &e["resource"]).collect();
    for event in &events {
        // What FHIR R4 asks of each.
        for name in ["type", "recorded", "agent", "source"] {
            assert!(event.get(name).is_some(), "{event}");
        }
        assert!(event["agent"][0]["requestor"].is_boolean(), "{event}");
        assert!(event["source"]["observer"]["display"].as_str().unwrap().starts_with("http"));
        assert!(["0", "4", "8", "12"].contains(&event["outcome"].as_str().unwrap()));
    }
    let none = desk.get("/v1/audit/fhir?user=nobody", "acme").await.expect(200).json();
    assert!(none.get("entry").is_none(), "an empty array is no FHIR: {none}");
    let sign_in = events.iter().find(|event| event["type"]["code"] == "110114").unwrap();
    assert_eq!(sign_in["subtype"][0]["code"], "110122");
    assert_eq!(sign_in["agent"][0]["network"]["address"], "127.0.0.1");
    let made = events.iter().find(|event| {
        event["subtype"][1]["code"] == "group" && event["agent"][1]["requestor"] == false
    });
    let made = made.unwrap();
    assert_eq!((&made["action"], &made["subtype"][0]["code"]), (&json!("C"), &json!("create")));
    assert_eq!(made["agent"][0]["who"]["identifier"]["value"], "ada");
    assert_eq!(made["agent"][1]["who"]["identifier"]["value"], "portal");
}

async fn the_program_finds_what_was_removed(db: Kind) {
    let database = TestDatabase::empty(db).await;
    let accounts = ["acme", "beta"]
        .map(|id| format!("  - {{ id: {id}, name: A, groups: [{{ id: {id}-g, name: G }}] }}\n"));
    apply(&database, &format!("accounts:\n{}", accounts.concat()));
    let folder = database.folder.path();
    let flags = flags(&database);
    let run = |args: &[&str]| {
        let output = narthex(folder, &with_flags(args, &flags)).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };

    let (code, text) = run(&["audit", "verify"]);
    assert_eq!(code, Some(0), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("whole")).count(), 3, "{text}");
    let (code, text) = run(&["audit", "export", "--account", "acme"]);
    assert_eq!(code, Some(0));
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&first["resourceType"], &first["id"]), (&json!("AuditEvent"), &json!("acme-1")));

    let open = database.open().await;
    let removed = "DELETE FROM audit_entries WHERE chain = 'acme' AND seq = 1";
    assert!(open.write_one(sql(removed)).await.is_err(), "entries stay");
    let disarm = match db {
        Kind::Sqlite => "DROP TRIGGER audit_entries_stay",
        Kind::Postgres => "DROP TRIGGER audit_entries_stay ON audit_entries",
    };
    for statement in [disarm, removed] {
        open.write_one(sql(statement)).await.unwrap();
    }
    drop(open);
    let (code, text) = run(&["audit", "verify"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.lines().any(|l| l.contains("acme") && l.contains("entry 1: an entry is missing")));
}

async fn an_account_of_the_same_name_begins_anew(db: Kind) {
    let server = TestServer::start(db).await;
    let desk = Desk::of(&server, &ada(&server)).await;
    assert!(!entries(&desk, "").await.is_empty());
    server.advance(TimeDelta::days(1));
    let later =
        sql("UPDATE accounts SET created_at = $1 WHERE id = 'acme'").bind(server.now() * 1_000_000);
    server.server.ctx.db.write_one(later).await.unwrap();
    server.apply("accounts: [{ id: acme, name: Another Hospital }]").await;

    let seen = desk.get("/v1/audit?pageSize=500", "acme").await;

    // Tokens may have ended meanwhile: whoever sees the record sees only what came since.
    let seen = if seen.status == 401 {
        Desk::of(&server, &ada(&server)).await.get("/v1/audit?pageSize=500", "acme").await
    } else {
        seen
    };
    let told = each(&seen.expect(200), "type");
    assert!(told.iter().all(|kind| kind == "account" || kind == "sign-in"), "{told:?}");
}
