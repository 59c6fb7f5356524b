//! Ways to spoil a request.

use proptest::prelude::*;
use proptest::sample::select;

use crate::bad_input::endpoint::{Endpoint, Shape};
use crate::common::raw::Request;

/// What is wrong with the request.
#[derive(Clone, Debug)]
pub enum Bend {
    /// A parameter twice.
    Repeat(usize),
    /// Another value, which is put in as it is, already encoded.
    Replace(usize, Vec<u8>),
    /// A parameter that nobody knows.
    Unknown(String, Vec<u8>),
    /// A value of so many bytes.
    LongValue(usize, usize),
    /// So many more parameters.
    ManyParams(usize),
    ContentType(&'static str),
    Body(Vec<u8>),
    Header(&'static str, Vec<u8>),
    /// More path.
    PathTail(Vec<u8>),
}

/// Text that has hurt somebody somewhere.
fn nasty() -> impl Strategy<Value = Vec<u8>> {
    let known: &[&[u8]] = &[
        b"",
        b"%00",
        b"a%00b",
        b"%ff%fe",
        b"%c3%28",
        b"%",
        b"%zz",
        b"%0d%0aSet-Cookie:%20x=y",
        b"'%20OR%20'1'='1",
        b"%22%3E%3Cscript%3E",
        b"../../etc/passwd",
        b"-1",
        b"0",
        b"9223372036854775808",
        b"1e999",
        b"NaN",
        b"null",
        b"%F0%9F%92%A9",
        b"%E2%80%AE",
        b"%EF%BF%BF",
        b"a.b.c",
        b"eyJhbGciOiJub25lIn0.e30.",
        b"1.AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        b"\xc3\xa4",
        b"\xff",
        b"{}",
        b"[]",
        b"+++",
        b"==&&==",
    ];
    prop_oneof![
        4 => select(known).prop_map(<[u8]>::to_vec),
        1 => "[ -~äß\u{202e}]{0,40}".prop_map(|text| {
            form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().into_bytes()
        }),
    ]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"x\"".to_owned(),
        "{\"name\":1}".to_owned(),
        "{\"name\":\"a\",\"name\":\"b\"}".to_owned(),
        "{\"name\":\"a\\u0000\"}".to_owned(),
        "{\"name\":\"\\ud800\"}".to_owned(),
        "{\"name\":\"a\",\"surprise\":1}".to_owned(),
        format!("{{\"name\":\"{}\"}}", "x".repeat(5_000)),
        format!("{{\"name\":\"a\",\"policy\":{{\"rules\":{}1{}}}}}", "[".repeat(5_000), "]".repeat(5_000)),
        "{\"name\":\"a\",\"policy\":{\"rules\":{\"__proto__\":true}}}".to_owned(),
        "{\"name\":\"a\",\"policy\":{\"rules\":{\"readData\":[{}]}}}".to_owned(),
        "{\"name\":\"a\",\"policy\":{\"rules\":{\"readData\":[{\"a\":{\"comparison\":\"equals\",\"value\":1e999}}]}}}".to_owned(),
        "[".repeat(100_000),
        "a".repeat(300_000),
        "=&=&=&".to_owned(),
    ];
    prop_oneof![
        3 => select(known.to_vec()).prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..200),
    ]
}

/// All ways.
pub fn bends() -> impl Strategy<Value = Bend> {
    let types = [
        "",
        "text/plain",
        "application/json",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded; charset=utf-16",
        "x",
        "\u{e4}",
    ];
    let fields = [
        "authorization",
        "lifeomic-account",
        "cookie",
        "origin",
        "host",
        "x-forwarded-for",
        "content-length",
        "accept",
        "range",
    ];
    prop_oneof![
        2 => any::<usize>().prop_map(Bend::Repeat),
        4 => (any::<usize>(), nasty()).prop_map(|(at, value)| Bend::Replace(at, value)),
        1 => ("[a-z_]{1,20}", nasty()).prop_map(|(name, value)| Bend::Unknown(name, value)),
        2 => (any::<usize>(), select(vec![2_000, 9_000, 20_000, 70_000]))
            .prop_map(|(at, length)| Bend::LongValue(at, length)),
        1 => select(vec![100, 2_000]).prop_map(Bend::ManyParams),
        2 => select(types.to_vec()).prop_map(Bend::ContentType),
        3 => bodies().prop_map(Bend::Body),
        2 => (select(fields.to_vec()), nasty()).prop_map(|(name, value)| Bend::Header(name, value)),
        1 => nasty().prop_map(Bend::PathTail),
    ]
}

/// A request that is being spoiled.
struct Draft {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    path: Vec<u8>,
    kind: &'static str,
    body: Option<Vec<u8>>,
    headers: Vec<(&'static str, Vec<u8>)>,
    /// Whether it must be refused.
    must: bool,
}

impl Draft {
    fn new(endpoint: &Endpoint) -> Self {
        let encoded = |value: &String| {
            form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().into_bytes()
        };
        let pair = |(name, value): &(&str, String)| (name.as_bytes().to_vec(), encoded(value));
        let header = |(name, value): &(&'static str, String)| (*name, value.clone().into_bytes());
        Self {
            pairs: endpoint.params.iter().map(pair).collect(),
            path: endpoint.path.clone().into_bytes(),
            kind: good_kind(endpoint),
            body: endpoint.json.map(|text| text.as_bytes().to_vec()),
            headers: endpoint.headers.iter().map(header).collect(),
            must: false,
        }
    }

    fn pair(&mut self, index: usize) -> Option<&mut (Vec<u8>, Vec<u8>)> {
        let at = index.checked_rem(self.pairs.len())?;
        self.pairs.get_mut(at)
    }

    fn apply(&mut self, endpoint: &Endpoint, bend: &Bend) {
        let is_post = endpoint.method == "POST";
        // Queries of the API ignore what they do not know, and lists come more than once.
        let is_strict = match endpoint.shape {
            Shape::OAuth => true,
            Shape::Page => is_post,
            Shape::Bearer | Shape::Api | Shape::Registration => false,
        };
        match bend {
            Bend::Repeat(index) => {
                if let Some(pair) = self.pair(*index).cloned() {
                    self.pairs.push(pair);
                    self.must = is_strict;
                }
            }
            Bend::Replace(index, value) => {
                if let Some(pair) = self.pair(*index) {
                    pair.1.clone_from(value);
                    self.must = is_strict && contains_nul_or_bad_utf8(value);
                }
            }
            Bend::Unknown(name, value) => {
                self.pairs.push((name.clone().into_bytes(), value.clone()));
            }
            Bend::LongValue(index, length) => {
                if let Some(pair) = self.pair(*index) {
                    pair.1 = vec![b'x'; *length];
                    self.must = is_strict && *length > 64 * 1024;
                }
            }
            Bend::ManyParams(count) => {
                let more = (0..*count).map(|n| (format!("p{n}").into_bytes(), b"1".to_vec()));
                self.pairs.extend(more);
                self.must = is_strict;
            }
            Bend::ContentType(other) => {
                let reads_it = endpoint.shape == Shape::OAuth || endpoint.json.is_some();
                self.kind = other;
                self.must = is_post && reads_it && !other.starts_with(good_kind(endpoint));
            }
            Bend::Body(other) if is_post => {
                self.body = Some(other.clone());
                self.must = endpoint.json.is_some() && !is_json_object(other);
            }
            Bend::Body(_) => {}
            Bend::Header(name, value) => self.headers.push((name, value.clone())),
            Bend::PathTail(value) => {
                self.path.push(b'/');
                self.path.extend(value);
            }
        }
    }

    fn into_request(mut self, method: &'static str) -> Request {
        let pair = |(name, value): &(Vec<u8>, Vec<u8>)| [name.as_slice(), b"=", value].concat();
        let encoded = self.pairs.iter().map(pair).collect::<Vec<_>>().join(&b"&"[..]);
        if method == "POST" {
            self.headers.push(("content-type", self.kind.as_bytes().to_vec()));
            let body = self.body.unwrap_or(encoded);
            return Request { method, target: self.path, headers: self.headers, body };
        }
        if !encoded.is_empty() {
            self.path.push(b'?');
            self.path.extend(encoded);
        }
        Request { method, target: self.path, headers: self.headers, body: Vec::new() }
    }
}

/// The request for `endpoint`, bent, and whether it must be refused.
pub fn bent(endpoint: &Endpoint, bend: &Bend) -> (Request, bool) {
    let mut draft = Draft::new(endpoint);
    draft.apply(endpoint, bend);
    let must = draft.must;
    (draft.into_request(endpoint.method), must)
}

fn good_kind(endpoint: &Endpoint) -> &'static str {
    match endpoint.json {
        Some(_) => "application/json",
        None => "application/x-www-form-urlencoded",
    }
}

fn is_json_object(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|value| value.is_object())
}

fn contains_nul_or_bad_utf8(value: &[u8]) -> bool {
    let decoded: Vec<u8> = percent_encoding::percent_decode(value).collect();
    decoded.contains(&0) || std::str::from_utf8(&decoded).is_err()
}
