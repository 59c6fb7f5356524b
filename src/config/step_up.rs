//! How sure, and how recent, a sign-in must be for what changes who may do what.

use crate::config::build::Reader;

/// What is asked of a sign-in at sensitive routes of the resource API. Source: RFC 9470.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// The `acr` values of which one must be met; none: any sign-in will do.
    pub acr_values: Vec<String>,
    /// Oldest acceptable sign-in, in seconds; `None`: any.
    pub max_age_seconds: Option<u32>,
}

impl Reader<'_> {
    pub(in crate::config) fn step_up(&mut self) -> StepUp {
        let acr_values = self.list("step_up.acr_values");
        let is_value = |text: &String| text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
        if !acr_values.iter().all(is_value) {
            self.fault("step_up.acr_values", "must be acr values, such as urn:narthex:acr:2");
        }
        let seconds = self.number("step_up.max_age_seconds");
        StepUp { acr_values, max_age_seconds: (seconds > 0).then_some(seconds) }
    }
}
