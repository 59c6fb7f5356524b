//! What each flow asks, and how its answers are checked.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use crate::base::entropy::{Entropy, OsEntropy};
use crate::base::secret::Digest;
use crate::cli::bench::client::{Answer, Client, Fault, Template};
use crate::cli::bench::flow::Flow;
use crate::cli::bench::load::Worker;
use crate::cli::bench::session;
use crate::cli::bench::target::{Credentials, Target};

/// How long a paced connection rests: two of them ask a hundred times a second.
const PACE: Duration = Duration::from_millis(20);
/// How many connections rest so.
pub const PACED_CONNECTIONS: u16 = 2;

/// A connection that does one flow.
#[derive(Debug)]
pub struct FlowWorker {
    client: Client,
    act: Act,
}

/// What is done again and again.
#[derive(Debug)]
enum Act {
    /// The same request each time; the answer must contain this text.
    Same { template: Template, says: &'static str },
    /// The same request each time, some time after the last answer.
    Paced { template: Template, says: &'static str },
    /// The same sign-in each time.
    SignIn { template: Template },
    /// A code, then tokens.
    Code(CodeFlow),
    /// A refresh token for the next, which is `None` after a failure.
    Refresh { flow: CodeFlow, refresh_token: Option<String> },
}

/// The answer of the token endpoint. Source: RFC 6749 section 5.1.
#[derive(Deserialize)]
struct Tokens {
    #[serde(rename = "access_token")]
    access: String,
    #[serde(rename = "id_token")]
    id: Option<String>,
    #[serde(rename = "refresh_token")]
    refresh: Option<String>,
}

/// The algorithm that a JWT's header names.
fn algorithm(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
    }
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice::<Header>(&header).ok().map(|header| header.alg)
}

fn tokens_in(asked: &Template, answer: &Answer) -> Result<Tokens, Fault> {
    if answer.status != StatusCode::OK {
        return Err(Fault::unexpected(&asked.label(), answer));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| Fault(format!("{}: no tokens in the answer", asked.label())))
}

fn check_algorithm(token: &str, expected: &str) -> anyhow::Result<()> {
    let found = algorithm(token);
    anyhow::ensure!(
        found.as_deref() == Some(expected),
        "the app's tokens are signed with {}, not {expected}",
        found.as_deref().unwrap_or("nothing known"),
    );
    Ok(())
}

/// An access token of an app's own, signed with `expected`.
async fn own_token(
    client: &mut Client,
    credentials: &Credentials,
    expected: &str,
) -> anyhow::Result<(Template, String)> {
    let template = client_credentials(credentials)?;
    let answer = client.send(&template).await?;
    let tokens = tokens_in(&template, &answer)?;
    check_algorithm(&tokens.access, expected)?;
    Ok((template, tokens.access))
}

fn client_credentials(credentials: &Credentials) -> anyhow::Result<Template> {
    Template::post("/token", &[("grant_type", "client_credentials")])?
        .with("authorization", &credentials.basic())
}

impl FlowWorker {
    /// Prepares a connection for `flow`: after this, it can do units.
    ///
    /// # Errors
    /// The server does not do what the flow needs, or the flow's answers are not as they should be.
    pub async fn prepare(flow: Flow, target: &Target, cookie: &str) -> anyhow::Result<Self> {
        let mut client = Client::new(&target.site);
        let same = |template, says| Act::Same { template, says };
        let act = match flow {
            Flow::Discovery => {
                same(Template::get("/.well-known/openid-configuration")?, r#""issuer":"#)
            }
            Flow::Jwks => same(Template::get("/jwks")?, r#""keys":"#),
            Flow::ClientCredentialsEs256 => {
                let (template, _) = own_token(&mut client, &target.es256, "ES256").await?;
                same(template, r#""access_token":"ey"#)
            }
            Flow::ClientCredentialsBeside => {
                let (template, _) = own_token(&mut client, &target.es256, "ES256").await?;
                Act::Paced { template, says: r#""access_token":"ey"# }
            }
            Flow::SignIn => {
                Act::SignIn { template: session::sign_in_again(&mut client, target).await? }
            }
            Flow::ClientCredentialsRs256 => {
                let (template, _) = own_token(&mut client, &target.rs256, "RS256").await?;
                same(template, r#""access_token":"ey"#)
            }
            Flow::Introspection => {
                let (_, token) = own_token(&mut client, &target.es256, "ES256").await?;
                let template = Template::post("/introspect", &[("token", token.as_str())])?
                    .with("authorization", &target.es256.basic())?;
                same(template, r#""active":true"#)
            }
            Flow::Code => Act::Code(CodeFlow::new(target, cookie)?),
            Flow::Refresh => {
                Act::Refresh { flow: CodeFlow::new(target, cookie)?, refresh_token: None }
            }
            Flow::Userinfo => {
                let token = CodeFlow::new(target, cookie)?.checked_tokens(&mut client).await?;
                same(bearer("/userinfo", &token)?, r#""sub":"#)
            }
            Flow::Evaluation => {
                let (_, token) = own_token(&mut client, &target.es256, "ES256").await?;
                same(evaluation(target, &token)?, r#"{"decision":true}"#)
            }
            Flow::Projects => {
                let token = CodeFlow::new(target, cookie)?.checked_tokens(&mut client).await?;
                let template =
                    bearer("/v1/projects", &token)?.with("lifeomic-account", &target.account)?;
                same(template, r#""items":[{"#)
            }
        };
        let mut worker = Self { client, act };
        worker.unit().await?;
        Ok(worker)
    }
}

/// Whether the user may read a project: yes, by one policy of many.
fn evaluation(target: &Target, token: &str) -> anyhow::Result<Template> {
    let question = json!({
        "subject": { "type": "user", "id": target.username },
        "action": { "name": "readData" },
        "resource": { "type": "project", "id": target.project },
    });
    Template::post_json("/access/v1/evaluation", &question)?
        .with("authorization", &format!("Bearer {token}"))
}

fn bearer(path: &str, token: &str) -> anyhow::Result<Template> {
    Template::get(path)?.with("authorization", &format!("Bearer {token}"))
}

impl Worker for FlowWorker {
    fn pause(&self) -> Duration {
        match &self.act {
            Act::Paced { .. } => PACE,
            _ => Duration::ZERO,
        }
    }

    async fn unit(&mut self) -> Result<(), Fault> {
        match &mut self.act {
            Act::Same { template, says } | Act::Paced { template, says } => {
                let answer = self.client.send(template).await?;
                if answer.status == StatusCode::OK && answer.says(says) {
                    Ok(())
                } else {
                    Err(Fault::unexpected(&template.label(), &answer))
                }
            }
            Act::SignIn { template } => {
                let answer = self.client.send(template).await?;
                if session::is_signed_in(&answer) {
                    Ok(())
                } else {
                    Err(Fault::unexpected(&template.label(), &answer))
                }
            }
            Act::Code(flow) => flow.tokens(&mut self.client).await.map(drop),
            Act::Refresh { flow, refresh_token } => {
                let old = match refresh_token.take() {
                    Some(token) => token,
                    None => flow.refresh_token(&mut self.client).await?,
                };
                *refresh_token = Some(flow.refresh(&mut self.client, &old).await?);
                Ok(())
            }
        }
    }
}

/// The code flow of one app in one session.
#[derive(Debug)]
struct CodeFlow {
    authorize: Template,
    /// The query of the authorization request, but for state, nonce and challenge.
    query: String,
    token: Template,
    redirect_uri: String,
}

impl CodeFlow {
    fn new(target: &Target, cookie: &str) -> anyhow::Result<Self> {
        let app = &target.code_app;
        Ok(Self {
            authorize: Template::get("/authorize")?.with("cookie", cookie)?,
            query: target.authorization_query(),
            token: Template::post("/token", &[])?.with("authorization", &app.basic())?,
            redirect_uri: target.redirect_uri.clone(),
        })
    }

    /// One unit: a code by the session, and the tokens for it.
    async fn tokens(&mut self, client: &mut Client) -> Result<Tokens, Fault> {
        let entropy: &dyn Entropy = &OsEntropy::default();
        let verifier = URL_SAFE_NO_PAD.encode(entropy.bytes::<32>());
        let challenge = URL_SAFE_NO_PAD.encode(Digest::of(verifier.as_bytes()).0);
        // Unlike for each request is all that a state has to be here.
        let state = challenge.get(..22).unwrap_or_default();
        let query = &self.query;
        self.authorize.set_path(format!(
            "/authorize?{query}&state={state}&nonce={state}&code_challenge={challenge}"
        ))?;
        let answer = client.send(&self.authorize).await?;
        let code = code_in(&answer, &self.redirect_uri, state)
            .ok_or_else(|| Fault::unexpected(&self.authorize.label(), &answer))?;
        self.token.set_form(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &verifier),
        ]);
        let answer = client.send(&self.token).await?;
        let tokens = tokens_in(&self.token, &answer)?;
        if tokens.id.is_none() || tokens.refresh.is_none() {
            return Err(Fault("POST /token: ID or refresh token is missing".to_owned()));
        }
        Ok(tokens)
    }

    /// An access token whose algorithms are those that the flow's bar is about.
    async fn checked_tokens(&mut self, client: &mut Client) -> anyhow::Result<String> {
        let tokens = self.tokens(client).await?;
        check_algorithm(&tokens.access, "ES256")?;
        check_algorithm(tokens.id.as_deref().unwrap_or_default(), "ES256")?;
        Ok(tokens.access)
    }

    async fn refresh_token(&mut self, client: &mut Client) -> Result<String, Fault> {
        let tokens = self.tokens(client).await?;
        tokens.refresh.ok_or_else(|| Fault("no refresh token".to_owned()))
    }

    /// The successor of a refresh token.
    async fn refresh(&mut self, client: &mut Client, old: &str) -> Result<String, Fault> {
        self.token.set_form(&[("grant_type", "refresh_token"), ("refresh_token", old)]);
        let answer = client.send(&self.token).await?;
        let tokens = tokens_in(&self.token, &answer)?;
        match tokens.refresh {
            Some(new) if new != old => Ok(new),
            _ => Err(Fault("POST /token: the refresh token was not replaced".to_owned())),
        }
    }
}

/// The code of an authorization response, if it is one and for this state.
fn code_in(answer: &Answer, redirect_uri: &str, state: &str) -> Option<String> {
    if !answer.status.is_redirection() {
        return None;
    }
    let query = answer.location()?.strip_prefix(redirect_uri)?.strip_prefix('?')?;
    let (mut code, mut returned) = (None, None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "code" => code = Some(value.into_owned()),
            "state" => returned = Some(value),
            _ => {}
        }
    }
    code.filter(|code| !code.is_empty() && returned.as_deref() == Some(state))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use http::header::{HeaderValue, LOCATION};

    use super::*;

    fn redirect(to: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(to).unwrap());
        Answer { status: StatusCode::FOUND, headers, body: Bytes::new() }
    }

    #[test]
    fn a_code_is_taken_only_from_the_answer_to_this_request() {
        let code = |to: &str| code_in(&redirect(to), "http://127.0.0.1/cb", "s1");
        assert_eq!(code("http://127.0.0.1/cb?code=7.a%2Fb&state=s1&iss=x").unwrap(), "7.a/b");
        for bad in [
            "http://127.0.0.1/cb?code=7&state=s2",
            "http://127.0.0.1/cb?code=&state=s1",
            "http://127.0.0.1/cb?error=access_denied&state=s1",
            "http://127.0.0.1/cb",
            "/sign-in?grant=7&code=7&state=s1",
        ] {
            assert_eq!(code(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_token_s_algorithm_is_read_from_its_header() {
        let token =
            format!("{}.e30.x", URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"ES256"}"#));
        assert_eq!(algorithm(&token).as_deref(), Some("ES256"));
        assert!(check_algorithm(&token, "RS256").is_err());
        assert_eq!(algorithm("opaque"), None);
    }
}
