//! One's own account: what people see and change about themselves.

pub(in crate::http::pages) mod section;
