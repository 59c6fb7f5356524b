//! Decisions that could have been others, and cost more than a day to change.

#[doc = include_str!("0001-one-package.md")]
pub mod d0001_one_package {}

#[doc = include_str!("0002-two-databases-one-sql.md")]
pub mod d0002_two_databases_one_sql {}

#[doc = include_str!("0003-group-commit.md")]
pub mod d0003_group_commit {}

#[doc = include_str!("0004-caches-and-changes.md")]
pub mod d0004_caches_and_changes {}

#[doc = include_str!("0005-tokens.md")]
pub mod d0005_tokens {}

#[doc = include_str!("0006-oxide-auth.md")]
pub mod d0006_oxide_auth {}

#[doc = include_str!("0007-ids.md")]
pub mod d0007_ids {}

#[doc = include_str!("0008-keys-at-rest.md")]
pub mod d0008_keys_at_rest {}

#[doc = include_str!("0009-the-gate.md")]
pub mod d0009_the_gate {}

#[doc = include_str!("0010-guessing.md")]
pub mod d0010_guessing {}

#[doc = include_str!("0011-jwe.md")]
pub mod d0011_jwe {}

#[doc = include_str!("0012-what-apps-learn-of-users.md")]
pub mod d0012_what_apps_learn_of_users {}

#[doc = include_str!("0013-the-outbox.md")]
pub mod d0013_the_outbox {}

#[doc = include_str!("0014-grants-beyond-codes.md")]
pub mod d0014_grants_beyond_codes {}

#[doc = include_str!("0015-who-asks-and-how.md")]
pub mod d0015_who_asks_and_how {}

#[doc = include_str!("0016-registration.md")]
pub mod d0016_registration {}

#[doc = include_str!("0017-bound-tokens.md")]
pub mod d0017_bound_tokens {}

#[doc = include_str!("0018-words.md")]
pub mod d0018_words {}

#[doc = include_str!("0019-letters.md")]
pub mod d0019_letters {}

#[doc = include_str!("0020-letters-and-passwords.md")]
pub mod d0020_letters_and_passwords {}

#[doc = include_str!("0021-second-factors.md")]
pub mod d0021_second_factors {}

#[doc = include_str!("0022-ones-own-account.md")]
pub mod d0022_ones_own_account {}

#[doc = include_str!("0023-providers-of-others.md")]
pub mod d0023_providers_of_others {}

#[doc = include_str!("0024-saml.md")]
pub mod d0024_saml {}

#[doc = include_str!("0025-tokens-that-come-back.md")]
pub mod d0025_tokens_that_come_back {}

#[doc = include_str!("0026-who-makes-accounts.md")]
pub mod d0026_who_makes_accounts {}

#[doc = include_str!("0027-invitations.md")]
pub mod d0027_invitations {}

#[doc = include_str!("0028-nobody-grants-what-they-do-not-hold.md")]
pub mod d0028_nobody_grants_what_they_do_not_hold {}

#[doc = include_str!("0029-who-may-what-and-why.md")]
pub mod d0029_who_may_what_and_why {}

#[doc = include_str!("0030-the-record.md")]
pub mod d0030_the_record {}

#[doc = include_str!("0031-keys-and-usage.md")]
pub mod d0031_keys_and_usage {}

#[doc = include_str!("0032-who-lets-apps-in.md")]
pub mod d0032_who_lets_apps_in {}

#[doc = include_str!("0033-signing-in-without-pages.md")]
pub mod d0033_signing_in_without_pages {}

#[doc = include_str!("0034-the-gateway.md")]
pub mod d0034_the_gateway {}

#[doc = include_str!("0035-the-decision-point.md")]
pub mod d0035_the_decision_point {}

#[doc = include_str!("0036-who-becomes-a-user.md")]
pub mod d0036_who_becomes_a_user {}

#[doc = include_str!("0037-what-leaving-leaves.md")]
pub mod d0037_what_leaving_leaves {}

#[doc = include_str!("0038-a-record-that-stays.md")]
pub mod d0038_a_record_that_stays {}

#[doc = include_str!("0040-keeping-apps-out.md")]
pub mod d0040_keeping_apps_out {}

#[doc = include_str!("0042-what-a-refusal-is.md")]
pub mod d0042_what_a_refusal_is {}
