//! Keys over time, and every token that is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;
use crate::base::clock::{ManualClock, from_micros};
use crate::base::entropy::OsEntropy;
use crate::db::testing;

struct World {
    clock: Arc<ManualClock>,
    ctx: Ctx,
    settings: model::Keys,
    _folder: testing::Guard,
}

async fn world() -> World {
    let (folder, db) = testing::open().await;
    let clock = Arc::new(ManualClock::at(from_micros(1_800_000_000_000_000)));
    let ctx = Ctx {
        db,
        clock: Arc::clone(&clock) as _,
        entropy: Arc::new(OsEntropy::default()),
        seal: None,
    };
    World { clock, ctx, settings: model::Keys::default(), _folder: folder }
}

impl World {
    async fn keys(&self) -> Keys {
        Keys::load(&self.ctx, &Vault::new(&[1; 32]), &self.settings).await.unwrap()
    }
}

fn kids(keys: &Keys) -> Vec<String> {
    let set: Value = serde_json::from_slice(&keys.jwks().text()).unwrap();
    let members = set["keys"].as_array().unwrap();
    members.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// `token` with its header replaced, the signature left as it was.
fn with_header(token: &str, header: &Value) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

fn header_of(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

#[tokio::test]
async fn keys_sign_and_verify_and_stay_after_a_restart() {
    let world = world().await;
    let keys = world.keys().await;
    assert_eq!(kids(&keys).len(), 8);

    for algorithm in Algorithm::ALL {
        let token = keys.sign(algorithm, "at+jwt", &json!({"sub": "u"})).unwrap();
        let verified = world.keys().await.verify(&token).unwrap();

        assert_eq!(verified.typ.as_deref(), Some("at+jwt"));
        assert_eq!(verified.algorithm, algorithm);
        assert_eq!(verified.claims["sub"], "u");
    }
    let other = Keys::load(&world.ctx, &Vault::new(&[2; 32]), &world.settings).await;
    assert!(matches!(other, Err(KeyError::Sealed)), "{other:?}");
}

#[tokio::test]
async fn case_35_the_algorithm_is_the_keys_and_nothing_else() {
    let keys = world().await.keys().await;
    let token = keys.sign(Algorithm::ES256, "JWT", &json!({"sub": "u"})).unwrap();
    let good = header_of(&token);
    let bent = |name: &str, value: Value| {
        let mut header = good.clone();
        header[name] = value;
        with_header(&token, &header)
    };

    for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES384", "EdDSA", "PS256"] {
        assert!(keys.verify(&bent("alg", alg.into())).is_err(), "{alg}");
    }
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("typ", json!("other")),
    ] {
        assert!(keys.verify(&bent(name, value.clone())).is_err(), "{name} {value}");
    }
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for bad in [
        format!("{signed}."),
        signed.to_owned(),
        format!("{signed}.{signature}="),
        format!("{token}."),
        format!(".{token}"),
        token.replace('.', ""),
        String::new(),
        "..".to_owned(),
    ] {
        assert!(keys.verify(&bad).is_err(), "{bad}");
    }
    assert!(keys.verify(&token).is_ok());
}

/// RS256 verified as HS256 with the public key: the key never serves the other algorithm.
#[tokio::test]
async fn case_35_a_public_key_is_not_a_shared_secret() {
    let keys = world().await.keys().await;
    let token = keys.sign(Algorithm::RS256, "JWT", &json!({"sub": "u"})).unwrap();
    let mut header = header_of(&token);
    header["alg"] = "HS256".into();
    let body = token.split('.').nth(1).unwrap();
    let signed = format!("{}.{body}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &keys.jwks().text());
    let tag = aws_lc_rs::hmac::sign(&secret, signed.as_bytes());

    let forged = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));

    assert!(keys.verify(&forged).is_err());
}

#[tokio::test]
async fn case_36_a_key_that_the_token_brings_along_is_never_trusted() {
    let ours = world().await.keys().await;
    let theirs = world().await.keys().await;
    let token = theirs.sign(Algorithm::ES256, "JWT", &json!({"sub": "u"})).unwrap();
    let set: Value = serde_json::from_slice(&theirs.jwks().text()).unwrap();
    let kid = header_of(&token)["kid"].clone();
    let jwk = set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();

    for header in [
        json!({"alg": "ES256", "typ": "JWT", "kid": kid, "jwk": jwk}),
        json!({"alg": "ES256", "typ": "JWT", "kid": kid, "jku": "https://evil.example/jwks"}),
        json!({"alg": "ES256", "typ": "JWT", "kid": kid, "x5u": "https://evil.example/x5u"}),
        json!({"alg": "ES256", "typ": "JWT", "jwk": jwk}),
        json!({"alg": "ES256", "typ": "JWT"}),
        json!({"alg": "ES256", "typ": "JWT", "kid": 1}),
        json!({"alg": "ES256", "typ": "JWT", "kid": "../../etc/passwd"}),
        json!({"alg": "ES256", "typ": "JWT", "kid": "' OR 1=1 --"}),
        json!({"alg": "ES256", "typ": "JWT", "kid": "x".repeat(10_000)}),
    ] {
        assert!(ours.verify(&with_header(&token, &header)).is_err(), "{header}");
    }
}

#[tokio::test]
async fn case_39_an_oversized_token_is_cut_before_parsing() {
    let keys = world().await.keys().await;
    let claims = json!({"sub": "u".repeat(20_000)});
    let token = keys.sign(Algorithm::ES256, "JWT", &claims).unwrap();

    assert_eq!(keys.verify(&token).unwrap_err(), TokenFault("too long"));
    // An encrypted token has five parts; none is ever opened here.
    assert!(keys.verify("a.b.c.d.e").is_err());
}

#[tokio::test]
async fn case_42_a_retired_key_verifies_until_it_is_forgotten() {
    let world = world().await;
    let keys = world.keys().await;
    let before = kids(&keys);
    let token = keys.sign(Algorithm::ES256, "JWT", &json!({})).unwrap();

    keys.rotate(Some(Algorithm::ES256)).await.unwrap();

    let after = kids(&keys);
    assert_eq!(after.len(), 9);
    let signs_now = header_of(&keys.sign(Algorithm::ES256, "JWT", &json!({})).unwrap());
    assert!(before.contains(&signs_now["kid"].as_str().unwrap().to_owned()), "it was announced");
    assert_ne!(signs_now["kid"], header_of(&token)["kid"]);
    assert!(keys.verify(&token).is_ok());

    world.clock.advance(RETIRED_FOR + TimeDelta::seconds(1));
    keys.rotate_due().await.unwrap();
    assert!(keys.verify(&token).is_err());
    assert_eq!(kids(&keys).len(), 8);
}

#[tokio::test]
async fn case_42_an_emergency_removal_ends_a_key_at_once() {
    let world = world().await;
    let (keys, other_node) = (world.keys().await, world.keys().await);
    let token = keys.sign(Algorithm::EdDSA, "JWT", &json!({})).unwrap();

    keys.rotate(None).await.unwrap();
    keys.remove_retired().await.unwrap();
    other_node.reload_if_changed().await.unwrap();

    assert!(keys.verify(&token).is_err());
    assert!(other_node.verify(&token).is_err());
}

#[tokio::test]
async fn case_42_a_node_knows_when_its_keys_are_behind() {
    let world = world().await;
    let (keys, other_node) = (world.keys().await, world.keys().await);
    assert!(keys.is_fresh() && other_node.is_fresh());

    keys.rotate(Some(Algorithm::EdDSA)).await.unwrap();

    assert!(keys.is_fresh());
    assert!(!other_node.is_fresh(), "what it verifies now may be gone already");
    other_node.reload_if_changed().await.unwrap();
    assert!(other_node.is_fresh());
}

#[tokio::test]
async fn keys_rotate_by_age_and_two_nodes_rotate_once() {
    let world = world().await;
    let (one, two) = (world.keys().await, world.keys().await);
    let before = kids(&one);

    one.rotate_due().await.unwrap();
    assert_eq!(kids(&one), before, "young keys stay");

    world.clock.advance(TimeDelta::days(i64::from(world.settings.rotation_days)));
    let (first, second) = tokio::join!(one.rotate_due(), two.rotate_due());
    first.unwrap();
    second.unwrap();
    one.reload_if_changed().await.unwrap();
    two.reload_if_changed().await.unwrap();

    assert_eq!(kids(&one).len(), 12, "each algorithm: next, current, retired");
    assert_eq!(kids(&one), kids(&two));
}
