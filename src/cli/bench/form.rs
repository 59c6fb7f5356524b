//! Just enough HTML to fill in a form of the server's own pages.

/// A form of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent; empty for the page itself.
    pub action: String,
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// An `input` or `button` with a name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub value: String,
    /// Its `type`: `submit` for buttons, `text` when nothing is said.
    pub kind: String,
}

impl Form {
    /// The forms of a page, in order.
    pub fn all(html: &str) -> Vec<Self> {
        let mut forms: Vec<Self> = Vec::new();
        for tag in html.split('<').skip(1) {
            let (name, rest) = tag.split_at(tag.find(|c: char| !c.is_alphabetic()).unwrap_or(0));
            match name.to_ascii_lowercase().as_str() {
                "form" => forms.push(Self {
                    action: attribute(rest, "action").unwrap_or_default(),
                    fields: Vec::new(),
                }),
                "input" => forms.last_mut().into_iter().for_each(|form| form.add(rest, "text")),
                "button" => forms.last_mut().into_iter().for_each(|form| form.add(rest, "submit")),
                _ => {}
            }
        }
        forms
    }

    fn add(&mut self, tag: &str, default_kind: &str) {
        if let Some(name) = attribute(tag, "name") {
            let kind = attribute(tag, "type").unwrap_or_else(|| default_kind.to_owned());
            self.fields.push(Field {
                name,
                value: attribute(tag, "value").unwrap_or_default(),
                kind,
            });
        }
    }

    /// Whether there is a field of this kind.
    pub fn has(&self, kind: &str) -> bool {
        self.fields.iter().any(|field| field.kind == kind)
    }

    /// Whether a button says yes, or nothing in particular.
    fn is_yes(field: &Field) -> bool {
        !["deny", "no", "cancel", "false"].contains(&field.value.as_str())
    }

    /// What is sent: hidden fields as they are, `text` in the first text field, `password` in
    /// password fields, and the first button that does not refuse.
    pub fn filled<'a>(&'a self, text: &'a str, password: &'a str) -> Vec<(&'a str, &'a str)> {
        let first_text =
            self.fields.iter().position(|f| matches!(f.kind.as_str(), "text" | "email"));
        let button = self.fields.iter().position(|f| f.kind == "submit" && Self::is_yes(f));
        let fields = self.fields.iter().enumerate().filter_map(|(index, field)| {
            let value = match field.kind.as_str() {
                "hidden" => field.value.as_str(),
                "password" => password,
                _ if Some(index) == first_text => text,
                "submit" if Some(index) == button => field.value.as_str(),
                _ => return None,
            };
            Some((field.name.as_str(), value))
        });
        fields.collect()
    }
}

/// The value of an attribute in double quotes, unescaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let mut rest = tag;
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let after = found.get(name.len()..)?;
        if before.ends_with(char::is_whitespace)
            && let Some(value) = after.strip_prefix("=\"")
        {
            return Some(unescaped(value.split('"').next()?));
        }
        rest = after;
    }
    None
}

/// The characters that templates escape.
fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&#60;", "<"),
        ("&gt;", ">"),
        ("&#62;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
        ("&#38;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!doctype html><main><form method="post" action="/sign-in?a=1&amp;b=2">
        <input type="hidden" name="csrf" value="a&#38;b&quot;c">
        <label>Name <input id="username" name="username" autocomplete="username"></label>
        <input type="password" name="password" required>
        <input type="checkbox" name="trust" value="1"><button>Sign in</button></form>
        <form action=""><button name="answer" value="deny">No</button>
        <button name="answer" value="allow" class="x">Yes</button></form></main>"#;

    #[test]
    fn forms_are_found_with_their_fields() {
        let forms = Form::all(PAGE);

        assert_eq!(forms.len(), 2);
        assert_eq!(forms[0].action, "/sign-in?a=1&b=2");
        assert!(forms[0].has("password") && !forms[1].has("password"));
        assert_eq!(
            forms[0].filled("ann", "secret"),
            [("csrf", "a&b\"c"), ("username", "ann"), ("password", "secret")]
        );
        assert_eq!(forms[1].filled("ann", "secret"), [("answer", "allow")]);
    }

    #[test]
    fn an_attribute_is_not_found_in_another_s_name_or_value() {
        assert_eq!(attribute(r#" data-name="x" name="y">"#, "name").unwrap(), "y");
        assert_eq!(attribute(r#" title="the name" name="y">"#, "name").unwrap(), "y");
        assert_eq!(attribute(" required>", "name"), None);
        assert_eq!(attribute("> name=\"y\"", "name"), None);
        assert!(Form::all("<").is_empty() && Form::all("no form <input name=\"x\">").is_empty());
    }
}
