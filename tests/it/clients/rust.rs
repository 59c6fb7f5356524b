//! The Rust crate `openidconnect` as a client, over an HTTP client of ours.

use std::future::Future;
use std::pin::Pin;

use openidconnect::core::{
    CoreApplicationType, CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType,
    CoreClient, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreRegisterErrorResponseType, CoreResponseMode, CoreResponseType, CoreRevocableToken,
    CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::registration::{
    AdditionalClientMetadata, ClientRegistrationRequest, EmptyAdditionalClientRegistrationResponse,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalProviderMetadata, AuthorizationCode, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IntrospectionUrl,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    ProviderMetadata, RedirectUrl, RevocationUrl, Scope, TokenIntrospectionResponse as _,
    TokenResponse as _, UserInfoError, UserInfoResponseType,
};
use serde::{Deserialize, Serialize};

use crate::clients::server_now;
use crate::common::both;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::dev;
use crate::registration::actor::CALLBACK;

both!(a_registered_client_signs_in_refreshes_and_revokes, signed_userinfo_is_verified);

/// What the crate does not read from the metadata by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Endpoints {
    revocation_endpoint: String,
    introspection_endpoint: IntrospectionUrl,
}

impl AdditionalProviderMetadata for Endpoints {}

/// What the crate does not register by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wanted {
    scope: String,
}

impl AdditionalClientMetadata for Wanted {}

type Metadata = ProviderMetadata<
    Endpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Registration = ClientRegistrationRequest<
    Wanted,
    EmptyAdditionalClientRegistrationResponse,
    CoreApplicationType,
    CoreClientAuthMethod,
    CoreRegisterErrorResponseType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// A client that knows every endpoint it needs.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointSet,
    EndpointSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type Answer = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send>>;

/// How the crate sends its requests. It revokes tokens over https only; here TLS ends before the
/// server, as it does at a proxy.
fn http() -> impl Fn(HttpRequest) -> Answer {
    let policy = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(policy).no_proxy().build().expect("a client");
    move |request| {
        let client = client.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let url = parts.uri.to_string().replacen("https://", "http://", 1);
            let sent = client.request(parts.method, url).headers(parts.headers).body(body);
            let answer = sent.send().await?;
            let mut response = http::Response::new(Vec::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            *response.body_mut() = answer.bytes().await?.to_vec();
            Ok(response)
        })
    }
}

/// Discovers the server and registers with it.
async fn registered(
    server: &TestServer,
    bend: impl FnOnce(Registration) -> Registration,
) -> Client {
    let http = http();
    let issuer = IssuerUrl::new(server.url.clone()).expect("an issuer");
    let metadata = Metadata::discover_async(issuer, &http).await.expect("metadata");
    let endpoints = metadata.additional_metadata().clone();
    let callback = RedirectUrl::new(CALLBACK.to_owned()).expect("a URL");
    let wanted = Wanted { scope: "openid profile email".to_owned() };
    let grants = vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken];
    let asked = Registration::new(vec![callback.clone()], wanted).set_grant_types(Some(grants));
    let place = metadata.registration_endpoint().expect("an endpoint").clone();
    let told = bend(asked).register_async(&place, &http).await.expect("a registration");
    let secret = told.client_secret().cloned();
    let revocation = endpoints.revocation_endpoint.replacen("http://", "https://", 1);
    CoreClient::from_provider_metadata(metadata, told.client_id().clone(), secret)
        .set_redirect_uri(callback)
        .set_revocation_url(RevocationUrl::new(revocation).expect("a URL"))
        .set_introspection_url(endpoints.introspection_endpoint)
}

/// The code flow, through the real pages, and the nonce of it.
async fn signed_in(server: &TestServer, client: &Client) -> (CoreTokenResponse, Nonce) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = CoreAuthenticationFlow::AuthorizationCode;
    let (url, state, nonce) = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".to_owned()))
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(challenge)
        .url();
    let answer = dev(server).authorize(server, url.as_str()).await;
    assert_eq!(answer.location_param("state").as_deref(), Some(state.secret().as_str()));
    let code = answer.location_param("code").unwrap_or_else(|| panic!("no code: {answer:?}"));
    (exchanged(client, code, verifier).await, nonce)
}

async fn exchanged(client: &Client, code: String, verifier: PkceCodeVerifier) -> CoreTokenResponse {
    let request = client.exchange_code(AuthorizationCode::new(code)).expect("an endpoint");
    request.set_pkce_verifier(verifier).request_async(&http()).await.expect("tokens")
}

async fn userinfo(
    client: &Client,
    token: &AccessToken,
    kind: UserInfoResponseType,
) -> Result<CoreUserInfoClaims, UserInfoError<reqwest::Error>> {
    let is_signed = matches!(kind, UserInfoResponseType::Jwt);
    let request = client.user_info(token.clone(), None).expect("an endpoint");
    let request = request.set_response_type(kind).require_signed_response(is_signed);
    request.request_async(&http()).await
}

/// Whether the server says that a token is good.
async fn is_active(client: &Client, token: &AccessToken) -> bool {
    client.introspect(token).request_async(&http()).await.expect("an answer").active()
}

async fn a_registered_client_signs_in_refreshes_and_revokes(db: Kind) {
    let server = server_now(db).await;
    let algorithm = CoreJwsSigningAlgorithm::EcdsaP256Sha256;
    let asked = |ask: Registration| ask.set_id_token_signed_response_alg(Some(algorithm));
    let client = registered(&server, asked).await;

    let (tokens, nonce) = signed_in(&server, &client).await;

    let verifier = client.id_token_verifier();
    let id_token = tokens.id_token().expect("an ID token");
    let claims = id_token.claims(&verifier, &nonce).expect("a good ID token");
    let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(&verifier));
    let hash = AccessTokenHash::from_token(tokens.access_token(), algorithm, key.unwrap());
    assert_eq!(claims.access_token_hash(), hash.ok().as_ref());
    assert!(id_token.claims(&verifier, &Nonce::new_random()).is_err(), "another nonce");

    let info = userinfo(&client, tokens.access_token(), UserInfoResponseType::Json).await.unwrap();
    assert_eq!(info.subject(), claims.subject());
    assert_eq!(info.preferred_username().map(|name| name.as_str()), Some("dev"));

    let old = tokens.refresh_token().expect("a refresh token");
    let request = client.exchange_refresh_token(old).expect("an endpoint");
    let fresh = request.request_async(&http()).await.expect("new tokens");
    let again = fresh.id_token().expect("an ID token");
    let again = again.claims(&verifier, |_: Option<&Nonce>| Ok(())).expect("a good ID token");
    assert_eq!((again.subject(), again.auth_time()), (claims.subject(), claims.auth_time()));
    assert!(is_active(&client, fresh.access_token()).await);

    let token = CoreRevocableToken::from(fresh.refresh_token().expect("another one").clone());
    client.revoke_token(token).expect("https").request_async(&http()).await.expect("revoked");

    assert!(!is_active(&client, fresh.access_token()).await);
    let info = userinfo(&client, fresh.access_token(), UserInfoResponseType::Json).await;
    assert!(matches!(info, Err(UserInfoError::Response(status, ..)) if status == 401));
}

async fn signed_userinfo_is_verified(db: Kind) {
    let server = server_now(db).await;
    let algorithm = CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256;
    let asked = |ask: Registration| ask.set_userinfo_signed_response_alg(Some(algorithm));
    let client = registered(&server, asked).await;

    let (tokens, nonce) = signed_in(&server, &client).await;

    let verifier = client.id_token_verifier();
    let claims = tokens.id_token().expect("an ID token").claims(&verifier, &nonce).unwrap();
    let info = userinfo(&client, tokens.access_token(), UserInfoResponseType::Jwt).await.unwrap();
    assert_eq!(info.subject(), claims.subject());
    assert!(info.name().is_none(), "dev has no name");
}
