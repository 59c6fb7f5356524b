//! Reads the forms of a page, as a browser does.

/// A form and what it would send.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Where it is sent to.
    pub action: String,
    /// The values it holds: hidden fields and defaults, not its buttons.
    pub fields: Vec<(String, String)>,
    /// The buttons that send a value.
    pub buttons: Vec<(String, String)>,
}

impl Form {
    /// The forms of a page, in order.
    pub fn all(html: &str) -> Vec<Self> {
        html.split("<form").skip(1).map(Self::read).collect()
    }

    /// The form of a page that is sent to an action which contains `action`.
    #[track_caller]
    pub fn of(html: &str, action: &str) -> Self {
        let found = Self::all(html).into_iter().find(|form| form.action.contains(action));
        found.unwrap_or_else(|| panic!("no form for {action} in {html}"))
    }

    /// Whether it asks for, or holds, a field.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(held, _)| held == name)
    }

    fn read(rest: &str) -> Self {
        let (head, inner) = rest.split_once('>').unwrap_or_default();
        let inner = inner.split("</form>").next().unwrap_or_default();
        let mut form = Self { action: attribute(head, "action"), ..Self::default() };
        for tag in inner.split('<').filter_map(|part| part.split('>').next()) {
            let name = attribute(tag, "name");
            if name.is_empty() {
                continue;
            }
            let pair = (name, attribute(tag, "value"));
            let is_box = matches!(&*attribute(tag, "type"), "checkbox" | "radio");
            if tag.starts_with("button") || attribute(tag, "type") == "submit" {
                form.buttons.push(pair);
            } else if tag.starts_with("input") && (!is_box || tag.contains("checked")) {
                form.fields.push(pair);
            }
        }
        form
    }
}

/// The value of an attribute, unescaped; empty when absent.
fn attribute(tag: &str, name: &str) -> String {
    let found = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    let value = found.map_or("", |(value, _)| value);
    value
        .replace("&#38;", "&")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&amp;", "&")
}

#[test]
fn a_form_is_read_with_what_it_holds() {
    let html = r#"<form method="post" action="/a?b=1&#38;c=2"><input type="hidden" name="csrf"
        value="x"> <input name="username"><button name="answer" value="yes">Yes</button></form>"#;

    let form = Form::of(&html.replace('\n', " "), "/a");

    assert_eq!(form.action, "/a?b=1&c=2");
    assert_eq!(form.fields, [("csrf".into(), "x".into()), ("username".into(), String::new())]);
    assert_eq!(form.buttons, [("answer".to_owned(), "yes".to_owned())]);
}
