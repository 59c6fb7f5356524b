//! Invitations into an account, and one's own.

use crate::gate::routes::{
    AccountNeed, Area, Method, Missing, Operation, Route, ScopeInfo, allowed, member, route,
};
use crate::policy::privilege::AccessAdmin;

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo {
        name: "invitation.read",
        description: "See your invitations, and those of the accounts you administer",
    },
    ScopeInfo {
        name: "invitation.write",
        description: "Answer your invitations, and invite others to the accounts you administer",
    },
];

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListInvitations, Method::Get, "/v1/account/invitations",
        allowed::<AccessAdmin>("invitation.read", Missing::Forbidden),
        "The invitations of the account that wait for an answer"),
    route(Operation::CreateInvitation, Method::Post, "/v1/account/invitations",
        allowed::<AccessAdmin>("invitation.write", Missing::Forbidden).sensitive(),
        "Invites an e-mail address to a group, or to a project as one of its Patients"),
    route(Operation::GetInvitation, Method::Get, "/v1/account/invitations/{id}",
        allowed::<AccessAdmin>("invitation.read", Missing::NotFound),
        "One invitation of the account"),
    route(Operation::RevokeInvitation, Method::Delete, "/v1/account/invitations/{id}",
        allowed::<AccessAdmin>("invitation.write", Missing::NotFound),
        "Takes an invitation back"),
    route(Operation::ResendInvitation, Method::Post, "/v1/account/invitations/{id}/resend",
        allowed::<AccessAdmin>("invitation.write", Missing::NotFound),
        "Sends the e-mail once more; the link of the one before stops working"),
    route(Operation::ListOwnInvitations, Method::Get, "/v1/invitations",
        member("invitation.read", AccountNeed::Optional, Missing::Forbidden),
        "The user's own invitations, for a verified e-mail address, that wait for an answer"),
    route(Operation::GetOwnInvitation, Method::Get, "/v1/invitations/{id}",
        member("invitation.read", AccountNeed::Optional, Missing::NotFound),
        "One of the user's own invitations"),
    route(Operation::AnswerInvitation, Method::Patch, "/v1/invitations/{id}",
        member("invitation.write", AccountNeed::Optional, Missing::NotFound),
        "Accepts or rejects one of the user's own invitations"),
];
