//! The reader of XML, by whatever may come.

use proptest::prelude::*;

use crate::upstream::saml::xml::{Xml, escaped};

#[test]
fn case_76_what_has_two_meanings_is_refused() {
    for bad in [
        "",
        "x",
        "<x",
        "<x></y>",
        "<!DOCTYPE x><x/>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>",
        "<x>&a;</x>",
        "<x><!-- c --></x>",
        "<x/><!-- c -->",
        "<?p i?><x/>",
        "<x><?p i?></x>",
        "<x/><y/>",
        "<x a=\"1\" a=\"2\"/>",
        "<a:x/>",
    ] {
        assert!(Xml::parse(bad).is_err(), "{bad}");
    }
    assert!(Xml::parse(&format!("{}{}", "<x>".repeat(33), "</x>".repeat(33))).is_err());
    assert!(Xml::parse(&format!("<x>{}</x>", "<y/>".repeat(3_000))).is_err());
    assert!(Xml::parse(&format!("<x>{}</x>", "y".repeat(300_000))).is_err());
    assert!(Xml::parse("<?xml version=\"1.0\"?>\n<x>&lt;&#65;&amp;</x>\n").is_ok());
}

#[test]
fn an_attribute_of_another_namespace_is_another_attribute() {
    let xml = Xml::parse("<x xmlns:e=\"urn:e\" e:ID=\"evil\" ID=\"good\"/>").unwrap();

    assert_eq!(xml.attribute(xml.root().unwrap(), "ID"), Some("good"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = Xml::parse(&text).map(|xml| xml.root().and_then(|root| xml.text(root)));
    }

    #[test]
    fn anything_like_xml_is_read_or_refused(text in "[<>/!?&;=\"' a-c:#0-9\\[\\]-]{0,120}") {
        let _ = Xml::parse(&text).map(|xml| xml.root().map(|root| xml.children(root).len()));
    }

    #[test]
    fn what_is_escaped_comes_back(text in "[^\\p{C}]{0,60}") {
        let document = format!("<x a=\"{0}\">{0}</x>", escaped(&text));
        let xml = Xml::parse(&document).unwrap();
        let root = xml.root().unwrap();
        prop_assert_eq!(xml.attribute(root, "a"), Some(text.as_str()));
        prop_assert_eq!(xml.text(root), Some(text.trim().to_owned()));
    }
}
