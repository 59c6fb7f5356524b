//! The pages of invitations.

use serde_json::json;

use crate::common::server::TestServer;
use crate::common::world::ada;
use crate::pages::table::{Page, Who, page};
use crate::tenants::Desk;

/// Has people invited, and answers the paths that the letters lead to.
pub async fn invite(server: &TestServer) -> [String; 3] {
    let desk = Desk::of(server, &ada(server)).await;
    let mut paths = [const { String::new() }; 3];
    let all = ["hans@x.example", "ada@acme.example", "ben@acme.example"];
    for (path, email) in paths.iter_mut().zip(all) {
        let body = json!({"email": email, "groupId": "acme-nurses"});
        desk.post("/v1/account/invitations", "acme", body).await.expect(201);
        let letters = server.letters().await;
        let letter = letters.iter().rev().find(|letter| letter.to == email).expect("a letter");
        *path = letter.links[0].replace(&server.url, "");
    }
    paths
}

/// What they show: to somebody new, to somebody who is known, to whoever is invited, and to others.
pub fn pages([fresh, known, own]: &[String; 3]) -> Vec<Page> {
    use Who::{Ben, Nobody};
    vec![
        page("invitation-new", Nobody, fresh, "invitation-accept"),
        page("invitation-weak", Nobody, fresh, "invitation-accept")
            .typing("name", "Hans")
            .typing("password", "password1234")
            .clicking("invitation-accept", "error-text"),
        page("invitation-known", Nobody, known, "invitation-sign-in"),
        page("invitation", Ben, own, "invitation-accept"),
        page("invitation-other", Ben, known, "invitation-sign-out"),
    ]
}
