//! Responses of SAML, true and not.

use crate::common::both;
use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::upstream::idp::{ENTITY, Idp, Pair, Told, at, bring, later, quoted, sign};
use crate::upstream::op::is_signed_in;

both!(
    a_signed_response_or_assertion_lets_somebody_in,
    case_76_what_is_not_true_lets_nobody_in,
    case_76_a_signature_that_does_not_count_lets_nobody_in,
    case_76_a_wrapped_signature_lets_nobody_in,
    case_76_bombs_and_entities_are_refused,
    case_76_an_answer_is_taken_once_and_in_the_browser_that_left,
    case_54_a_saml_provider_that_was_switched_off_lets_nobody_in,
    attributes_are_found_by_the_names_of_all_schools,
    saml_declarations_are_checked,
);

async fn world(db: Kind, more: &str) -> (TestServer, Idp) {
    let server = TestServer::start(db).await;
    let idp = Idp::new();
    server.apply(&idp.declaration(more)).await;
    (server, idp)
}

const USUAL: &str = "creates_users: true";

/// Brings what `make` makes of a good answer, and says whether that was let in.
async fn tried(
    server: &TestServer,
    idp: &Idp,
    make: impl FnOnce(&mut Told) -> Option<String>,
) -> (u16, bool) {
    let browser = server.browser();
    let mut told = idp.leave(server, &browser).await;
    let xml = make(&mut told).unwrap_or_else(|| idp.response(&told));
    let answer = bring(server, &browser, &told, &xml).await;
    (answer.status, is_signed_in(&browser).await)
}

async fn a_signed_response_or_assertion_lets_somebody_in(db: Kind) {
    let (server, idp) = world(db, USUAL).await;

    assert_eq!(tried(&server, &idp, |_| None).await, (303, true));
    server.advance(later(1));
    let whole = tried(&server, &idp, |told| Some(idp.signed_response(told))).await;
    assert_eq!(whole, (303, true));
    server.advance(later(1));
    // While the provider changes its certificate, there are two.
    let old = Pair::new("old");
    let both = format!("[{}, {}]", quoted(&old.certificate), quoted(&idp.pair.certificate));
    let two = idp.declaration(USUAL);
    let start = two.find("certificates: ").unwrap();
    let end = start + two[start..].find('\n').unwrap();
    server.apply(&format!("{}certificates: {both}{}", &two[..start], &two[end..])).await;
    let by_old = tried(&server, &idp, |told| {
        let signed = sign(&old.key, &told.assertion(&told.signature(&told.id)));
        Some(told.response("", &signed))
    });
    assert_eq!(by_old.await, (303, true));
    server.advance(later(1));
    assert_eq!(tried(&server, &idp, |_| None).await, (303, true));
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 1);
}

async fn case_76_what_is_not_true_lets_nobody_in(db: Kind) {
    type Bend = fn(&mut Told, &TestServer);
    let (server, idp) = world(db, USUAL).await;
    let lies: Vec<(&str, Bend)> = vec![
        ("another destination", |told, _| told.destination = "https://evil.example/acs".into()),
        ("no destination", |told, _| told.destination = String::new()),
        ("another request", |told, _| told.answers = "_other".into()),
        ("no request", |told, _| told.answers = String::new()),
        ("another request confirmed", |told, _| told.confirms = "_other".into()),
        ("another recipient", |told, _| told.recipient = "https://evil.example/acs".into()),
        ("another audience", |told, _| told.audience = "https://evil.example".into()),
        ("another issuer", |told, _| told.issuer = "https://evil.example".into()),
        ("another issuer around", |told, _| told.response_issuer = "https://evil.example".into()),
        ("expired", |told, server| told.end = at(server, -60)),
        ("confirmation expired", |told, server| told.confirmed_until = at(server, -60)),
        ("from the future", |told, server| told.not_before = at(server, 61)),
        ("made in the future", |told, server| told.issued = at(server, 61)),
        ("made long ago", |told, server| told.issued = at(server, -3_601)),
        ("a time that is none", |told, _| told.end = "tomorrow".into()),
        ("a transient name", |told, _| {
            told.format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient".into();
        }),
        ("an empty name", |told, _| told.name = String::new()),
        ("a long name", |told, _| told.name = "x".repeat(257)),
        ("a name with a comment", |told, _| told.name = "g-1<!-- -->.evil".into()),
        ("a name with an element", |told, _| told.name = "g-1<x xmlns=\"y\">z</x>".into()),
        ("a condition of its own", |told, _| {
            told.extra_condition = "<x:Only xmlns:x=\"urn:x\"/>".into();
        }),
        ("a second audience", |told, _| {
            told.extra_condition = "<saml:AudienceRestriction><saml:Audience>other</saml:Audience>\
                                    </saml:AudienceRestriction>"
                .into();
        }),
        ("a status of failure", |told, _| {
            told.status = "urn:oasis:names:tc:SAML:2.0:status:Responder".into();
        }),
    ];
    for (lie, bend) in lies {
        let (status, let_in) = tried(&server, &idp, |told| {
            bend(told, &server);
            None
        })
        .await;
        assert!([403, 502].contains(&status) && !let_in, "{lie}: {status}");
    }
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
}

async fn case_76_a_signature_that_does_not_count_lets_nobody_in(db: Kind) {
    let (server, idp) = world(db, USUAL).await;
    let other = Pair::new("idp.example");
    let unsigned = tried(&server, &idp, |told| Some(told.response("", &told.assertion(""))));
    assert_eq!(unsigned.await, (403, false), "unsigned");
    let stranger = tried(&server, &idp, |told| {
        let signed = sign(&other.key, &told.assertion(&told.signature(&told.id)));
        // With the stranger's certificate beside it, for whoever believes that.
        let bare: String =
            other.certificate.lines().filter(|line| !line.starts_with('-')).collect();
        let info = format!(
            "</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{bare}\
             </ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        );
        Some(told.response("", &signed.replace("</ds:SignatureValue>", &info)))
    });
    assert_eq!(stranger.await, (403, false), "a stranger's key");
    for (what, weak) in [
        ("SHA-1", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        ("a digest of SHA-1", "http://www.w3.org/2000/09/xmldsig#sha1"),
    ] {
        let tried = tried(&server, &idp, |told| {
            let strong = if what == "SHA-1" { &told.method } else { &told.digest };
            Some(idp.response(told).replace(strong.as_str(), weak))
        });
        assert_eq!(tried.await, (403, false), "{what}");
    }
    let changed = tried(&server, &idp, |told| Some(idp.response(told).replace(">g-1<", ">g-2<")));
    assert_eq!(changed.await, (403, false), "changed after it was signed");
    let mac = tried(&server, &idp, |told| {
        let hmac = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
        Some(idp.response(told).replace(&told.method, hmac))
    });
    assert_eq!(mac.await, (403, false), "an HMAC");
    let elsewhere =
        tried(&server, &idp, |told| {
            let signed = idp.signed_assertion(told);
            Some(told.response(
                "",
                &signed.replace("URI=\"#", "URI=\"").replace("URI=\"_a", "URI=\"#_b"),
            ))
        });
    assert_eq!(elsewhere.await, (403, false), "a reference to nothing");
    let comments = tried(&server, &idp, |told| {
        told.transform = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments".to_owned();
        None
    });
    assert_eq!(comments.await, (403, false), "a transform that is not needed");
}

/// Source: Somorovsky et al., "On Breaking SAML" (2012), with the numbers of `SAMLRaider`.
async fn case_76_a_wrapped_signature_lets_nobody_in(db: Kind) {
    let (server, idp) = world(db, USUAL).await;
    for variant in 1..=8 {
        let (status, let_in) =
            tried(&server, &idp, |told| Some(wrapped(&idp, told, variant))).await;
        assert_eq!((status, let_in), (403, false), "variant {variant}");
    }
    assert_eq!(server.count("SELECT COUNT(*) AS n FROM identities").await, 0);
}

fn wrapped(idp: &Idp, told: &Told, variant: u8) -> String {
    let evil_told = Told { id: "_evil".to_owned(), name: "evil".to_owned(), ..told.clone() };
    let evil = evil_told.assertion("");
    let good = idp.signed_assertion(told);
    let start = good.find("<ds:Signature ").unwrap();
    let end = good.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    let (signature, bare) = (&good[start..end], format!("{}{}", &good[..start], &good[end..]));
    let holding = |inner: &str| {
        signature
            .replace("</ds:Signature>", &format!("<ds:Object>{inner}</ds:Object></ds:Signature>"))
    };
    let whole = idp.signed_response(told);
    let (open, close) = (whole.find("<ds:Signature ").unwrap(), "</ds:Signature>");
    let shut = whole.find(close).unwrap() + close.len();
    let (seal, unsealed) = (&whole[open..shut], format!("{}{}", &whole[..open], &whole[shut..]));
    let outer = |seal: &str| told.response(seal, &evil).replace("ID=\"_r1\"", "ID=\"_r2\"");
    match variant {
        1 => outer(&seal.replace(close, &format!("<ds:Object>{unsealed}</ds:Object>{close}"))),
        2 => outer(&format!("{seal}{unsealed}")),
        3 => told.response("", &format!("{evil}{good}")),
        4 => told
            .response("", &evil.replace("</saml:Assertion>", &format!("{good}</saml:Assertion>"))),
        5 => {
            let evil = evil_told.assertion(signature);
            told.response("", &format!("{evil}{bare}"))
        }
        6 => told.response("", &evil_told.assertion(&holding(&bare))),
        7 => told.response("", &format!("<samlp:Extensions>{evil}</samlp:Extensions>{good}")),
        _ => {
            let same = Told { name: "evil".to_owned(), ..told.clone() };
            told.response("", &same.assertion(&holding(&bare)))
        }
    }
}

async fn case_76_bombs_and_entities_are_refused(db: Kind) {
    let (server, idp) = world(db, USUAL).await;
    let browser = server.browser();
    let told = idp.leave(&server, &browser).await;
    let good = idp.response(&told);
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
                  <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>";
    let deep = format!("{}{}", "<x>".repeat(5_000), "</x>".repeat(5_000));
    for (what, xml) in [
        (
            "an external entity",
            format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{good}"),
        ),
        ("an external DTD", format!("<!DOCTYPE x SYSTEM \"http://127.0.0.1:1/x\">{good}")),
        ("a bomb", format!("{laughs}{}", good.replace(">g-1<", ">&c;<"))),
        ("an unknown entity", good.replace(">g-1<", ">&c;<")),
        ("depth", told.response("", &deep)),
        ("an instruction", format!("<?x y?>{good}")),
        ("a comment", format!("{good}<!-- x -->")),
        ("no XML", "x".to_owned()),
        ("a piece of XML", good[..good.len() / 2].to_owned()),
        ("another root", "<x/>".to_owned()),
    ] {
        let browser = server.browser();
        let told = idp.leave(&server, &browser).await;
        let answer = bring(&server, &browser, &told, &xml).await;
        assert_eq!(answer.refusal(), "403 page", "{what}");
    }
    let large = "x".repeat(200_000);
    assert_eq!(bring(&server, &browser, &told, &large).await.refusal(), "400 page");
    for fields in [
        vec![("RelayState", &*told.state)],
        vec![("SAMLResponse", "!"), ("RelayState", &*told.state)],
        vec![("SAMLResponse", "eA=="), ("SAMLResponse", "eA=="), ("RelayState", &*told.state)],
        vec![("SAMLResponse", "eA==")],
    ] {
        let answer = server.browser().post("/saml/idp/acs", &fields).await;
        assert_eq!(answer.refusal(), "400 page", "{fields:?}");
    }
    let own = browser.get("/saml/idp/metadata").await.expect(200).body;
    for path in ["/v1/saml/metadata", "/v1/saml/metadata?provider=idp"] {
        assert_eq!(browser.get(path).await.expect(200).body, own, "{path}");
    }
    for path in [
        "/saml/none/metadata",
        "/saml/NO%00/metadata",
        "/v1/saml/metadata?provider=none",
        "/v1/saml/metadata?provider=NO%00",
    ] {
        assert_eq!(browser.get(path).await.refusal(), "404 page", "{path}");
    }
}

async fn case_76_an_answer_is_taken_once_and_in_the_browser_that_left(db: Kind) {
    let (server, idp) = world(db, USUAL).await;
    let (own, other): (Browser, Browser) = (server.browser(), server.browser());
    let told = idp.leave(&server, &own).await;
    let xml = idp.response(&told);

    // Unsolicited: nobody asked, or somebody else did.
    let foreign = idp.leave(&server, &other).await;
    assert_eq!(bring(&server, &other, &foreign, &xml).await.refusal(), "403 page");
    assert_eq!(bring(&server, &other, &told, &xml).await.refusal(), "400 page");
    assert!(!is_signed_in(&other).await);
    let nobody = Told { state: "1.x".to_owned(), ..told.clone() };
    assert_eq!(bring(&server, &own, &nobody, &xml).await.refusal(), "400 page");
    // It was put by above, and is good for the browser that left, once.
    let path = format!("/saml/idp/acs?state={}", told.state);
    own.get(&path).await.expect(303);
    assert!(is_signed_in(&own).await);
    assert_eq!(own.get(&path).await.refusal(), "400 page");
    // An assertion that was seen is not taken for another request, whatever that says.
    let again = idp.leave(&server, &other).await;
    let replayed = Told { id: told.id.clone(), ..again.clone() };
    assert_eq!(
        bring(&server, &other, &again, &idp.response(&replayed)).await.refusal(),
        "403 page"
    );
}

async fn case_54_a_saml_provider_that_was_switched_off_lets_nobody_in(db: Kind) {
    let (server, idp) = world(db, USUAL).await;
    let browser = server.browser();
    let told = idp.leave(&server, &browser).await;

    server.apply(&idp.declaration(&format!("{USUAL}\n    enabled: false"))).await;

    let answer = bring(&server, &browser, &told, &idp.response(&told)).await;
    assert_eq!(answer.refusal(), "403 page");
    assert_eq!(browser.get("/saml/idp/metadata").await.refusal(), "404 page");
}

async fn attributes_are_found_by_the_names_of_all_schools(db: Kind) {
    let more = format!("{USUAL}\n    email_domains: [navy.example]");
    let (server, idp) = world(db, &more).await;
    for (at, (email, given)) in [
        ("email", "firstName"),
        ("urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:2.5.4.42"),
        (
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let attribute = |name: &str, value: &str| {
            format!(
                "<saml:Attribute Name=\"{name}\"><saml:AttributeValue>{value}\
                 </saml:AttributeValue></saml:Attribute>"
            )
        };
        server.advance(later(1));
        let (status, let_in) = tried(&server, &idp, |told| {
            told.name = format!("n-{at}");
            told.attributes = format!(
                "<saml:AttributeStatement>{}{}</saml:AttributeStatement>",
                attribute(email, &format!("n{at}@navy.example")),
                attribute(given, "Grace"),
            );
            None
        })
        .await;
        assert_eq!((status, let_in), (303, true), "{email}");
    }
    let made = "SELECT COUNT(*) AS n FROM users WHERE given_name = 'Grace' AND email_verified = 1";
    assert_eq!(server.count(made).await, 3);
}

async fn saml_declarations_are_checked(db: Kind) {
    let (server, idp) = world(db, USUAL).await;
    let good = idp.declaration("");
    for (from, to, expected) in [
        ("sso_url: https", "sso_url: ftp", "must be an https URL"),
        ("certificates: [", "certificates: [x, ", "must be a certificate"),
        ("    sso_url: https://idp.example/sso\n", "", "sso_url is missing"),
        (ENTITY, "''", "must not be empty"),
        ("title: The idp", "title: T\n    name_id: x", "must be persistent"),
        ("title: The idp", "title: T\n    metadata: <x/>", "must be an EntityDescriptor"),
        ("title: The idp", "title: T\n    client_key: x", "own_certificate is missing"),
    ] {
        assert!(good.contains(from), "{from}");
        let error = server.try_apply(&good.replace(from, to)).await.expect_err(to);
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
}
