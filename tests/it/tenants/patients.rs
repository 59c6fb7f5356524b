//! Members who are Patients of a project: how they become that, who sees it, and how it ends.

use serde_json::json;

use crate::common::both;
use crate::common::database::Kind;
use crate::common::world::{ada, eve};
use crate::tenants::invitations::world;
use crate::tenants::{Desk, each};

both!(somebody_joins_a_project_as_a_patient_and_sees_it, who_is_a_patient_is_seen_and_ended,);

const ALL: &str = "/v1/account/invitations";
const OWN: &str = "/v1/invitations";
const SUBJECTS: &str = "accounts: [{ id: acme, name: Acme Hospital, default_groups: true, policies: [{ name: All data, rules: { createData: [{ user.groups: { comparison: includes, value: acme-admins } }], updateData: [{ user.groups: { comparison: includes, value: acme-admins } }], deleteData: [{ user.groups: { comparison: includes, value: acme-admins } }] } }] }]";

async fn somebody_joins_a_project_as_a_patient_and_sees_it(db: Kind) {
    let server = world(db).await;
    server.apply(SUBJECTS).await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);

    let body = json!({"email": "eve@beta.example", "projectId": "heart", "patientId": "pat-1"});
    let made = of_ada.post(ALL, "acme", body).await.expect(201).json();
    assert_eq!(
        (&made["groupName"], &made["projectName"]),
        (&json!("Subjects"), &json!("Heart study"))
    );
    let path = format!("{OWN}/{}", made["id"].as_str().unwrap());
    of_eve.patch(&path, "", json!({"status": "ACCEPTED"})).await.expect(200);

    let person = of_ada.get("/v1/account/users/eve", "acme").await.expect(200).json();
    assert_eq!(person["patients"], json!(["pat-1"]));
    // What policies know: nothing but what is about that patient.
    server.apply("accounts: [{ id: acme, name: Acme Hospital, policies: [{ name: Patients see projects, rules: { readData: [{ user.patients: { comparison: includes, value: pat-1 } }] } }] }]").await;
    assert_eq!(each(&of_eve.get("/v1/projects", "acme").await.expect(200), "id").len(), 3);
    of_ada.delete("/v1/account/users/eve", "acme").await.expect(204);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM patient_mappings").await, 0);
}

async fn who_is_a_patient_is_seen_and_ended(db: Kind) {
    let server = world(db).await;
    server.apply(SUBJECTS).await;
    server.apply("accounts: [{ id: acme, name: Acme Hospital, policies: [{ name: Patients see projects, rules: { readData: [{ user.patients: { comparison: includes, value: pat-1 } }] } }] }]").await;
    let (of_ada, of_eve) =
        (Desk::of(&server, &ada(&server)).await, Desk::of(&server, &eve(&server)).await);
    for (project, patient) in [("heart", "pat-1"), ("lung", "pat-1"), ("heart", "pat-2")] {
        let body = json!({"email": "eve@beta.example", "projectId": project, "patientId": patient});
        let id = of_ada.post(ALL, "acme", body).await.expect(201).text("id");
        let own = format!("{OWN}/{id}");
        of_eve.patch(&own, "", json!({"status": "ACCEPTED"})).await.expect(200);
    }
    let path = "/v1/account/users/eve/patients";

    let first = of_ada.get(&format!("{path}?pageSize=2"), "acme").await.expect(200).json();
    let next = first["links"]["next"].as_str().expect("more").to_owned();
    let second = of_ada.get(&next, "acme").await.expect(200);
    assert_eq!(
        first["items"][0],
        json!({"projectId": "heart", "projectName": "Heart study", "patientId": "pat-1",
               "mappedTimestamp": first["items"][0]["mappedTimestamp"]})
    );
    assert_eq!(first["items"][1]["patientId"], "pat-2");
    assert_eq!(each(&second, "projectId"), ["lung"]);
    assert_eq!(each(&of_eve.get("/v1/projects", "acme").await.expect(200), "id").len(), 3);
    // Another account knows nothing of it, and ends nothing.
    assert_eq!(each(&of_eve.get(path, "beta").await.expect(200), "patientId"), [""; 0]);
    let elsewhere = of_eve.delete(&format!("{path}/pat-1"), "beta").await;
    assert_eq!(elsewhere.refusal(), "404 not_found");
    assert_eq!(
        of_eve.delete(&format!("{path}/pat-1"), "acme").await.refusal(),
        "403 policy_denies"
    );

    assert_eq!(of_ada.delete(&format!("{path}/pat-1"), "acme").await.line(), "204");
    assert_eq!(each(&of_eve.get("/v1/projects", "acme").await.expect(200), "id"), [""; 0]);
    let again = of_ada.delete(&format!("{path}/pat-1"), "acme").await;
    assert_eq!(again.refusal(), "404 not_found");
    assert_eq!(each(&of_ada.get(path, "acme").await.expect(200), "patientId"), ["pat-2"]);
    let nobody = of_ada.get("/v1/account/users/nobody/patients", "acme").await;
    assert_eq!(nobody.refusal(), "404 not_found");
    let recorded = "SELECT COUNT(*) AS n FROM audit_entries WHERE chain = 'acme'
                     AND kind = 'member' AND target = 'eve' AND user_id = 'ada'";
    assert_eq!(server.count(recorded).await, 2, "one for each project");

    // Who leaves the last group and comes back does not come back as a Patient.
    let group = of_ada.get("/v1/account/users/eve", "acme").await.expect(200).json();
    let group = group["groups"][0].as_str().expect("a group").to_owned();
    let membership = format!("/v1/account/groups/{group}/members/eve");
    of_ada.delete(&membership, "acme").await.expect(204);
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM patient_mappings").await, 0);
}
