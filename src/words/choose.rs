//! Which language somebody wants. By the primary subtag alone: who reads Swiss German reads ours.

use crate::words::Language;

/// The best that there is, in thousandths. Source: RFC 9110 section 12.4.2.
const BEST: u16 = 1000;

impl Language {
    /// The language that a tag names: `de`, `de-AT`, `DE-1996`. Source: RFC 5646 section 2.1.1.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.code()))
    }

    /// The first of ours among tags with spaces between them, the most wanted first: `ui_locales`,
    /// or the `locale` of a user. Source: OpenID Connect Core sections 3.1.2.1 and 5.1.
    pub fn of_tags(tags: &str) -> Option<Self> {
        tags.split(' ').find_map(Self::of_tag)
    }

    /// The most wanted of ours in `Accept-Language`; of two that are wanted alike the first.
    /// Source: RFC 9110 section 12.5.4.
    pub fn of_accept(header: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for (tag, quality) in header.split(',').filter_map(range) {
            let language = if tag == "*" { Some(Self::default()) } else { Self::of_tag(tag) };
            let is_better = quality > best.map_or(0, |(known, _)| known);
            if let Some(language) = language.filter(|_| is_better) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// One item of `Accept-Language`, and how much it is wanted; `None` if it is malformed.
fn range(item: &str) -> Option<(&str, u16)> {
    let (tag, quality) = match item.split_once(';') {
        None => (item, BEST),
        Some((tag, weight)) => {
            let (name, value) = weight.trim().split_once('=')?;
            (tag, name.eq_ignore_ascii_case("q").then(|| thousandths(value))??)
        }
    };
    Some((tag.trim(), quality))
}

/// `0.75` as 750. At most three digits after the point. Source: RFC 9110 section 12.4.2.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_part = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "0" if is_part => format!("{part:0<3}").parse().ok(),
        "1" if is_part && part.bytes().all(|byte| byte == b'0') => Some(BEST),
        _ => None,
    }
}
