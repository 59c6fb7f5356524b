//! How guessing is slowed down, without anybody being able to lock somebody else out.
//!
//! Every attempt is charged to buckets *before* anything is checked, so that a thousand attempts
//! at once are not a thousand free ones; the right answer gives the charge back. A stranger's
//! browser is charged to the user's bucket and to its address's. A browser that this user has
//! signed in from before is charged to a bucket of its own alone: whatever strangers do to the
//! other two does not touch it. Passwords and codes have separate buckets, or else whoever knows
//! the password could reset the count of wrong codes.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::secret::Digest;
use crate::config::model::Throttle;
use crate::users::username::UsernameKey;

/// An address may fail this many times as often as a user before it waits: many people share one.
const ADDRESS_FACTOR: u32 = 10;
/// After this time without a failure a bucket begins anew; at least.
const FORGET_AFTER: TimeDelta = TimeDelta::hours(1);

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) enum Factor {
    Password,
    Code,
}

/// One bucket that an attempt is charged to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) struct Charge {
    /// SHA-256 of kind and value: the table holds no names and no addresses.
    pub(in crate::users) bucket: Digest,
    /// Failures that cost nothing.
    pub(in crate::users) free: u32,
    /// What the right answer does to it.
    pub(in crate::users) after_success: AfterSuccess,
}

/// What the right answer does to a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) enum AfterSuccess {
    /// All is forgotten.
    Reset,
    /// Only this attempt is given back: else a guesser would sign in to an account of their own
    /// now and then, to be free again.
    GiveBack,
}

/// The buckets of one attempt.
pub(in crate::users) fn charges(
    factor: Factor,
    user: &UsernameKey,
    ip: IpAddr,
    known_device: Option<Digest>,
    settings: &Throttle,
) -> Vec<Charge> {
    let kind = match factor {
        Factor::Password => "password",
        Factor::Code => "code",
    };
    let free = settings.free_failures;
    let charge = |bucket, free, after_success| Charge { bucket, free, after_success };
    if let Some(device) = known_device {
        let bucket = bucket(kind, "device", &device.0);
        return vec![charge(bucket, free, AfterSuccess::Reset)];
    }
    vec![
        charge(bucket(kind, "user", user.as_str().as_bytes()), free, AfterSuccess::Reset),
        charge(
            bucket("any", "address", &network(ip)),
            free.saturating_mul(ADDRESS_FACTOR),
            AfterSuccess::GiveBack,
        ),
    ]
}

/// The buckets of an attempt at a code that stands for somebody's request. Nobody is locked out of
/// their own by others, so there is no mark of a known device; and a right code of one's own gives
/// nothing but itself back, or a guesser would be free again and again.
pub(in crate::users) fn guesses(
    user: &UsernameKey,
    ip: IpAddr,
    settings: &Throttle,
) -> Vec<Charge> {
    let free = settings.free_failures;
    let after_success = AfterSuccess::GiveBack;
    let own = bucket("request", "user", user.as_str().as_bytes());
    let address = bucket("any", "address", &network(ip));
    vec![
        Charge { bucket: own, free, after_success },
        Charge { bucket: address, free: free.saturating_mul(ADDRESS_FACTOR), after_success },
    ]
}

/// The bucket of whoever shows a passkey without a name: only the address is known.
pub(in crate::users) fn strangers(ip: IpAddr, settings: &Throttle) -> Vec<Charge> {
    let free = settings.free_failures.saturating_mul(ADDRESS_FACTOR);
    let after_success = AfterSuccess::GiveBack;
    vec![Charge { bucket: bucket("any", "address", &network(ip)), free, after_success }]
}

/// The bucket of an app that names users: whether there are such users is not its to find out.
pub(in crate::users) fn names(app: &str, settings: &Throttle) -> Vec<Charge> {
    let free = settings.free_failures.saturating_mul(ADDRESS_FACTOR);
    let after_success = AfterSuccess::GiveBack;
    vec![Charge { bucket: bucket("name", "app", app.as_bytes()), free, after_success }]
}

fn bucket(factor: &str, kind: &str, value: &[u8]) -> Digest {
    // Factor and kind are fixed words without the separator, so no two buckets meet.
    Digest::of(&[factor.as_bytes(), b"/", kind.as_bytes(), b"/", value].concat())
}

/// The part of an address that one client has to itself: all of IPv4, 64 bits of IPv6.
fn network(ip: IpAddr) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().iter().take(8).copied().collect(),
    }
}

/// How long a bucket is blocked that now has this many failures.
///
/// Nothing for the free ones, then 1, 2, 4, … seconds up to the limit.
pub(in crate::users) fn wait(failures: i64, free: u32, seconds_max: u32) -> TimeDelta {
    let beyond = failures.saturating_sub(i64::from(free));
    if beyond <= 0 {
        return TimeDelta::zero();
    }
    let doublings = u32::try_from(beyond - 1).unwrap_or(u32::MAX).min(40);
    let seconds = 1_i64 << doublings;
    TimeDelta::seconds(seconds.min(i64::from(seconds_max)))
}

/// A bucket that has not failed since then begins anew.
pub(in crate::users) fn stale_before(now: DateTime<Utc>, settings: &Throttle) -> DateTime<Utc> {
    // Longer than the longest block, or waiting it out would wipe the slate.
    let longest = TimeDelta::seconds(i64::from(settings.backoff_seconds_max)) * 4;
    now - FORGET_AFTER.max(longest)
}

/// What `Retry-After` says: whole seconds, at least one.
pub(in crate::users) fn retry_after(until: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
    let millis = (until - now).num_milliseconds().max(0);
    u32::try_from(millis.div_euclid(1000) + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::from_micros;

    const SETTINGS: Throttle = Throttle { free_failures: 5, backoff_seconds_max: 900 };

    fn of(user: &str, ip: &str, device: Option<Digest>) -> Vec<Charge> {
        let ip = ip.parse().unwrap();
        charges(Factor::Password, &UsernameKey::of(user), ip, device, &SETTINGS)
    }

    #[test]
    fn waits_double_up_to_the_limit() {
        let seconds = |failures| wait(failures, 5, 900).num_seconds();

        assert_eq!([0, 5, 6, 7, 8, 15, 16, 17].map(seconds), [0, 0, 1, 2, 4, 512, 900, 900]);
        assert_eq!(seconds(i64::MAX), 900);
        assert_eq!(seconds(i64::MIN), 0);
        assert_eq!(wait(i64::MAX, 0, u32::MAX).num_seconds(), i64::from(u32::MAX));
    }

    #[test]
    fn case_48_a_known_device_shares_no_bucket_with_strangers() {
        let stranger = of("ada", "192.0.2.1", None);
        let known = of("ada", "192.0.2.1", Some(Digest::of(b"mark")));

        assert_eq!(known.len(), 1);
        assert!(stranger.iter().all(|charge| charge.bucket != known[0].bucket));
    }

    #[test]
    fn case_48_codes_and_passwords_are_counted_apart() {
        let ip = "192.0.2.1".parse().unwrap();
        let key = UsernameKey::of("ada");
        let password = charges(Factor::Password, &key, ip, None, &SETTINGS);
        let code = charges(Factor::Code, &key, ip, None, &SETTINGS);

        assert_ne!(password[0].bucket, code[0].bucket);
        assert_eq!(password[1].bucket, code[1].bucket, "an address is one, whatever it guesses at");
        assert_eq!(password[1].after_success, AfterSuccess::GiveBack);
    }

    #[test]
    fn addresses_are_counted_by_what_one_client_holds() {
        let address = |ip| of("ada", ip, None)[1].bucket;

        assert_eq!(address("2001:db8:1:2::1"), address("2001:db8:1:2:ffff::9"));
        assert_ne!(address("2001:db8:1:2::1"), address("2001:db8:1:3::1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("192.0.2.1"), address("::ffff:192.0.2.1"));
        assert_eq!(of("Ada", "192.0.2.1", None), of("ada", "192.0.2.1", None));
    }

    #[test]
    fn retry_after_is_at_least_a_second() {
        let now = from_micros(10_000_000);

        assert_eq!(retry_after(now, now), 1);
        assert_eq!(retry_after(now + TimeDelta::milliseconds(1_500), now), 2);
        assert_eq!(retry_after(now - TimeDelta::days(1), now), 1);
    }

    #[test]
    fn waiting_out_the_longest_block_does_not_wipe_the_slate() {
        let settings = Throttle { free_failures: 5, backoff_seconds_max: 7_200 };
        let now = from_micros(100_000_000_000);

        assert!(now - stale_before(now, &settings) > TimeDelta::seconds(7_200));
        assert!(now - stale_before(now, &SETTINGS) >= FORGET_AFTER);
    }
}
