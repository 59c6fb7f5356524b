//! Signs in once through the server's own pages, and consents, so that the load has a session.

use anyhow::{Context as _, bail};
use http::StatusCode;
use http::header::SET_COOKIE;

use crate::base::secret::Digest;
use crate::cli::bench::client::{Answer, Client, Fault, Template};
use crate::cli::bench::form::Form;
use crate::cli::bench::target::Target;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Most pages and redirects between the first request and the code.
const STEPS_MAX: usize = 12;

/// Cookies by name.
#[derive(Debug, Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn keep(&mut self, answer: &Answer) {
        for line in answer.headers.get_all(SET_COOKIE) {
            let Some((name, value)) = line.to_str().ok().and_then(name_and_value) else { continue };
            self.0.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn header(&self) -> String {
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

fn name_and_value(set_cookie: &str) -> Option<(&str, &str)> {
    set_cookie.split(';').next()?.trim().split_once('=')
}

/// Signs in as the target's user and consents to the target's app.
///
/// Answers with the `Cookie` header of the session.
///
/// # Errors
/// The server does not lead to a code; the last step is named.
pub async fn sign_in(target: &Target) -> anyhow::Result<String> {
    let mut client = Client::new(&target.site);
    let mut jar = Jar::default();
    let challenge = URL_SAFE_NO_PAD.encode(Digest::of(b"sign-in").0);
    let query = target.authorization_query();
    let start =
        format!("/authorize?{query}&state=sign-in&nonce=sign-in&code_challenge={challenge}");
    let mut next = Template::get(&start)?;
    for _ in 0..STEPS_MAX {
        let asked = next.with("cookie", &jar.header())?;
        let answer = client.send(&asked).await?;
        jar.keep(&answer);
        if let Some(location) = answer.location().filter(|_| answer.status.is_redirection()) {
            if let Some(query) = location.strip_prefix(&target.redirect_uri) {
                if query.contains("code=") {
                    return Ok(jar.header());
                }
                bail!("the server answers the app with {query:?} instead of a code");
            }
            next = Template::get(local(location))?;
        } else if answer.status == StatusCode::OK {
            next = submit(target, &asked, &answer)?;
        } else {
            return Err(Fault::unexpected(&asked.label(), &answer).into());
        }
    }
    bail!("no code after {STEPS_MAX} pages and redirects");
}

/// A request that signs the target's user in, from a browser that they have signed in from before:
/// each of these has a count of its own for wrong guesses, so that many may sign in at once.
///
/// # Errors
/// The server does not show the page, or does not accept the password.
pub async fn sign_in_again(client: &mut Client, target: &Target) -> anyhow::Result<Template> {
    let mut jar = Jar::default();
    let page = Template::get("/sign-in")?;
    let mut form = Err(anyhow::anyhow!("the page was not asked for"));
    for _ in 0..2 {
        let asked = page.clone().with("cookie", &jar.header())?;
        let answer = client.send(&asked).await?;
        jar.keep(&answer);
        if answer.status != StatusCode::OK {
            return Err(Fault::unexpected(&asked.label(), &answer).into());
        }
        let filled = submit(target, &asked, &answer)?.with("cookie", &jar.header())?;
        let answer = client.send(&filled).await?;
        if !is_signed_in(&answer) {
            return Err(Fault::unexpected(&filled.label(), &answer).into());
        }
        jar.keep(&answer);
        // The browser is known from now on, but not signed in.
        jar.0.retain(|(name, _)| name.ends_with("browser") || name.ends_with("known"));
        form = filled.with("cookie", &jar.header());
    }
    form
}

/// Whether an answer to the sign-in form leads on from it.
pub fn is_signed_in(answer: &Answer) -> bool {
    let location = answer.location().unwrap_or_default();
    answer.status == StatusCode::SEE_OTHER && !local(location).starts_with("/sign-in")
}

/// Path and query of a URL of the server.
fn local(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return url };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

/// Fills in the page's form: the sign-in form if there is one, else the first that asks to go on.
fn submit(target: &Target, asked: &Template, page: &Answer) -> anyhow::Result<Template> {
    let html = std::str::from_utf8(&page.body).context("a page is not text")?;
    let forms = Form::all(html);
    let form = forms
        .iter()
        .find(|form| form.has("password"))
        .or_else(|| forms.first())
        .with_context(|| format!("{}: the page has no form", asked.label()))?;
    let fields = form.filled(&target.username, target.password.reveal());
    let action = if form.action.is_empty() { asked.path() } else { local(&form.action) };
    Template::post(action, &fields)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use http::header::HeaderValue;

    use super::*;

    #[test]
    fn cookies_are_kept_replaced_and_dropped() {
        let mut jar = Jar::default();
        for lines in [&["a=1; Path=/; HttpOnly", "b=2"][..], &["a=3"], &["b=; Max-Age=0"]] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(SET_COOKIE, HeaderValue::from_static(line));
            }
            jar.keep(&Answer { status: StatusCode::OK, headers, body: Bytes::new() });
        }
        assert_eq!(jar.header(), "a=3");
    }

    #[test]
    fn a_url_of_the_server_is_reduced_to_its_path() {
        assert_eq!(local("/sign-in?grant=1"), "/sign-in?grant=1");
        assert_eq!(local("http://127.0.0.1:8080/authorize/1"), "/authorize/1");
        assert_eq!(local("http://127.0.0.1:8080"), "/");
    }
}
