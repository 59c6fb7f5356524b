//! The groups of an account, its people, and oneself.

use crate::gate::routes::{
    AccountNeed, Area, Method, Missing, Operation, Route, ScopeInfo, allowed, member, route,
};
use crate::policy::privilege::AccessAdmin;

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "group.read", description: "See the groups and the people of an account" },
    ScopeInfo {
        name: "group.write",
        description: "Change the groups of an account, and who is in them",
    },
    ScopeInfo { name: "user.read", description: "See your name, e-mail address and picture" },
    ScopeInfo { name: "user.write", description: "Change your name" },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListGroups, Method::Get, "/v1/account/groups",
        allowed::<AccessAdmin>("group.read", Missing::Forbidden),
        "The groups of the account"),
    route(Operation::CreateGroup, Method::Post, "/v1/account/groups",
        allowed::<AccessAdmin>("group.write", Missing::Forbidden),
        "Adds a group to the account"),
    route(Operation::GetGroup, Method::Get, "/v1/account/groups/{id}",
        allowed::<AccessAdmin>("group.read", Missing::NotFound),
        "One group of the account"),
    route(Operation::ChangeGroup, Method::Put, "/v1/account/groups/{id}",
        allowed::<AccessAdmin>("group.write", Missing::NotFound),
        "Gives a group another name or description"),
    route(Operation::DeleteGroup, Method::Delete, "/v1/account/groups/{id}",
        allowed::<AccessAdmin>("group.write", Missing::NotFound).sensitive(),
        "Deletes a group; those that every account has are protected"),
    route(Operation::ListMembers, Method::Get, "/v1/account/groups/{id}/members",
        allowed::<AccessAdmin>("group.read", Missing::NotFound),
        "Who is in a group"),
    route(Operation::AddMember, Method::Put, "/v1/account/groups/{id}/members/{user}",
        allowed::<AccessAdmin>("group.write", Missing::NotFound).sensitive(),
        "Adds somebody of the account to one more group; others are invited"),
    route(Operation::RemoveMember, Method::Delete, "/v1/account/groups/{id}/members/{user}",
        allowed::<AccessAdmin>("group.write", Missing::NotFound).sensitive(),
        "Takes somebody out of a group"),
    route(Operation::ListPeople, Method::Get, "/v1/account/users",
        allowed::<AccessAdmin>("group.read", Missing::Forbidden),
        "The people of the account"),
    route(Operation::GetPerson, Method::Get, "/v1/account/users/{id}",
        allowed::<AccessAdmin>("group.read", Missing::NotFound),
        "One of the people of the account, with their groups"),
    route(Operation::RemovePerson, Method::Delete, "/v1/account/users/{id}",
        allowed::<AccessAdmin>("group.write", Missing::NotFound).sensitive(),
        "Takes somebody out of the account: out of all its groups"),
    route(Operation::ListPatients, Method::Get, "/v1/account/users/{id}/patients",
        allowed::<AccessAdmin>("group.read", Missing::NotFound),
        "The Patients that one of the people of the account is"),
    route(Operation::EndPatient, Method::Delete, "/v1/account/users/{id}/patients/{patient}",
        allowed::<AccessAdmin>("group.write", Missing::NotFound).sensitive(),
        "Makes somebody no longer a Patient; an invitation makes them one"),
    route(Operation::GetOwnUser, Method::Get, "/v1/user",
        member("user.read", AccountNeed::Optional, Missing::Forbidden),
        "The user of the token"),
    route(Operation::ChangeOwnUser, Method::Patch, "/v1/user",
        member("user.write", AccountNeed::Optional, Missing::Forbidden),
        "Changes the names of the user of the token"),
];
