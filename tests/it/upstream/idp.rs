//! Identity providers of SAML: one of our own that says whatever a test wants it to, and pysaml2's.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergshamra::keys::loader::load_rsa_private_pem;
use bergshamra::{DsigContext, KeysManager};
use chrono::{DateTime, SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use crate::clients::node::scripts;
use crate::common::answer::Answer;
use crate::common::browser::Browser;
use crate::common::form::Form;
use crate::common::server::TestServer;
use crate::upstream::op::sign_in_page;

pub const ENTITY: &str = "https://idp.example/metadata";
const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

/// A key pair with a certificate of its own, both in PEM.
pub struct Pair {
    pub key: String,
    pub certificate: String,
}

impl Pair {
    pub fn new(name: &str) -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("a key");
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { key: key.serialize_pem(), certificate: certificate.pem() }
    }
}

/// PEM as a text in double quotes.
pub fn quoted(pem: &str) -> String {
    format!("\"{}\"", pem.trim().replace("\r\n", "\n").replace('\n', "\\n"))
}

/// A provider of our own.
pub struct Idp {
    pub pair: Pair,
}

/// A request on its way, and what a good answer to it holds.
#[derive(Clone, Debug)]
pub struct Told {
    pub state: String,
    pub request: String,
    pub acs: String,
    pub audience: String,
    pub destination: String,
    pub recipient: String,
    pub answers: String,
    pub confirms: String,
    pub response_issuer: String,
    pub issuer: String,
    pub id: String,
    pub format: String,
    pub name: String,
    pub status: String,
    pub issued: String,
    pub not_before: String,
    pub end: String,
    pub confirmed_until: String,
    pub authenticated: String,
    pub attributes: String,
    pub extra_condition: String,
    pub method: String,
    pub digest: String,
    pub transform: String,
}

fn written(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).expect("a time");
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

impl Idp {
    pub const CONTEXT: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";

    pub fn new() -> Self {
        Self { pair: Pair::new("idp.example") }
    }

    /// The lines that declare it.
    pub fn declaration(&self, more: &str) -> String {
        format!(
            "providers:\n  - id: idp\n    kind: saml\n    title: The idp\n    entity_id: {ENTITY}\n    \
             sso_url: https://idp.example/sso\n    certificates: [{}]\n    {more}\n",
            quoted(&self.pair.certificate)
        )
    }

    /// A browser leaves for it: what a good answer holds.
    pub async fn leave(&self, server: &TestServer, browser: &Browser) -> Told {
        let page = sign_in_page(browser, "/sign-in").await;
        let form = Form::of(&page.body, "/upstream/idp/start");
        let away = browser.submit(&page, &form, &[]).await;
        let xml = request_in(away.location());
        let id = xml.split(" ID=\"").nth(1).and_then(|rest| rest.split('"').next());
        let request = id.expect("an id").to_owned();
        let acs = format!("{}/saml/idp/acs", server.url);
        let now = server.now();
        Told {
            state: parameter(away.location(), "RelayState"),
            audience: format!("{}/saml/idp/metadata", server.url),
            destination: acs.clone(),
            recipient: acs.clone(),
            acs,
            answers: request.clone(),
            confirms: request.clone(),
            request,
            response_issuer: ENTITY.to_owned(),
            issuer: ENTITY.to_owned(),
            id: format!("_a{now}"),
            format: PERSISTENT.to_owned(),
            name: "g-1".to_owned(),
            status: "urn:oasis:names:tc:SAML:2.0:status:Success".to_owned(),
            issued: written(now),
            not_before: written(now - 60),
            end: written(now + 300),
            confirmed_until: written(now + 300),
            authenticated: written(now),
            attributes: String::new(),
            extra_condition: String::new(),
            method: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256".to_owned(),
            digest: "http://www.w3.org/2001/04/xmlenc#sha256".to_owned(),
            transform: "http://www.w3.org/2001/10/xml-exc-c14n#".to_owned(),
        }
    }

    /// An assertion by itself, signed by this key.
    pub fn signed_assertion(&self, told: &Told) -> String {
        sign(&self.pair.key, &told.assertion(&told.signature(&told.id)))
    }

    /// A response with a signed assertion in it.
    pub fn response(&self, told: &Told) -> String {
        told.response("", &self.signed_assertion(told))
    }

    /// A response that is signed as a whole.
    pub fn signed_response(&self, told: &Told) -> String {
        let inner = told.assertion("");
        sign(&self.pair.key, &told.response(&told.signature("_r1"), &inner))
    }
}

impl Told {
    pub fn signature(&self, id: &str) -> String {
        let Self { method, digest, transform, .. } = self;
        format!(
            "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
             <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
             <ds:SignatureMethod Algorithm=\"{method}\"/><ds:Reference URI=\"#{id}\">\
             <ds:Transforms><ds:Transform \
             Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
             <ds:Transform Algorithm=\"{transform}\"/></ds:Transforms>\
             <ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue/></ds:Reference>\
             </ds:SignedInfo><ds:SignatureValue/></ds:Signature>"
        )
    }

    pub fn assertion(&self, signature: &str) -> String {
        let context = Idp::CONTEXT;
        format!(
            "<saml:Assertion xmlns:saml=\"{ASSERTION}\" Version=\"2.0\" ID=\"{}\" \
             IssueInstant=\"{}\"><saml:Issuer>{}</saml:Issuer>{signature}<saml:Subject>\
             <saml:NameID Format=\"{}\">{}</saml:NameID><saml:SubjectConfirmation \
             Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData \
             InResponseTo=\"{}\" Recipient=\"{}\" NotOnOrAfter=\"{}\"/></saml:SubjectConfirmation>\
             </saml:Subject><saml:Conditions NotBefore=\"{}\" NotOnOrAfter=\"{}\">\
             <saml:AudienceRestriction><saml:Audience>{}</saml:Audience>\
             </saml:AudienceRestriction>{}</saml:Conditions><saml:AuthnStatement \
             AuthnInstant=\"{}\"><saml:AuthnContext><saml:AuthnContextClassRef>{context}\
             </saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>{}\
             </saml:Assertion>",
            self.id,
            self.issued,
            self.issuer,
            self.format,
            self.name,
            self.confirms,
            self.recipient,
            self.confirmed_until,
            self.not_before,
            self.end,
            self.audience,
            self.extra_condition,
            self.authenticated,
            self.attributes,
        )
    }

    pub fn response(&self, signature: &str, inner: &str) -> String {
        format!(
            "<samlp:Response xmlns:samlp=\"{PROTOCOL}\" xmlns:saml=\"{ASSERTION}\" ID=\"_r1\" \
             Version=\"2.0\" IssueInstant=\"{}\" Destination=\"{}\" InResponseTo=\"{}\">\
             <saml:Issuer>{}</saml:Issuer>{signature}<samlp:Status><samlp:StatusCode \
             Value=\"{}\"/></samlp:Status>{inner}</samlp:Response>",
            self.issued, self.destination, self.answers, self.response_issuer, self.status,
        )
    }
}

/// Fills in the signature of a document.
pub fn sign(key: &str, template: &str) -> String {
    let mut keys = KeysManager::new();
    keys.add_key(load_rsa_private_pem(key.trim().as_bytes()).expect("a key"));
    bergshamra::sign(&DsigContext::new_permissive(keys), template).expect("a signature")
}

/// Posts a response from the provider's site, and has the browser come for it.
pub async fn bring(server: &TestServer, browser: &Browser, told: &Told, xml: &str) -> Answer {
    let fields = [("SAMLResponse", &*STANDARD.encode(xml)), ("RelayState", &*told.state)];
    let headers = [("origin", "https://idp.example"), ("sec-fetch-site", "cross-site")];
    let posted = server.browser().post_with("/saml/idp/acs", &headers, &fields).await;
    if posted.status != 303 {
        return posted;
    }
    browser.get(posted.location()).await
}

/// A parameter of a URL.
pub fn parameter(url: &str, name: &str) -> String {
    let url = url::Url::parse(url).unwrap_or_else(|_| panic!("no URL: {url:?}"));
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The request in a URL: one stored block of DEFLATE.
pub fn request_in(url: &str) -> String {
    let bytes = STANDARD.decode(parameter(url, "SAMLRequest")).expect("base64");
    String::from_utf8(bytes[5..].to_vec()).expect("text")
}

/// pysaml2's provider.
pub struct PySaml {
    idp: Pair,
    own: Pair,
    folder: tempfile::TempDir,
}

impl PySaml {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let it = Self { idp: Pair::new("idp.example"), own: Pair::new("sp.example"), folder };
        std::fs::write(it.path("idp.key"), &it.idp.key).expect("a file");
        std::fs::write(it.path("idp.crt"), &it.idp.certificate).expect("a file");
        it
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn ask(&self, told: &Value) -> Value {
        let mut all = json!({
            "entity_id": ENTITY, "key": self.path("idp.key"), "certificate": self.path("idp.crt"),
        });
        for (name, value) in told.as_object().expect("an object") {
            all[name] = value.clone();
        }
        let script = scripts().join("saml-idp.py");
        let run = Command::new("/usr/bin/python3").arg(script).arg(all.to_string()).output();
        let run = run.expect("python runs");
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// The lines that declare it, by its own metadata.
    pub fn declaration(&self, more: &str) -> String {
        let metadata = self.ask(&json!({}))["metadata"].as_str().expect("metadata").to_owned();
        let metadata = serde_json::to_string(&metadata).expect("JSON");
        format!(
            "providers:\n  - id: idp\n    account: acme\n    kind: saml\n    title: Py\n    \
             metadata: {metadata}\n    {more}\n"
        )
    }

    /// The lines that give us a key.
    pub fn own_key_lines(&self) -> String {
        let Pair { key, certificate } = &self.own;
        format!("client_key: {}\n    own_certificate: {}", quoted(key), quoted(certificate))
    }

    /// What it answers to a request that a browser brings.
    pub async fn answers(&self, server: &TestServer, away: &Answer, told: &Value) -> Value {
        let metadata = server.browser().get("/saml/idp/metadata").await.expect(200);
        assert_eq!(metadata.header("content-type"), "application/samlmetadata+xml");
        let mut all = json!({
            "metadata": metadata.body, "name_format": PERSISTENT, "name": "g-1",
            "context": Idp::CONTEXT,
            "identity": { "mail": ["grace@navy.example"], "givenName": ["Grace"] },
        });
        if away.location().is_empty() {
            let form = Form::of(&away.body, "idp.example");
            let request = form.fields.iter().find(|(name, _)| name == "SAMLRequest");
            all["request"] = json!(request.expect("a request").1);
            all["binding"] = json!("post");
        } else {
            for (name, parameter_name) in [
                ("request", "SAMLRequest"),
                ("relay_state", "RelayState"),
                ("sig_alg", "SigAlg"),
                ("signature", "Signature"),
            ] {
                all[name] = json!(parameter(away.location(), parameter_name));
            }
            all["binding"] = json!("redirect");
        }
        for (name, value) in told.as_object().expect("an object") {
            all[name] = value.clone();
        }
        self.ask(&all)
    }

    /// Posts what it answered.
    pub async fn post_back(&self, server: &TestServer, said: &Value, away: &Answer) -> Answer {
        let state = if away.location().is_empty() {
            let form = Form::of(&away.body, "idp.example");
            let found = form.fields.iter().find(|(name, _)| name == "RelayState");
            found.expect("a state").1.clone()
        } else {
            parameter(away.location(), "RelayState")
        };
        let xml = said["response"].as_str().expect("a response");
        let fields = [("SAMLResponse", &*STANDARD.encode(xml)), ("RelayState", &*state)];
        let headers = [("origin", "https://idp.example"), ("sec-fetch-site", "cross-site")];
        server.browser().post_with("/saml/idp/acs", &headers, &fields).await
    }
}

/// A while, for tests of times.
pub fn later(seconds: i64) -> TimeDelta {
    TimeDelta::seconds(seconds)
}

/// A time as SAML writes it.
pub fn at(server: &TestServer, seconds: i64) -> String {
    written(server.now() + seconds)
}
