//! The people and apps of `world.yaml`.

use crate::common::actors::{ClientApp, Person};
use crate::common::server::TestServer;

/// Administrator of acme, with a second factor.
pub fn ada(server: &TestServer) -> Person {
    let totp = Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    Person { username: "ada", password: "ada-correct-horse", totp, browser: server.browser() }
}

/// A member of acme who may read the project `heart` only. No second factor.
pub fn ben(server: &TestServer) -> Person {
    Person { username: "ben", password: "ben-correct-horse", totp: None, browser: server.browser() }
}

/// A developer of apps in acme. No second factor.
pub fn dev(server: &TestServer) -> Person {
    Person { username: "dev", password: "dev-correct-horse", totp: None, browser: server.browser() }
}

/// Administrator of the other account, beta; a stranger to acme.
pub fn eve(server: &TestServer) -> Person {
    Person { username: "eve", password: "eve-correct-horse", totp: None, browser: server.browser() }
}

/// A live public app of acme, for all accounts.
pub fn portal(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "portal",
        secret: None,
        redirect_uri: "https://portal.example/callback",
        scope: "openid profile email account.read account.write group.read group.write user.read user.write invitation.read invitation.write policy.read policy.write project.read project.write apiKey.read apiKey.write audit.read serviceAccount.read serviceAccount.write usage.read app.read app.write review.read review.write consent.read consent.write client-token.write api.read api.write decision.ask",
        http: server.browser(),
    }
}

/// A live confidential app of acme with every grant.
pub fn backend(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "backend",
        secret: Some("backend-secret-0123456789-abcdefghijklmnop"),
        redirect_uri: "https://backend.example/callback",
        scope: "openid project.read",
        http: server.browser(),
    }
}

/// An app in development.
pub fn workbench(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "workbench",
        secret: None,
        redirect_uri: "https://workbench.example/callback",
        scope: "openid project.read",
        http: server.browser(),
    }
}

/// An app that only beta may use.
pub fn betaware(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "betaware",
        secret: None,
        redirect_uri: "https://betaware.example/callback",
        scope: "openid project.read",
        http: server.browser(),
    }
}

/// An app that predates PKCE and rotation: neither is asked of it.
pub fn legacy(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "legacy",
        secret: None,
        redirect_uri: "http://localhost:8787",
        scope: "",
        http: server.browser(),
    }
}
