//! The texts, read once.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::words::Language;

/// The files of one language, by their area.
macro_rules! files {
    ($language:literal) => {
        files!(
            $language,
            "account",
            "base",
            "consent",
            "errors",
            "factors",
            "invitation",
            "mail",
            "sign-in",
            "sign-out",
            "sign-up",
            "upstream"
        )
    };
    ($language:literal, $($area:literal),+) => {
        &[$(($area, include_str!(concat!("../../templates/words/", $language, "/", $area, ".ftl")))),+]
    };
}

const ENGLISH: &[(&str, &str)] = files!("en");
const GERMAN: &[(&str, &str)] = files!("de");

static BUNDLES: LazyLock<[FluentBundle<FluentResource>; 2]> =
    LazyLock::new(|| Language::ALL.map(read));

/// The files of a language, by their area.
pub(in crate::words) fn files(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::English => ENGLISH,
        Language::German => GERMAN,
    }
}

/// Reads the files of a language. What is wrong in them is left out: a test finds it before.
fn read(language: Language) -> FluentBundle<FluentResource> {
    let tag: LanguageIdentifier = language.code().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    // Marks around what is put in would stand in the text of letters and of tests; templates
    // isolate what others wrote.
    bundle.set_use_isolating(false);
    for (_, text) in files(language) {
        let (Ok(resource) | Err((resource, _))) = FluentResource::try_new((*text).to_owned());
        let _: Result<(), _> = bundle.add_resource(resource);
    }
    bundle
}

/// The text with this id; the id itself if there is none, which a test build does not let pass.
pub(in crate::words) fn text(
    language: Language,
    id: &str,
    arguments: Option<&FluentArgs<'_>>,
) -> String {
    let [english, german] = &*BUNDLES;
    let bundle = match language {
        Language::English => english,
        Language::German => german,
    };
    let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
        debug_assert!(false, "there are no words for {id}");
        tracing::error!(id, "there are no words for this");
        return id.to_owned();
    };
    let mut errors = Vec::new();
    let text = bundle.format_pattern(pattern, arguments, &mut errors).into_owned();
    debug_assert!(errors.is_empty(), "{id}: {errors:?}");
    text
}
