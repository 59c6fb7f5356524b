//! Tests over HTTP, on SQLite and on PostgreSQL. Start them with `tests/run --test it NAME`.
//!
//! A test is a plain `async fn NAME(db: Kind)`, listed in its file's `both!(…)`, which runs it as
//! `NAME::sqlite` and `NAME::postgres`. Arrange, act, assert, with an empty line between:
//!
//! - `TestServer::start(db).await` is a real server in this process, on its own port and database,
//!   with the world of `common/world.yaml`; `server.apply("yaml…")` adds to it as an operator does.
//! - People (`common/world.rs`: `ada`, `ben`, …) have browsers of their own and go through the real
//!   pages: `ada(&server).authorize(&server, &app.authorize_url())`. Apps (`portal`, `backend`, …)
//!   ask as apps do: `app.tokens(&server, &person)`, `app.refresh(…)`, `app.api(path, token, "acme")`.
//! - `server.browser()` is a bare HTTP client with cookies, which follows no redirect unless told
//!   to; `server.raw(bytes)` sends what no library would.
//! - `answer.line()` is an answer as one line, secrets redacted by shape, for
//!   `insta::assert_snapshot!(answer.line(), @"…")`. `answer.json()`, `answer.header(…)` for the rest.
//! - Time moves only by `server.advance(TimeDelta::…)`.
#![cfg(test)]
#![expect(unreachable_pub, reason = "a test program has no outside")]
#![allow(dead_code, reason = "the harness offers what the next test will need")]

mod account;
mod aliases;
mod api_input;
mod apply;
mod apps;
mod audit;
mod authorize;
mod bad_input;
mod bearer;
mod bench;
mod browser;
mod brute_force;
mod ciba;
mod claims_parameter;
mod cli;
mod cli_user;
mod client_assertion;
mod client_auth;
mod clients;
mod code_flow;
mod common;
mod consent;
mod crash;
mod crash_delivery;
mod device;
mod discovery;
mod dpop;
mod dpop_resource;
mod encrypted;
mod every_endpoint;
mod every_grant;
mod factors;
mod fapi2;
mod gate;
mod gateway;
mod grant_table;
mod introspection;
mod jose;
mod jwt_bearer;
mod logout;
mod logs;
mod mail;
mod matrix;
mod mtls;
mod oidc;
mod oidc_backchannel;
mod oidc_basic;
mod oidc_dynamic;
mod oidc_dynamic_pages;
mod oidc_formpost;
mod oidc_frames;
mod oidc_logout;
mod own_rows;
mod pages;
mod pairwise;
mod par;
mod passwords;
mod policies;
mod programs;
mod project_ends;
mod projects;
mod prompts;
mod rar;
mod recovery;
mod refresh;
mod registration;
mod request_object;
mod resource_indicators;
mod resource_metadata;
mod response_modes;
mod sign_in;
mod sign_up;
mod step_up;
mod tenancy;
mod tenants;
mod tls;
mod token;
mod token_exchange;
mod two_nodes;
mod upstream;
mod usage;
mod words;
