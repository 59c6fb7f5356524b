//! Sending people to their providers, and taking in whoever comes back.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::accounts::service::Accounts;
use crate::base::clock::micros;
use crate::base::id::{GrantId, ProviderId};
use crate::base::secret::Digest;
use crate::config::model::Issuer;
use crate::db::ctx::Ctx;
use crate::keys::service::Keys;
use crate::keys::vault::Vault;
use crate::once::model::{Found, Kind, Owner};
use crate::once::service as once;
use crate::outbound::Outbound;
use crate::upstream::arrival::Arrival;
use crate::upstream::discovery::Discovery;
use crate::upstream::error::Refused;
use crate::upstream::journey::{Begun, Departure, JOURNEY_TTL, Journey, Own};
use crate::upstream::model::{Provider, Zeroized};
use crate::upstream::oidc::{self, OidcResponse, Peer};
use crate::upstream::providers::Providers;
use crate::upstream::saml;
use crate::upstream::saml::own::Places;
use crate::upstream::saml::request::Request;
use crate::upstream::settings::{Protocol, ResponseMode};
use crate::users::service::Users;

/// What the vault seals an answer for, until the browser comes for it.
const POSTED_PURPOSE: &str = "upstream: posted answer";

/// Providers of others, spoken to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Upstream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: Parts,
    discovery: Discovery,
}

/// What [`Upstream`] needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Storage, time, randomness.
    pub ctx: Ctx,
    /// The base of our URLs.
    pub issuer: Issuer,
    /// Signing keys.
    pub keys: Keys,
    /// Seals what is remembered.
    pub vault: Vault,
    /// People.
    pub users: Users,
    /// Tenants and their members.
    pub accounts: Accounts,
    /// The providers that are declared.
    pub providers: Providers,
    /// Requests to them.
    pub outbound: Outbound,
}

/// An answer that came as a form from the provider's site.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Posted {
    /// Of an OpenID Provider.
    Oidc(OidcResponse),
    /// Of an identity provider of SAML.
    Saml {
        /// Where it was posted to.
        at: ProviderId,
        /// The response, as XML.
        response: String,
    },
}

/// Somebody who came back.
#[derive(Clone, Debug)]
pub struct Returned {
    /// From where.
    pub provider: Arc<Provider>,
    /// Who they are there.
    pub arrival: Arrival,
    /// The authorization that waits.
    pub grant: Option<GrantId>,
}

/// Somebody who came back and is not let in.
#[derive(Debug)]
pub struct TurnedAway {
    /// Why.
    pub reason: Refused,
    /// What the provider is called, if it is known.
    pub provider: Option<Arc<Provider>>,
    /// The authorization that waits, if this is its browser.
    pub grant: Option<GrantId>,
}

impl From<Refused> for TurnedAway {
    fn from(reason: Refused) -> Self {
        Self { reason, provider: None, grant: None }
    }
}

impl Upstream {
    /// On these services.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner { parts, discovery: Discovery::default() }))
    }

    pub(in crate::upstream) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    pub(in crate::upstream) fn ctx(&self) -> &Ctx {
        &self.0.parts.ctx
    }

    pub(in crate::upstream) fn discovery(&self) -> &Discovery {
        &self.0.discovery
    }

    /// Where OpenID Providers send their answers.
    pub fn callback_url(&self) -> String {
        format!("{}/upstream/callback", self.0.parts.issuer.as_str().trim_end_matches('/'))
    }

    /// Our metadata for an identity provider of SAML.
    ///
    /// # Errors
    /// [`Refused::NotInUse`] if there is no such provider.
    pub async fn metadata(&self, id: &ProviderId) -> Result<String, Refused> {
        let provider = self.parts().providers.find(id).await?;
        let provider = provider.filter(|provider| provider.enabled).ok_or(Refused::NotInUse)?;
        let saml = provider.settings.saml().ok_or(Refused::NotInUse)?;
        Ok(Places::of(&self.parts().issuer, id, saml).metadata(saml))
    }

    /// Sends a browser to a provider.
    ///
    /// # Errors
    /// [`Refused`] if it is out of use or cannot be reached.
    pub async fn depart(
        &self,
        provider: &Provider,
        journey: Journey,
    ) -> Result<Departure, Refused> {
        if !provider.enabled {
            return Err(Refused::NotInUse);
        }
        let anew = journey.anew;
        let now = self.ctx().now();
        let metadata = match &provider.settings.protocol {
            Protocol::Oidc(oidc) => {
                let by = (&self.parts().outbound, now);
                Some(self.discovery().of(by, &provider.id, oidc).await?)
            }
            Protocol::Saml(_) => None,
        };
        let begun = Begun::new(&provider.id, journey, micros(now));
        let state =
            once::give_out(self.ctx(), Kind::Upstream, Owner::Nobody, &begun, JOURNEY_TTL).await?;
        let own = Own::of(&self.parts().vault, state.reveal());
        match (&provider.settings.protocol, metadata) {
            (Protocol::Oidc(oidc), Some(metadata)) => {
                let on_the_way = (state.reveal(), &own);
                let url = oidc::authorization_url(
                    (oidc, &metadata),
                    &self.callback_url(),
                    on_the_way,
                    anew,
                );
                Ok(Departure::Redirect(url))
            }
            (Protocol::Saml(saml), _) => {
                let secrets = self.parts().providers.secrets(provider)?;
                let request = Request {
                    saml,
                    places: &Places::of(&self.parts().issuer, &provider.id, saml),
                    key: secrets.client_key.as_ref().map(Zeroized::reveal),
                    id: &own.request_id(),
                    relay_state: state.reveal(),
                    anew,
                    now,
                };
                request.departure()
            }
            (Protocol::Oidc(_), None) => Err(Refused::Fails("its metadata cannot be had")),
        }
    }

    /// Puts an answer by that came as a form from the provider's site: without our cookies, so that
    /// nobody knows yet whose browser it is. It comes again with them, and brings the `state` alone.
    ///
    /// # Errors
    /// [`Refused::Over`] if no such sign-in waits for a form, or has got one.
    pub async fn put_by(&self, state: &str, response: &Posted) -> Result<(), Refused> {
        let found = self.waiting(state).await?;
        let provider = self.parts().providers.find(&found.data.provider).await?;
        let waits_for_form =
            provider.is_some_and(|provider| match (&provider.settings.protocol, response) {
                (Protocol::Oidc(oidc), Posted::Oidc(_)) => {
                    oidc.response_mode == ResponseMode::FormPost
                }
                (Protocol::Saml(_), Posted::Saml { at, .. }) => *at == provider.id,
                _ => false,
            });
        if !waits_for_form || found.data.posted.is_some() {
            return Err(Refused::Over);
        }
        let plain = serde_json::to_vec(response).map_err(|_| Refused::Over)?;
        let sealed = self.parts().vault.seal(POSTED_PURPOSE, &plain, self.ctx().entropy());
        let posted = URL_SAFE_NO_PAD.encode(sealed);
        let with = found.data.with_posted(posted);
        if once::swap(self.ctx(), found.id, &found.data, &with).await? {
            Ok(())
        } else {
            Err(Refused::Over)
        }
    }

    /// Takes in a browser that comes back with an answer.
    ///
    /// # Errors
    /// [`TurnedAway`].
    pub async fn take_in(
        &self,
        state: &str,
        browser: Digest,
        response: OidcResponse,
    ) -> Result<Returned, TurnedAway> {
        let found = self.waiting(state).await?;
        let begun = found.data;
        // Whoever else follows the link learns nothing, and ends nothing.
        if begun.browser != browser {
            return Err(Refused::Over.into());
        }
        let provider = self.parts().providers.find(&begun.provider).await.map_err(Refused::from)?;
        let turned_away = |reason: Refused| TurnedAway {
            reason,
            provider: provider.clone(),
            grant: begun.grant(),
        };
        let consumed = once::consume(self.ctx(), found.id).await.map_err(Refused::from)?;
        if !consumed {
            return Err(Refused::Over.into());
        }
        let known = provider.clone().filter(|provider| provider.enabled);
        let Some(known) = known else { return Err(turned_away(Refused::NotInUse)) };
        let arrival = self.arrive(&known, (&begun, state), response).await;
        let arrival = arrival.map_err(turned_away)?;
        Ok(Returned { provider: known, arrival, grant: begun.grant() })
    }

    async fn arrive(
        &self,
        provider: &Provider,
        (begun, state): (&Begun, &str),
        response: OidcResponse,
    ) -> Result<Arrival, Refused> {
        let own = Own::of(&self.parts().vault, state);
        let posted = begun.posted.as_deref().map(|posted| self.opened(posted)).transpose()?;
        let elsewhere = Refused::Untrue("the answer came another way than was asked for");
        match (&provider.settings.protocol, posted) {
            (Protocol::Saml(saml), Some(Posted::Saml { response, .. })) => {
                saml::arrive(self, (provider, saml), (begun, &own), &response).await
            }
            (Protocol::Oidc(oidc), posted) => {
                let response = match (oidc.response_mode, posted) {
                    (ResponseMode::Query, None) => response,
                    (ResponseMode::FormPost, Some(Posted::Oidc(response))) => response,
                    _ => return Err(elsewhere),
                };
                let by = (&self.parts().outbound, self.ctx().now());
                let metadata = self.discovery().of(by, &provider.id, oidc).await?;
                let peer = Peer { provider, oidc, metadata: &metadata };
                oidc::arrive(self, &peer, (begun, &own), &response).await
            }
            (Protocol::Saml(_), _) => Err(elsewhere),
        }
    }

    fn opened(&self, posted: &str) -> Result<Posted, Refused> {
        let sealed = URL_SAFE_NO_PAD.decode(posted).map_err(|_| Refused::Over)?;
        let plain = self.parts().vault.open(POSTED_PURPOSE, &sealed).ok_or(Refused::Over)?;
        serde_json::from_slice(&plain).map_err(|_| Refused::Over)
    }

    async fn waiting(&self, state: &str) -> Result<Found<Begun>, Refused> {
        once::find(self.ctx(), Kind::Upstream, state).await?.ok_or(Refused::Over)
    }
}
