//! Names are resolved here, and here alone: the address that was checked is the one that is
//! connected to, so a name cannot change its meaning in between (DNS rebinding).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::outbound::address::{Allowed, is_public};

pub(in crate::outbound) struct Guarded(Arc<Allowed>);

impl Guarded {
    pub(in crate::outbound) fn new(allowed: Arc<Allowed>) -> Self {
        Self(allowed)
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let is_trusted = self.0.names_host(name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One private address among them is reason enough to ask none.
            let is_good = is_trusted || found.iter().all(|address| is_public(address.ip()));
            if found.is_empty() || !is_good {
                let refused = io::Error::new(io::ErrorKind::PermissionDenied, "not a public host");
                return Err(refused.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
