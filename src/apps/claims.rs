//! Custom claims of an app.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::id::AccountId;
use crate::base::text;

/// Longest name of a claim or an attribute, in bytes.
pub const NAME_BYTES_MAX: usize = 200;
/// Longest constant, in bytes of JSON: it travels in every token.
pub const CONSTANT_BYTES_MAX: usize = 1024;

/// Where the value of a claim comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimSource {
    /// Always this.
    #[serde(rename = "value")]
    Constant(Value),
    /// An attribute of the user.
    UserAttribute(String),
    /// A custom attribute of the user in an account.
    MemberAttribute {
        /// The account.
        account: AccountId,
        /// The name of the attribute.
        attribute: String,
    },
}

/// A claim that an app's tokens carry beside the registered ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomClaim {
    /// Its name.
    pub name: String,
    /// Its value.
    #[serde(flatten)]
    pub source: ClaimSource,
    /// Whether access tokens carry it.
    pub in_access_token: bool,
    /// Whether ID tokens carry it.
    pub in_id_token: bool,
}

/// Why a custom claim is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadClaim {
    /// Empty, too long, or with control characters.
    #[error("the name {0}")]
    Name(text::BadText),
    /// A claim that has a meaning already, which an app must not change.
    #[error("the name is that of a registered claim; take another, such as https://example.com/x")]
    Registered,
    /// The attribute's name is empty, too long, or has control characters.
    #[error("the name of the attribute {0}")]
    Attribute(text::BadText),
    /// Too long a constant.
    #[error("the value must have at most {CONSTANT_BYTES_MAX} bytes of JSON")]
    Constant,
    /// A constant that says nothing.
    #[error("the value must not be null")]
    Null,
    /// In no token.
    #[error("must be in access tokens, ID tokens or both")]
    Nowhere,
}

impl CustomClaim {
    /// Checks it by itself.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<(), BadClaim> {
        text::line(&self.name, NAME_BYTES_MAX).map_err(BadClaim::Name)?;
        if is_registered(&self.name) {
            return Err(BadClaim::Registered);
        }
        if !self.in_access_token && !self.in_id_token {
            return Err(BadClaim::Nowhere);
        }
        match &self.source {
            ClaimSource::Constant(Value::Null) => Err(BadClaim::Null),
            ClaimSource::Constant(value) if value.to_string().len() > CONSTANT_BYTES_MAX => {
                Err(BadClaim::Constant)
            }
            ClaimSource::Constant(_) => Ok(()),
            ClaimSource::UserAttribute(attribute)
            | ClaimSource::MemberAttribute { attribute, .. } => {
                text::line(attribute, NAME_BYTES_MAX).map(drop).map_err(BadClaim::Attribute)
            }
        }
    }
}

/// Whether a claim of this name means something already: to us, to OpenID Connect, or in the IANA
/// registry "JSON Web Token Claims". Upper and lower case count as the same, since readers differ.
pub fn is_registered(name: &str) -> bool {
    let name = name.trim();
    let mut known = OURS.split(' ').chain(REGISTERED.split(' '));
    known.any(|known| known.eq_ignore_ascii_case(name))
}

/// What this server writes, registered or not.
const OURS: &str = "username token_use version deletion_date";

/// RFC 7519, 8693, 9068, 7800, 8417, 8485, 9396, 9449, 9200 and others; OpenID Connect Core,
/// back- and front-channel logout, identity assurance.
const REGISTERED: &str = "\
    iss sub aud exp nbf iat jti name given_name family_name middle_name nickname \
    preferred_username profile picture website email email_verified gender birthdate zoneinfo \
    locale phone_number phone_number_verified address updated_at azp nonce auth_time at_hash \
    c_hash s_hash acr amr sub_jwk sid scope scp client_id act may_act cnf events toe txn sub_id \
    roles groups entitlements authorization_details token_introspection verified_claims \
    _claim_names _claim_sources _sd _sd_alg sd_hash ... place_of_birth nationalities \
    birth_family_name birth_given_name birth_middle_name salutation title msisdn also_known_as \
    htm htu ath vot vtm vc vp ace_profile cnonce exi rph at_use_nbr div opt sph attest orig dest \
    origid mky jcard sip_from_tag sip_date sip_callid sip_cseq_num sip_via_branch rcd rcdi crn \
    msgi atc eat_nonce eat_profile ueid sueids oemid hwmodel hwversion oemboot dbgstat location \
    submods uptime bootcount bootseed dloas swname swversion manifests measurements measres \
    intuse geohash cdniv cdnicrit cdniip cdniuc cdniets cdnistt cdnistd sig_val_claims \
    rdap_allowed_purposes rdap_dnt_allowed";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(name: &str, source: ClaimSource) -> CustomClaim {
        CustomClaim { name: name.to_owned(), source, in_access_token: true, in_id_token: false }
    }

    fn constant(value: Value) -> ClaimSource {
        ClaimSource::Constant(value)
    }

    #[test]
    fn case_64_registered_claims_cannot_be_taken() {
        for name in [
            "iss",
            "sub",
            "aud",
            "exp",
            "nbf",
            "iat",
            "jti",
            "scope",
            "client_id",
            "username",
            "token_use",
            "version",
            "auth_time",
            "amr",
            "acr",
            "nonce",
            "at_hash",
            "c_hash",
            "azp",
            "sid",
            "deletion_date",
            "cnf",
            "act",
            "may_act",
            "events",
            "email",
            "email_verified",
            "groups",
            "roles",
            "SUB",
            " sub",
            "Client_Id",
        ] {
            let refused = claim(name, constant(json!("x"))).check();
            assert_eq!(refused, Err(BadClaim::Registered), "{name}");
        }
        for name in ["tenant", "https://example.com/sub", "cognito:groups", "subject"] {
            assert_eq!(claim(name, constant(json!("x"))).check(), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_claim_has_a_name_a_value_and_a_place() {
        let attribute = |name: &str| claim("a", ClaimSource::UserAttribute(name.to_owned()));
        let empty = text::BadText::Empty;

        assert_eq!(claim(" ", constant(json!(1))).check(), Err(BadClaim::Name(empty)));
        assert!(claim("a\nb", constant(json!(1))).check().is_err());
        assert!(claim(&"a".repeat(201), constant(json!(1))).check().is_err());
        assert_eq!(claim("a", constant(Value::Null)).check(), Err(BadClaim::Null));
        let long = constant(json!("x".repeat(CONSTANT_BYTES_MAX)));
        assert_eq!(claim("a", long).check(), Err(BadClaim::Constant));
        assert_eq!(attribute("").check(), Err(BadClaim::Attribute(empty)));
        assert_eq!(attribute("employee number").check(), Ok(()));
        let nowhere = CustomClaim { in_access_token: false, ..attribute("x") };
        assert_eq!(nowhere.check(), Err(BadClaim::Nowhere));
    }

    #[test]
    fn claims_are_stored_as_json() {
        let claims = [
            claim("a", constant(json!({"b": [1]}))),
            claim("b", ClaimSource::UserAttribute("x".to_owned())),
            claim(
                "c",
                ClaimSource::MemberAttribute {
                    account: "acme".parse().unwrap(),
                    attribute: "x".to_owned(),
                },
            ),
        ];

        let text = serde_json::to_string(&claims).unwrap();

        assert_eq!(serde_json::from_str::<Vec<CustomClaim>>(&text).unwrap(), claims);
        assert!(text.starts_with(r#"[{"name":"a","value":{"b":[1]},"in_access_token":true"#));
    }
}
