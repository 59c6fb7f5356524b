//! Apps, what is asked for them, and what users gave them.

use crate::gate::routes::{
    AccountNeed, Area, Lock, Method, Missing, Operation, Route, ScopeInfo, allowed, member, route,
};
use crate::policy::privilege::{AccountAdmin, DevelopApps};

pub(super) const AREA: Area = Area { scopes: SCOPES, routes: ROUTES };

const SCOPES: &[ScopeInfo] = &[
    ScopeInfo { name: "app.read", description: "See the apps that you administer or develop" },
    ScopeInfo { name: "app.write", description: "Register and change apps" },
    ScopeInfo { name: "review.read", description: "See which apps ask to go live" },
    ScopeInfo { name: "review.write", description: "Decide which apps go live" },
    ScopeInfo { name: "consent.read", description: "See what you allowed apps to do" },
    ScopeInfo { name: "consent.write", description: "Take back what you allowed apps to do" },
    ScopeInfo {
        name: "client-token.write",
        description: "Sign you in at apps that are part of it",
    },
];

/// Administrators see all apps of the account, developers those that they registered.
const fn managed(scope: &'static str, missing: Missing) -> Lock {
    allowed::<AccountAdmin>(scope, missing).or::<DevelopApps>()
}

const fn seen() -> Lock {
    managed("app.read", Missing::NotFound)
}

const fn changed() -> Lock {
    managed("app.write", Missing::NotFound).sensitive()
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(Operation::ListApps, Method::Get, "/v1/apps",
        managed("app.read", Missing::Forbidden),
        "The apps of the account that the user administers or registered"),
    route(Operation::CreateApp, Method::Post, "/v1/apps",
        managed("app.write", Missing::Forbidden).sensitive(),
        "Registers an app in development"),
    route(Operation::GetApp, Method::Get, "/v1/apps/{id}", seen(),
        "One app"),
    route(Operation::UpdateApp, Method::Patch, "/v1/apps/{id}", changed(),
        "Changes what is registered of an app; what is not named stays"),
    route(Operation::DeleteApp, Method::Delete, "/v1/apps/{id}", changed(),
        "Deletes an app with all that users gave it"),
    route(Operation::SetAppStatus, Method::Put, "/v1/apps/{id}/status", changed(),
        "Switches an app on or off"),
    route(Operation::ListAppSecrets, Method::Get, "/v1/apps/{id}/secrets", seen(),
        "Which secrets of an app are good, by name"),
    route(Operation::AddAppSecret, Method::Post, "/v1/apps/{id}/secrets", changed(),
        "Makes a new secret, which is shown once; the one before stays good for a while"),
    route(Operation::EndAppSecret, Method::Delete, "/v1/apps/{id}/secrets/{name}", changed(),
        "Ends a secret at once"),
    route(Operation::SetAppLogo, Method::Put, "/v1/apps/{id}/logo", changed(),
        "Gives an app a picture: PNG, JPEG or WebP"),
    route(Operation::RemoveAppLogo, Method::Delete, "/v1/apps/{id}/logo", changed(),
        "Takes its picture from an app"),
    route(Operation::GetAppReview, Method::Get, "/v1/apps/{id}/review", seen(),
        "What is asked for an app, and what became of it"),
    route(Operation::DraftAppReview, Method::Put, "/v1/apps/{id}/review", changed(),
        "Drafts what an app is to be once it is live"),
    route(Operation::SubmitAppReview, Method::Post, "/v1/apps/{id}/review", changed(),
        "Asks the platform to look at the draft"),
    route(Operation::WithdrawAppReview, Method::Delete, "/v1/apps/{id}/review", changed(),
        "Takes back what is asked for"),
    route(Operation::ListReviews, Method::Get, "/v1/reviews",
        allowed::<AccountAdmin>("review.read", Missing::Forbidden),
        "What the platform is asked to look at; for administrators of its own account"),
    route(Operation::GetReview, Method::Get, "/v1/reviews/{id}",
        allowed::<AccountAdmin>("review.read", Missing::NotFound),
        "What is asked for one app"),
    route(Operation::DecideReview, Method::Patch, "/v1/reviews/{id}",
        allowed::<AccountAdmin>("review.write", Missing::NotFound).sensitive(),
        "Approves or rejects what is asked for, or suspends the app"),
    route(Operation::ListAccountApps, Method::Get, "/v1/account/apps",
        allowed::<AccountAdmin>("app.read", Missing::Forbidden),
        "The apps that may be used for the account, whoever owns them"),
    route(Operation::BlockApp, Method::Put, "/v1/account/apps/{id}/block",
        allowed::<AccountAdmin>("app.write", Missing::NotFound).sensitive(),
        "Keeps an app out of the account, whatever its allow-list says"),
    route(Operation::UnblockApp, Method::Delete, "/v1/account/apps/{id}/block",
        allowed::<AccountAdmin>("app.write", Missing::NotFound).sensitive(),
        "Lets an app in again that the account keeps out"),
    route(Operation::ListConsents, Method::Get, "/v1/consents",
        member("consent.read", AccountNeed::Optional, Missing::Forbidden),
        "The apps that the user gave something to"),
    route(Operation::WithdrawConsent, Method::Delete, "/v1/consents/{id}",
        member("consent.write", AccountNeed::Optional, Missing::NotFound),
        "Takes back what the user gave an app: all of it, or the scopes that are named"),
    route(Operation::CreateClientToken, Method::Post, "/v1/client-tokens",
        member("client-token.write", AccountNeed::Optional, Missing::Forbidden),
        "Makes a code that signs the user in at an embedded app"),
];
