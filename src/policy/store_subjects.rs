//! The members of an account, as its policies see them.

use serde_json::Map;

use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::error::DbError;
use crate::db::query::{Param, Row, built_sql, sql};
use crate::db::{Fetch, Tx};
use crate::policy::subject::{Member, Standing};

/// Which members.
#[derive(Clone, Copy, Debug)]
pub(in crate::policy) enum Which<'w> {
    /// This one.
    One(&'w UserId),
    /// A page of all.
    All,
    /// A page of those in any of these groups; never none.
    In(&'w [GroupId]),
}

/// Makes others who change access in the account wait until this unit of work has ended.
pub(in crate::policy) async fn lock(tx: &mut Tx<'_>, account: &AccountId) -> Result<(), DbError> {
    // A write that changes nothing locks the row on PostgreSQL; SQLite has one writer at a time.
    tx.execute(sql("UPDATE accounts SET updated_at = updated_at WHERE id = $1").bind(account))
        .await?;
    Ok(())
}

/// What the account pays for, if there is one: `account.type` in policies.
pub(in crate::policy) async fn account_kind(
    db: impl Fetch,
    account: &AccountId,
) -> Result<Option<String>, DbError> {
    let query = sql("SELECT type FROM accounts WHERE id = $1").bind(account);
    db.fetch_optional(query).await?.map(|row| row.get("type")).transpose()
}

/// Name and text of the policies of the account that mention `operation`, by name.
pub(in crate::policy) async fn texts_with(
    db: impl Fetch,
    account: &AccountId,
    operation: &'static str,
) -> Result<Vec<(String, String)>, DbError> {
    let query = sql("SELECT name, document FROM policies
                      WHERE account_id = $1 AND document LIKE $2 ORDER BY name");
    let rows = db.fetch_all(query.bind(account).bind(format!("%\"{operation}\"%"))).await?;
    rows.iter().map(|row| Ok((row.get("name")?, row.get("document")?))).collect()
}

/// Members of the account by id, those after `after`, at most `limit`.
pub(in crate::policy) async fn members(
    db: impl Fetch,
    account: &AccountId,
    which: Which<'_>,
    (after, limit): (Option<&UserId>, u32),
) -> Result<Vec<Member>, DbError> {
    let (condition, params): (String, Vec<Param>) = match which {
        Which::All => (String::new(), Vec::new()),
        Which::One(user) => (" AND c.user_id = $4".to_owned(), vec![user.into()]),
        Which::In(groups) => {
            let places: Vec<String> = (4..4 + groups.len()).map(|at| format!("${at}")).collect();
            let condition = format!(" AND c.group_id IN ({})", places.join(", "));
            (condition, groups.iter().map(Param::from).collect())
        }
    };
    let query = built_sql(format!(
        "WITH page AS (
            SELECT DISTINCT c.user_id FROM group_members c
             WHERE c.account_id = $1 AND c.user_id > $2{condition}
             ORDER BY c.user_id LIMIT ($3 + 0))
         SELECT m.user_id, m.group_id AS item, 'group' AS kind, u.username, u.email,
                u.email_verified, u.status, u.deletion_at, s.user_id AS service, a.attributes
           FROM group_members m
           JOIN users u ON u.id = m.user_id
           LEFT JOIN service_accounts s ON s.user_id = m.user_id
           LEFT JOIN member_attributes a
             ON a.account_id = m.account_id AND a.user_id = m.user_id
          WHERE m.account_id = $1 AND m.user_id IN (SELECT user_id FROM page)
          UNION ALL
         SELECT p.user_id, p.patient_id, 'patient', u.username, u.email,
                u.email_verified, u.status, CAST(NULL AS BIGINT), CAST(NULL AS TEXT),
                CAST(NULL AS TEXT)
           FROM patient_mappings p
           JOIN users u ON u.id = p.user_id
          WHERE p.account_id = $1 AND p.user_id IN (SELECT user_id FROM page)
          ORDER BY user_id, kind, item"
    ))
    .bind(account)
    .bind(after.map(UserId::as_str).unwrap_or_default())
    .bind(limit)
    .bind_all(params);
    let mut members: Vec<Member> = Vec::new();
    for row in db.fetch_all(query).await? {
        let id: UserId = row.parsed("group_members", "user_id")?;
        let is_group = row.get::<String>("kind")? == "group";
        match members.last_mut().filter(|member| member.id == id) {
            Some(member) if is_group => member.groups.push(row.parsed("group_members", "item")?),
            Some(member) => member.patients.push(row.parsed("patient_mappings", "item")?),
            None => members.push(read(&row, id, row.parsed("group_members", "item")?)?),
        }
    }
    Ok(members)
}

fn read(row: &Row, id: UserId, group: GroupId) -> Result<Member, DbError> {
    let email: Option<String> = row.get("email")?;
    let is_verified = row.flag("email_verified")?;
    let attributes = match row.get::<Option<String>>("attributes")? {
        None => Map::new(),
        Some(_) => row.json("member_attributes", "attributes")?,
    };
    let is_service = row.get::<Option<String>>("service")?.is_some();
    let standing = if row.get::<String>("status")? != "active" || is_service {
        Standing::Absent
    } else if row.optional_time("deletion_at")?.is_some() {
        Standing::Leaves
    } else {
        Standing::Stays
    };
    Ok(Member {
        id,
        username: row.get("username")?,
        email: email.filter(|_| is_verified),
        standing,
        groups: vec![group],
        patients: Vec::new(),
        attributes,
    })
}
