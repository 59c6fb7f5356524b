//! The official plan `oidcc-formpost-basic-certification-test-plan`: the basic plan, by form.

use crate::oidc::basic_plan;

basic_plan!("form_post");
