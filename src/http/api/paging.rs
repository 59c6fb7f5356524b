//! Pages of a list, one after the other by key.
//!
//! The token of the next page names the last row of this one. It is authenticated with a key that
//! only this server has, for one account and one collection: a token from elsewhere, or one that
//! somebody made up, is refused before its contents are looked at.

use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::base::id::{AccountId, UserId};
use crate::base::secret::Digest;
use crate::http::api::error::ApiError;
use crate::http::api::query::{Query, bad};
use crate::keys::vault::Vault;

const PAGE_SIZE_DEFAULT: u32 = 25;
const PAGE_SIZE_MAX: u32 = 1000;
const PAGE_SIZE: &str = "pageSize";
const NEXT_PAGE_TOKEN: &str = "nextPageToken";
const PURPOSE: &str = "page token";
const MAC_BYTES: usize = 32;

/// A list, as the API answers it.
#[derive(Debug, Serialize)]
pub(in crate::http::api) struct List<V> {
    items: Vec<V>,
    /// How many there are in all, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::http::api) count: Option<i64>,
    links: Links,
}

impl<V> List<V> {
    /// The items, and the links by their relation: for lists of another shape.
    pub(in crate::http::api) fn into_parts(self) -> (Vec<V>, Vec<(&'static str, String)>) {
        let next = self.links.next.map(|next| ("next", next));
        (self.items, [("self", self.links.own)].into_iter().chain(next).collect())
    }
}

#[derive(Debug, Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Which page of which collection is asked for.
#[derive(Debug)]
pub(in crate::http::api) struct Paging<'r> {
    query: &'r Query,
    vault: &'r Vault,
    owner: &'r str,
    path: Cow<'static, str>,
    size: u32,
}

impl<'r> Paging<'r> {
    /// Reads the size of a page from the query of a request for the collection at `path`.
    ///
    /// # Errors
    /// [`ApiError::BadQuery`] unless it is a number from 1 to 1000, or absent.
    pub(in crate::http::api) fn read(
        query: &'r Query,
        vault: &'r Vault,
        account: &'r AccountId,
        path: impl Into<Cow<'static, str>>,
    ) -> Result<Self, ApiError> {
        Self::of(query, vault, account.as_str(), path)
    }

    /// [`Paging::read`] for a collection that is a user's, whatever the account.
    ///
    /// # Errors
    /// As there.
    pub(in crate::http::api) fn read_own(
        query: &'r Query,
        vault: &'r Vault,
        user: &'r UserId,
        path: impl Into<Cow<'static, str>>,
    ) -> Result<Self, ApiError> {
        Self::of(query, vault, user.as_str(), path)
    }

    fn of(
        query: &'r Query,
        vault: &'r Vault,
        owner: &'r str,
        path: impl Into<Cow<'static, str>>,
    ) -> Result<Self, ApiError> {
        let size = match query.one(PAGE_SIZE)? {
            None => PAGE_SIZE_DEFAULT,
            Some(text) => size(text).ok_or_else(|| {
                ApiError::BadQuery(format!("`{PAGE_SIZE}` is not 1 to {PAGE_SIZE_MAX}").into())
            })?,
        };
        Ok(Self { query, vault, owner, path: path.into(), size })
    }

    /// The key of the last row of the page before, if there was one.
    ///
    /// # Errors
    /// [`ApiError::BadQuery`] for a token that was not given out for this collection.
    pub(in crate::http::api) fn after<K: FromStr>(&self) -> Result<Option<K>, ApiError> {
        let Some(token) = self.query.one(NEXT_PAGE_TOKEN)? else { return Ok(None) };
        let key = self.open(token).ok_or_else(|| bad(NEXT_PAGE_TOKEN))?;
        key.parse().map(Some).map_err(|_| bad(NEXT_PAGE_TOKEN))
    }

    /// How many rows to fetch: one more than are shown, to know whether there are more.
    pub(in crate::http::api) fn limit(&self) -> u32 {
        self.size + 1
    }

    /// How many rows a page has.
    pub(in crate::http::api) fn size(&self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }

    /// The answer made of the rows that were fetched.
    pub(in crate::http::api) fn list<R, V>(
        &self,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> &str,
        view: impl Fn(R) -> V,
    ) -> List<V> {
        let size = self.size();
        let has_more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| has_more);
        let links = Links { own: self.own(), next: last.map(|row| self.next(key(row))) };
        List { items: rows.into_iter().map(view).collect(), count: None, links }
    }

    /// The answer made of rows that were chosen among others, up to the one whose key is `last`
    /// if there are more behind it.
    pub(in crate::http::api) fn list_until<V: Serialize>(
        &self,
        items: Vec<V>,
        last: Option<&str>,
    ) -> List<V> {
        let links = Links { own: self.own(), next: last.map(|key| self.next(key)) };
        List { items, count: None, links }
    }

    fn own(&self) -> String {
        let pairs = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.query.pairs_without(""))
            .finish();
        if pairs.is_empty() { self.path.to_string() } else { format!("{}?{pairs}", self.path) }
    }

    fn next(&self, key: &str) -> String {
        let pairs = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.query.pairs_without(NEXT_PAGE_TOKEN))
            .append_pair(NEXT_PAGE_TOKEN, &self.seal(key))
            .finish();
        format!("{}?{pairs}", self.path)
    }

    fn mac(&self, key: &[u8]) -> Digest {
        self.vault.mac(PURPOSE, &[self.owner.as_bytes(), self.path.as_bytes(), key])
    }

    fn seal(&self, key: &str) -> String {
        let mut bytes = self.mac(key.as_bytes()).to_vec();
        bytes.extend_from_slice(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (mac, key) = bytes.split_at_checked(MAC_BYTES)?;
        if Digest::from_slice(mac)? != self.mac(key) {
            return None;
        }
        String::from_utf8(key.to_vec()).ok()
    }
}

fn size(text: &str) -> Option<u32> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|size| (1..=PAGE_SIZE_MAX).contains(size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::id::{GroupId, ProjectId};

    fn vault() -> Vault {
        Vault::new(&[7; 32])
    }

    fn account(text: &str) -> AccountId {
        text.parse().unwrap()
    }

    /// The token that a list in `account` at `path` gives out after `key`.
    fn token(account: &AccountId, path: &'static str, key: &str) -> String {
        let query = Query::default();
        Paging::read(&query, &vault(), account, path).unwrap().seal(key)
    }

    fn after<K: FromStr>(text: &str, account: &AccountId, path: &'static str) -> Option<K> {
        let query = Query::parse(&format!("{NEXT_PAGE_TOKEN}={text}")).unwrap();
        let vault = vault();
        Paging::read(&query, &vault, account, path).unwrap().after().ok().flatten()
    }

    #[test]
    fn case_70_a_token_is_for_one_account_one_collection_and_one_kind_of_key() {
        let (acme, other) = (account("acme"), account("other"));
        let good = token(&acme, "/v1/projects", "p-1");

        assert_eq!(after::<ProjectId>(&good, &acme, "/v1/projects"), "p-1".parse().ok());
        assert_eq!(after::<ProjectId>(&good, &other, "/v1/projects"), None);
        assert_eq!(after::<GroupId>(&good, &acme, "/v1/account/groups"), None);
        let wrong_kind = token(&acme, "/v1/projects", "no id; DROP TABLE projects");
        assert_eq!(after::<ProjectId>(&wrong_kind, &acme, "/v1/projects"), None);
        let stranger = Vault::new(&[8; 32]);
        let query = Query::parse(&format!("{NEXT_PAGE_TOKEN}={good}")).unwrap();
        let paging = Paging::read(&query, &stranger, &acme, "/v1/projects").unwrap();
        assert!(paging.after::<ProjectId>().is_err());
    }

    #[test]
    fn case_70_page_sizes_are_1_to_1000() {
        let acme = account("acme");
        let size = |text: &str| {
            let query = Query::parse(&format!("{PAGE_SIZE}={text}")).unwrap();
            Paging::read(&query, &vault(), &acme, "/v1/projects").ok().map(|paging| paging.size)
        };

        assert_eq!(size(""), Some(PAGE_SIZE_DEFAULT));
        assert_eq!((size("1"), size("1000")), (Some(1), Some(1000)));
        for bad in ["0", "-1", "1001", "99999999999999999999", "1.5", "%2B5", "ten", "1e2", " 1"] {
            assert_eq!(size(bad), None, "{bad}");
        }
    }

    #[test]
    fn next_is_relative_and_keeps_the_other_parameters() {
        let acme = account("acme");
        let query = Query::parse("pageSize=2&name=a%26b&id=x&id=y&nextPageToken=").unwrap();
        let vault = vault();
        let paging = Paging::read(&query, &vault, &acme, "/v1/projects").unwrap();

        assert_eq!(paging.after::<ProjectId>().unwrap(), None);
        let list = paging.list(vec!["p1", "p2", "p3"], |row| row, |row| row);
        assert_eq!(list.items, ["p1", "p2"]);
        let next = list.links.next.unwrap();
        assert!(
            next.starts_with("/v1/projects?pageSize=2&name=a%26b&id=x&id=y&nextPageToken="),
            "{next}"
        );
        let end = paging.list(vec!["p1", "p2"], |row| row, |row| row);
        assert_eq!(end.links.next, None);
    }

    proptest! {
        #[test]
        fn case_70_a_bent_token_is_refused(at in 0..60_usize, byte in any::<u8>()) {
            let acme = account("acme");
            let good = token(&acme, "/v1/projects", "0199-some-project-id-that-is-long");
            let mut bytes = URL_SAFE_NO_PAD.decode(&good).unwrap();
            let changed = bytes[at] != byte;
            bytes[at] = byte;
            let bent = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(after::<ProjectId>(&bent, &acme, "/v1/projects").is_none(), changed);
        }

        #[test]
        fn case_70_a_made_up_token_is_refused(text in "[A-Za-z0-9_=-]{1,120}") {
            prop_assert!(after::<String>(&text, &account("acme"), "/v1/projects").is_none());
        }

        #[test]
        fn case_70_walking_page_by_page_shows_each_row_once(
            rows in 0..60_usize,
            size in 1..20_u32,
        ) {
            let acme = account("acme");
            let all: Vec<String> = (0..rows).map(|n| format!("p{n:04}")).collect();
            let (mut seen, mut text) = (Vec::new(), format!("pageSize={size}"));
            loop {
                let query = Query::parse(&text).unwrap();
                let vault = vault();
                let paging = Paging::read(&query, &vault, &acme, "/v1/projects").unwrap();
                let after: Option<String> = paging.after().unwrap();
                let limit = usize::try_from(paging.limit()).unwrap();
                let from = all.iter().filter(|row| after.as_ref().is_none_or(|key| *row > key));
                let list = paging.list(from.take(limit).cloned().collect(), |r| r, |r| r);
                seen.extend(list.items);
                match list.links.next {
                    Some(next) => text = next.split_once('?').unwrap().1.to_owned(),
                    None => break,
                }
            }
            prop_assert_eq!(seen, all);
        }
    }
}
