//! Lists of one account look at rows of that account alone, however many others there are.

use crate::base::id::AccountId;
use crate::db::testing::{self, Recorder};
use crate::policy::filter::Filter;
use crate::policy::store_subjects::{self, Which};
use crate::policy::{store, store_versions};

/// As SQLite plans them; tests over HTTP count rows on PostgreSQL.
#[tokio::test]
async fn case_59_no_query_of_one_account_reads_the_rows_of_another() {
    let (_folder, db) = testing::open().await;
    let account: AccountId = "acme".parse().unwrap();
    let (group, user) = ("g".parse().unwrap(), "u".parse().unwrap());
    let filter = || Filter { sql: "(1 = 1)".to_owned(), params: Vec::new() };
    let asked = Recorder::default();

    store::list(&asked, &account, "", 26, filter()).await.unwrap();
    store::texts(&asked, &account).await.unwrap();
    store::find(&asked, &account, "x").await.unwrap();
    store::count(&asked, &account).await.unwrap();
    store_versions::list(&asked, &account, "x", (i64::MAX, 26)).await.unwrap();
    store_versions::find(&asked, &account, "x", 1).await.unwrap();
    store_subjects::account_kind(&asked, &account).await.unwrap();
    store_subjects::texts_with(&asked, &account, "accessAdmin").await.unwrap();
    for which in [Which::All, Which::One(&user), Which::In(std::slice::from_ref(&group))] {
        store_subjects::members(&asked, &account, which, (None, 200)).await.unwrap();
    }

    asked.assert_searched(&db).await;
}
