//! The gate in front of other people's services: forward authentication, the decision point, and
//! the library for services in Rust.

mod apis;
pub mod authzen;
mod certification;
mod forward;
mod library;
mod nginx;
mod searches;

use std::net::{IpAddr, Ipv4Addr};

use crate::common::actors::ClientApp;
use crate::common::database::Kind;
use crate::common::server::TestServer;

/// An API of acme, an app for it, and a machine that asks for decisions.
const WORLD: &str = "
apis:
  - id: handbook
    account: acme
    title: Handbook
    identifier: https://handbook.example/
    base_path: /book
    scopes:
      - { name: handbook.read, description: Read the handbook }
      - { name: handbook.write, description: Change the handbook }
    routes:
      - { method: GET, path: '/{*page}', scope: handbook.read, privilege: readData }
      - { method: GET, path: '/studies/{dataset}', scope: handbook.read, privilege: readData, summary: A study }
      - { method: PUT, path: '/studies/{dataset}', scope: handbook.write, privilege: projectAdmin }
      - { method: GET, path: /index, scope: handbook.read }
apps:
  - id: reader
    account: acme
    title: Reader
    status: live
    type: public
    allowed_accounts: [acme, beta]
    allowed_scopes: [openid, handbook.read, handbook.write, decision.ask, api.read, api.write]
    callback_urls: [https://reader.example/callback]
  - id: machine
    account: acme
    title: A service
    status: live
    type: confidential
    allowed_accounts: [acme]
    allowed_scopes: [decision.ask]
    grant_types: [client_credentials]
    secrets: [machine-secret-0123456789-abcdefghijklmnop]
";

/// The app of the handbook.
pub fn reader(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "reader",
        secret: None,
        redirect_uri: "https://reader.example/callback",
        scope: "openid handbook.read handbook.write decision.ask api.read api.write",
        http: server.browser(),
    }
}

/// The service that asks.
pub fn machine(server: &TestServer) -> ClientApp {
    ClientApp {
        id: "machine",
        secret: Some("machine-secret-0123456789-abcdefghijklmnop"),
        redirect_uri: "",
        scope: "decision.ask",
        http: server.browser(),
    }
}

/// A server whose proxies are on this machine.
pub async fn start(db: Kind) -> TestServer {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let server = TestServer::start_with(db, |config| config.trusted_proxies = vec![here]).await;
    server.apply(include_str!("common/world.yaml")).await;
    server.apply(WORLD).await;
    server
}
