//! Second factors that are demanded, where the answer is given in another place.

use chrono::TimeDelta;

use super::{approvals, begin, decide, poll, start};
use crate::common::actors::Tokens;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::world::{ada, ben};

both!(case_50_a_demand_for_two_factors_holds_for_approvals);

async fn case_50_a_demand_for_two_factors_holds_for_approvals(db: Kind) {
    let (server, app) = start(db).await;
    let ben = ben(&server);
    let begun = begin(&app, &[]).await.expect(200);
    let page = approvals(&server, &ben).await;
    server
        .apply("accounts: [{ id: acme, name: Acme Hospital, requires_second_factor: true }]")
        .await;

    let allowed = decide(&ben, &page, "allow").await;
    let shown = ben.browser.get("/approvals").await;

    for page in [allowed, shown] {
        assert_eq!(page.status, 403);
        assert!(page.body.contains("href=\"/account/factors\""), "{page:?}");
    }
    assert_eq!(poll(&app, &begun).await.refusal(), "400 authorization_pending");

    // Whoever shows two is asked and may answer.
    let ada = ada(&server);
    let fields = [("scope", app.scope), ("login_hint", "ada")];
    let begun = app.authenticated("/bc-authorize", &fields).await.expect(200);
    let page = approvals(&server, &ada).await;
    decide(&ada, &page, "allow").await.expect(200);
    server.advance(TimeDelta::seconds(10));
    Tokens::of(&poll(&app, &begun).await);
}
