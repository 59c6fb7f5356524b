//! Sending people to their providers, and taking in whoever comes back.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::accounts::service::Accounts;
use crate::base::clock::micros;
use crate::base::id::GrantId;
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
use crate::upstream::model::Provider;
use crate::upstream::oidc::{self, OidcResponse, Peer};
use crate::upstream::providers::Providers;
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
        let Protocol::Oidc(oidc) = &provider.settings.protocol;
        let by = (&self.parts().outbound, now);
        let metadata = self.discovery().of(by, &provider.id, oidc).await?;
        let begun = Begun::new(&provider.id, journey, micros(now));
        let state =
            once::give_out(self.ctx(), Kind::Upstream, Owner::Nobody, &begun, JOURNEY_TTL).await?;
        let own = Own::of(&self.parts().vault, state.reveal());
        let on_the_way = (state.reveal(), &own);
        let redirect_uri = self.callback_url();
        let url = oidc::authorization_url((oidc, &metadata), &redirect_uri, on_the_way, anew);
        Ok(Departure::Redirect(url))
    }

    /// Puts an answer by that came as a form from the provider's site: without our cookies, so that
    /// nobody knows yet whose browser it is. It comes again with them, and brings the `state` alone.
    ///
    /// # Errors
    /// [`Refused::Over`] if no such sign-in waits for a form, or has got one.
    pub async fn put_by(&self, state: &str, response: &OidcResponse) -> Result<(), Refused> {
        let found = self.waiting(state).await?;
        let provider = self.parts().providers.find(&found.data.provider).await?;
        let waits_for_form = provider.is_some_and(|provider| {
            let oidc = provider.settings.oidc();
            oidc.is_some_and(|oidc| oidc.response_mode == ResponseMode::FormPost)
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
        let Protocol::Oidc(oidc) = &provider.settings.protocol;
        let response = match (oidc.response_mode, &begun.posted) {
            (ResponseMode::Query, None) => response,
            (ResponseMode::FormPost, Some(posted)) => self.opened(posted)?,
            _ => return Err(Refused::Untrue("the answer came another way than was asked for")),
        };
        let by = (&self.parts().outbound, self.ctx().now());
        let metadata = self.discovery().of(by, &provider.id, oidc).await?;
        let own = Own::of(&self.parts().vault, state);
        let peer = Peer { provider, oidc, metadata: &metadata };
        oidc::arrive(self, &peer, (begun, &own), &response).await
    }

    fn opened(&self, posted: &str) -> Result<OidcResponse, Refused> {
        let sealed = URL_SAFE_NO_PAD.decode(posted).map_err(|_| Refused::Over)?;
        let plain = self.parts().vault.open(POSTED_PURPOSE, &sealed).ok_or(Refused::Over)?;
        serde_json::from_slice(&plain).map_err(|_| Refused::Over)
    }

    async fn waiting(&self, state: &str) -> Result<Found<Begun>, Refused> {
        once::find(self.ctx(), Kind::Upstream, state).await?.ok_or(Refused::Over)
    }
}
