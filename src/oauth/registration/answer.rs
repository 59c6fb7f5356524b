//! What an app is told of its registration. Source: RFC 7591 section 3.2.1, RFC 7592 section 3.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::apps::metadata::{AuthMethod, SubjectType};
use crate::apps::model::{GrantType, Kind};
use crate::oauth::registration::{Answer, read};

/// All that is registered, defaults included, and how to manage it.
pub(in crate::oauth::registration) fn write(answer: &Answer<'_>) -> Value {
    let app = answer.app;
    let mut all = object(serde_json::to_value(&app.metadata));
    // What the operator said of it is no business of an app.
    all.retain(|name, _| read::is_own(name));
    all.extend(app.metadata.localized.clone());
    let has_code = app.grant_types.contains(&GrantType::AuthorizationCode);
    let method = app.metadata.token_endpoint_auth_method.unwrap_or(match app.kind {
        Kind::Public => AuthMethod::None,
        Kind::Confidential => AuthMethod::ClientSecretBasic,
    });
    put(&mut all, "client_id", app.id.as_str());
    put(&mut all, "client_id_issued_at", answer.issued_at.timestamp());
    put(&mut all, "client_name", &app.title);
    put(&mut all, "redirect_uris", &app.callback_urls);
    put(&mut all, "grant_types", &app.grant_types);
    put(&mut all, "response_types", if has_code { vec!["code"] } else { vec![] });
    put(&mut all, "scope", app.allowed_scopes.to_string());
    put(&mut all, "token_endpoint_auth_method", method);
    put(&mut all, "id_token_signed_response_alg", app.id_token_algorithm);
    put(&mut all, "registration_access_token", answer.token);
    put(&mut all, "registration_client_uri", &answer.uri);
    if !app.logout_urls.is_empty() {
        put(&mut all, "post_logout_redirect_uris", &app.logout_urls);
    }
    for (name, url) in [("client_uri", &app.url), ("logo_uri", &app.icon_url)] {
        if let Some(url) = url {
            put(&mut all, name, url);
        }
    }
    all.entry("application_type").or_insert(json!("web"));
    all.entry("subject_type").or_insert(json!(SubjectType::Public));
    if let Some(secret) = answer.secret {
        put(&mut all, "client_secret", secret.reveal());
        put(&mut all, "client_secret_expires_at", 0);
    }
    Value::Object(all)
}

fn object(value: serde_json::Result<Value>) -> Map<String, Value> {
    match value {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn put(all: &mut Map<String, Value>, name: &str, value: impl Serialize) {
    if let Ok(value) = serde_json::to_value(value) {
        all.insert(name.to_owned(), value);
    }
}
