//! Projects: how the data of an account is divided. The API also says "dataset".

pub mod deletion;
pub mod model;
pub mod service;
mod store;

#[cfg(test)]
mod tests;
