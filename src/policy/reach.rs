//! To which resources something is allowed, for operations that are no [`Privilege`] of ours.
//!
//! [`Privilege`]: crate::policy::privilege::Privilege

use crate::base::id::AccountId;
use crate::db::query::Param;
use crate::policy::attributes::Attributes;
use crate::policy::document::{Document, Grant};
use crate::policy::filter::{Columns, Filter, filter};
use crate::policy::path::Later;
use crate::policy::permit::RESOURCE;

/// The resources of one account that all of some grants allow.
#[derive(Clone, Debug)]
pub struct Reach {
    account: AccountId,
    grants: Vec<Grant>,
}

impl Reach {
    /// What `operation` reaches in `account` for whom `facts` are known; `None` if nothing.
    pub fn of(
        (account, policy): (&AccountId, &Document),
        operation: &str,
        facts: &Attributes,
    ) -> Option<Self> {
        let grant = policy.reduce_one(operation, facts, Later::Only(RESOURCE))?;
        Some(Self { account: account.clone(), grants: vec![grant] })
    }

    /// What both reach; `None` if they are of two accounts.
    #[must_use]
    pub fn and(mut self, other: Self) -> Option<Self> {
        if self.account != other.account {
            return None;
        }
        self.grants.extend(other.grants);
        Some(self)
    }

    /// Where.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The rows that it reaches, as SQL whose parameters start at `$first_param`.
    pub fn filter(&self, columns: &Columns, first_param: usize) -> Filter {
        let mut params: Vec<Param> = Vec::new();
        let mut conditions = Vec::new();
        for grant in &self.grants {
            let part = filter(grant, columns, first_param + params.len());
            conditions.push(part.sql);
            params.extend(part.params);
        }
        Filter { sql: format!("({})", conditions.join(" AND ")), params }
    }
}
