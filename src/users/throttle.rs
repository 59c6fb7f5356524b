//! How guessing is slowed down, without anybody being able to lock somebody else out.
//!
//! Every attempt is charged to buckets *before* anything is checked, so that a thousand attempts
//! at once are not a thousand free ones; the right answer gives the charge back. A stranger's
//! browser is charged to the user's bucket, to its address's and to its network's. A browser that
//! this user has signed in from before is charged to a bucket of its own alone: whatever strangers
//! do to the others does not touch it. Passwords and codes have separate buckets, or else whoever
//! knows the password could reset the count of wrong codes.
//!
//! Whoever tries passwords of others (credential stuffing) fails with many names, a person with
//! one: the first failure with a name weighs five times as much in the buckets that names share.
//! Those forget as time goes on, for many people are behind them.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::secret::Digest;
use crate::config::model::Throttle;
use crate::users::username::UsernameKey;

/// An address may fail this many times as often as a user before it waits: many people share one.
const ADDRESS_FACTOR: u32 = 10;
/// A network, too: IPv4 by /24, IPv6 by /48.
const NETWORK_FACTOR: u32 = 50;
/// An account may have so many times as many letters sent to whom it invites as one reader gets.
const INVITER_FACTOR: u32 = 40;
/// What the first failure with a name weighs in shared buckets.
const NEW_NAME_WEIGHT: i64 = 5;
/// While much more fails everywhere than usual, shared buckets hold so much less.
const ALARMED_PART: u32 = 5;
/// Shared buckets count in thousandths, so that what is forgotten in a second is not nothing.
pub(in crate::users) const THOUSAND: i64 = 1_000;
/// After this time without a failure a bucket begins anew; at least. Shared ones forget as many
/// failures as are free in it.
const FORGET_AFTER: TimeDelta = TimeDelta::hours(1);

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) enum Factor {
    Password,
    Code,
}

/// How many failures are free now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) struct Limits {
    own: u32,
    shared: u32,
    seconds_max: u32,
}

impl Limits {
    /// As configured; `is_alarmed` if much more fails everywhere than usual.
    pub(in crate::users) fn of(settings: &Throttle, is_alarmed: bool) -> Self {
        let own = settings.free_failures;
        let shared = if is_alarmed { (own / ALARMED_PART).max(1) } else { own };
        Self { own, shared, seconds_max: settings.backoff_seconds_max }
    }

    /// How long a bucket is blocked that now has this many failures, in its own unit.
    pub(in crate::users) fn wait(&self, charge: &Charge, failures: i64) -> TimeDelta {
        match charge.counting {
            Counting::Own => wait(failures, charge.free, self.seconds_max),
            Counting::Shared => {
                let beyond = failures.saturating_sub(i64::from(charge.free) * THOUSAND).max(0);
                let steps = beyond.saturating_add(NEW_NAME_WEIGHT * THOUSAND - 1);
                wait(steps / (NEW_NAME_WEIGHT * THOUSAND), 0, self.seconds_max)
            }
        }
    }
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
    /// How failures are counted in it, and forgotten.
    pub(in crate::users) counting: Counting,
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

/// How failures are counted in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::users) enum Counting {
    /// One by one; all are forgotten after a time of peace.
    Own,
    /// In thousandths, by weight; forgotten little by little, for many people share it.
    Shared,
}

impl Charge {
    /// What one attempt weighs here.
    pub(in crate::users) fn weight(&self, is_new_name: bool) -> i64 {
        match (self.counting, is_new_name) {
            (Counting::Own, _) => 1,
            (Counting::Shared, false) => THOUSAND,
            (Counting::Shared, true) => THOUSAND * NEW_NAME_WEIGHT,
        }
    }

    /// Microseconds in which a shared bucket forgets a thousandth of a failure.
    pub(in crate::users) fn forgets_in(&self) -> i64 {
        let hour = FORGET_AFTER.num_microseconds().unwrap_or(i64::MAX);
        (hour / (i64::from(self.free).max(1) * THOUSAND)).max(1)
    }
}

/// What an attempt is charged to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::users) struct Buckets {
    pub(in crate::users) charges: Vec<Charge>,
    /// By which it is known whether this network has failed with this name before.
    pub(in crate::users) mark: Option<Digest>,
}

impl From<Vec<Charge>> for Buckets {
    fn from(charges: Vec<Charge>) -> Self {
        Self { charges, mark: None }
    }
}

/// The buckets of one attempt.
pub(in crate::users) fn charges(
    factor: Factor,
    user: &UsernameKey,
    ip: IpAddr,
    known_device: Option<Digest>,
    limits: &Limits,
) -> Buckets {
    let kind = match factor {
        Factor::Password => "password",
        Factor::Code => "code",
    };
    if let Some(device) = known_device {
        return vec![own(bucket(kind, "device", &device.0), limits, AfterSuccess::Reset)].into();
    }
    let name = user.as_str().as_bytes();
    let mut charges = vec![own(bucket(kind, "user", name), limits, AfterSuccess::Reset)];
    charges.extend(strangers(ip, limits).charges);
    let mark = bucket("tried", "name", &[&network(ip)[..], b"/", name].concat());
    Buckets { charges, mark: Some(mark) }
}

/// The buckets of an attempt that names nobody: the address's and the network's.
pub(in crate::users) fn strangers(ip: IpAddr, limits: &Limits) -> Buckets {
    vec![
        shared(bucket("any", "address", &address(ip)), limits.shared, ADDRESS_FACTOR),
        shared(bucket("any", "network", &network(ip)), limits.shared, NETWORK_FACTOR),
    ]
    .into()
}

/// The buckets of an attempt at a code that stands for somebody's request. Nobody is locked out of
/// their own by others, so there is no mark of a known device; and a right code of one's own gives
/// nothing but itself back, or a guesser would be free again and again.
pub(in crate::users) fn guesses(user: &UsernameKey, ip: IpAddr, limits: &Limits) -> Buckets {
    let name = bucket("request", "user", user.as_str().as_bytes());
    let mut charges = vec![own(name, limits, AfterSuccess::GiveBack)];
    charges.extend(strangers(ip, limits).charges);
    charges.into()
}

/// The buckets of whoever makes us send a letter: the reader's, whether there is one or not, and
/// those of the sender. From a device of the reader's own, that device's alone.
pub(in crate::users) fn letters(
    to: &UsernameKey,
    ip: IpAddr,
    known_device: Option<Digest>,
    limits: &Limits,
) -> Buckets {
    if let Some(device) = known_device {
        return vec![shared(bucket("letter", "device", &device.0), limits.own, 1)].into();
    }
    vec![
        shared(bucket("letter", "to", to.as_str().as_bytes()), limits.own, 1),
        shared(bucket("letter", "address", &address(ip)), limits.shared, ADDRESS_FACTOR),
        shared(bucket("letter", "network", &network(ip)), limits.shared, NETWORK_FACTOR),
    ]
    .into()
}

/// The buckets of an account that has a letter sent to somebody who did not ask for it. They are
/// apart from those of the reader's own letters, which no account can use up.
pub(in crate::users) fn invitations(account: &str, to: &UsernameKey, limits: &Limits) -> Buckets {
    vec![
        shared(bucket("invitation", "to", to.as_str().as_bytes()), limits.own, 1),
        shared(bucket("invitation", "account", account.as_bytes()), limits.own, INVITER_FACTOR),
    ]
    .into()
}

/// The bucket of strangers who have passwords judged, which costs work: only a good one is given
/// back.
pub(in crate::users) fn choices(ip: IpAddr, limits: &Limits) -> Buckets {
    vec![shared(bucket("choice", "address", &address(ip)), limits.shared, ADDRESS_FACTOR)].into()
}

/// The bucket of an app that names users: whether there are such users is not its to find out.
pub(in crate::users) fn names(app: &str, limits: &Limits) -> Buckets {
    let free = limits.own.saturating_mul(ADDRESS_FACTOR);
    let charge = own(bucket("name", "app", app.as_bytes()), limits, AfterSuccess::GiveBack);
    vec![Charge { free, ..charge }].into()
}

fn own(bucket: Digest, limits: &Limits, after_success: AfterSuccess) -> Charge {
    Charge { bucket, free: limits.own, after_success, counting: Counting::Own }
}

fn shared(bucket: Digest, free: u32, factor: u32) -> Charge {
    Charge {
        bucket,
        free: free.saturating_mul(factor),
        after_success: AfterSuccess::GiveBack,
        counting: Counting::Shared,
    }
}

fn bucket(factor: &str, kind: &str, value: &[u8]) -> Digest {
    // Factor and kind are fixed words without the separator, so no two buckets meet.
    Digest::of(&[factor.as_bytes(), b"/", kind.as_bytes(), b"/", value].concat())
}

/// The part of an address that one client has to itself: all of IPv4, 64 bits of IPv6.
fn address(ip: IpAddr) -> Vec<u8> {
    first_bytes(ip, 4, 8)
}

/// The part that one customer of a provider may have to itself. Source: RFC 6177 section 2.
pub(in crate::users) fn network(ip: IpAddr) -> Vec<u8> {
    first_bytes(ip, 3, 6)
}

fn first_bytes(ip: IpAddr, of_v4: usize, of_v6: usize) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().iter().take(of_v4).copied().collect(),
        IpAddr::V6(ip) => ip.octets().iter().take(of_v6).copied().collect(),
    }
}

/// How long a bucket is blocked that now has this many failures.
///
/// Nothing for the free ones, then 1, 2, 4, … seconds up to the limit.
fn wait(failures: i64, free: u32, seconds_max: u32) -> TimeDelta {
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
        let (ip, limits) = (ip.parse().unwrap(), Limits::of(&SETTINGS, false));
        charges(Factor::Password, &UsernameKey::of(user), ip, device, &limits).charges
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
        let (key, limits) = (UsernameKey::of("ada"), Limits::of(&SETTINGS, false));
        let password = charges(Factor::Password, &key, ip, None, &limits).charges;
        let code = charges(Factor::Code, &key, ip, None, &limits).charges;

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
        let network = |ip| of("ada", ip, None)[2].bucket;
        assert_eq!(network("192.0.2.1"), network("192.0.2.200"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:2:2::1"));
        assert_ne!(network("192.0.2.1"), address("192.0.2.1"));
    }

    #[test]
    fn case_48_an_address_waits_longer_with_each_name_and_holds_less_when_alarmed() {
        let ip = "192.0.2.1".parse().unwrap();
        let wait_of = |is_alarmed, names: i64| {
            let limits = Limits::of(&SETTINGS, is_alarmed);
            let charge = strangers(ip, &limits).charges[0];
            limits.wait(&charge, names * charge.weight(true)).num_seconds()
        };

        assert_eq!([10, 11, 12, 13].map(|names| wait_of(false, names)), [0, 1, 2, 4]);
        assert_eq!([2, 3, 4, 1_000].map(|names| wait_of(true, names)), [0, 1, 2, 900]);
        let limits = Limits::of(&SETTINGS, false);
        let charge = strangers(ip, &limits).charges[0];
        assert_eq!(limits.wait(&charge, charge.weight(false) * 51).num_seconds(), 1);
        let an_hour = 3_600_000_000 / charge.forgets_in();
        assert_eq!(an_hour, 50 * THOUSAND, "what is free is forgotten within an hour");
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
