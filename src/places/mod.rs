//! Where an address is, as far as a database in a file of the operator's tells: a city, a country.
//! A guess for people to recognise themselves by; nothing is decided by it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use maxminddb::{Reader, geoip2};

/// A database of places. Cheap to clone.
#[derive(Clone)]
pub struct Places(Arc<Reader<Vec<u8>>>);

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Places")
    }
}

/// Why a file is no database of places.
#[derive(Debug, thiserror::Error)]
#[error("not a database of places in the MaxMind DB format")]
pub struct BadPlaces(#[source] maxminddb::MaxMindDbError);

impl Places {
    /// Reads a file in the `MaxMind` DB format with cities or countries, such as
    /// `GeoLite2-City.mmdb`.
    ///
    /// # Errors
    /// [`BadPlaces`] if it cannot be read.
    pub fn open(file: &Path) -> Result<Self, BadPlaces> {
        Reader::open_readfile(file).map(|reader| Self(Arc::new(reader))).map_err(BadPlaces)
    }

    /// The place of an address, in English or German: `Bern, Switzerland`.
    pub fn of(&self, address: IpAddr, language: &str) -> Option<String> {
        let found = self.0.lookup(address).ok()?.decode::<geoip2::City<'_>>().ok()??;
        let in_language = |names: &geoip2::Names<'_>| {
            let own = if language == "de" { names.german } else { None };
            own.or(names.english).map(str::to_owned)
        };
        let parts = [in_language(&found.city.names), in_language(&found.country.names)];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

/// The network that an address is in, without what tells one household from the next:
/// `192.0.2.0/24`, `2001:db8:1::/48`.
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn networks_do_not_tell_one_household_from_the_next() {
        let of = |text: &str| network_of(text.parse().unwrap());

        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2:3::4"), "2001:db8:1::/48");
    }

    #[test]
    fn a_file_that_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("places.mmdb");

        assert!(Places::open(&file).is_err());
        std::fs::write(&file, "nothing of the kind").unwrap();
        assert!(Places::open(&file).is_err());
    }

    proptest! {
        #[test]
        fn every_address_is_in_a_network(address: IpAddr) {
            prop_assert!(network_of(address).contains('/'));
        }
    }
}
