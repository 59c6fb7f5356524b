//! Lists of one account look at rows of that account alone, however many others there are.

use crate::accounts::{store, store_members, store_patients};
use crate::base::id::{AccountId, GroupId, UserId};
use crate::db::testing::{self, Recorder};
use crate::policy::filter::Filter;

#[tokio::test]
async fn case_59_no_query_of_one_account_reads_the_rows_of_another() {
    let (_folder, db) = testing::open().await;
    let account: AccountId = "acme".parse().unwrap();
    let (group, user): (GroupId, UserId) = ("g".parse().unwrap(), "u".parse().unwrap());
    let filter = || Filter { sql: "(1 = 1)".to_owned(), params: Vec::new() };
    let asked = Recorder::default();

    store::account(&asked, &account).await.unwrap();
    store::accounts_of(&asked, &user).await.unwrap();
    store::membership(&asked, &account, &user).await.unwrap();
    store::attributes(&asked, &account, &user).await.unwrap();
    store::groups(&asked, &account, ("N", None, 26), filter()).await.unwrap();
    store::group(&asked, &account, &group).await.unwrap();
    store::group_named(&asked, &account, "Nurses").await.unwrap();
    store_members::count_groups(&asked, &account).await.unwrap();
    store_members::members(&asked, &account, &group, (None, 26)).await.unwrap();
    store_members::people(&asked, &account, (None, 26), filter()).await.unwrap();

    store_patients::list(&asked, (&account, &user), (None, 26), filter()).await.unwrap();

    asked.assert_searched(&db).await;
}
