//! Tests of the engine as a whole: against the reference's answers, by property, against SQL.

mod administrators;
mod grammar;
mod plans;
mod properties;
mod reduce;
mod service;
mod sql;
mod vectors;
