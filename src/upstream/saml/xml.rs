//! The strict reader of XML: no DTD, no entities of one's own, no comments, no instructions; little
//! depth, little size. What is left has one meaning.

use bergshamra::xml::uppsala::{Document, NodeId, NodeKind, Parser};

use crate::upstream::saml::RESPONSE_BYTES_MAX;

/// Deepest nesting of elements.
const DEPTH_MAX: u32 = 32;
/// Most elements.
const ELEMENTS_MAX: usize = 2_000;

/// A document, and the text that it was read from.
pub(in crate::upstream) struct Xml<'a> {
    pub(in crate::upstream) text: &'a str,
    pub(in crate::upstream) doc: Document<'a>,
    elements: Vec<NodeId>,
}

impl<'a> Xml<'a> {
    /// Reads a document.
    ///
    /// # Errors
    /// What it may not be or hold.
    pub(in crate::upstream) fn parse(text: &'a str) -> Result<Self, &'static str> {
        // Decrypting may make a text a little longer than what came.
        if text.len() > 2 * RESPONSE_BYTES_MAX {
            return Err("the XML is too large");
        }
        let parser = Parser::new()
            .with_forbid_dtd(true)
            .with_forbid_entities(true)
            .with_max_entity_expansion(0)
            .with_max_depth(DEPTH_MAX);
        // The five entities of XML itself and characters by number need no expansion of a DTD.
        let doc = parser.parse(text).map_err(|_| "the XML is not well-formed, or asks for more")?;
        let root = doc.document_element().ok_or("the XML is empty")?;
        let mut elements = Vec::new();
        for node in doc.children(doc.root()) {
            if node != root && !is_blank(&doc, node) {
                return Err("something stands beside the root of the XML");
            }
        }
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            match doc.node_kind(node) {
                Some(NodeKind::Element(_)) => {
                    elements.push(node);
                    waiting.extend(doc.children(node));
                }
                Some(NodeKind::Text(_) | NodeKind::CData(_)) => {}
                _ => return Err("the XML has comments or instructions"),
            }
            if elements.len() > ELEMENTS_MAX {
                return Err("the XML has too many elements");
            }
        }
        Ok(Self { text, doc, elements })
    }

    /// The root.
    pub(in crate::upstream) fn root(&self) -> Option<NodeId> {
        self.doc.document_element()
    }

    /// Whether a node is this element.
    pub(in crate::upstream) fn is(&self, node: NodeId, namespace: &str, name: &str) -> bool {
        self.doc.element(node).is_some_and(|element| element.matches_name_ns(namespace, name))
    }

    /// All elements of a name, wherever they are.
    pub(in crate::upstream) fn all(&self, namespace: &str, name: &str) -> Vec<NodeId> {
        let found = self.elements.iter().copied();
        found.filter(|node| self.is(*node, namespace, name)).collect()
    }

    /// The children that are elements.
    pub(in crate::upstream) fn children(&self, node: NodeId) -> Vec<NodeId> {
        let mut children = self.doc.children(node);
        children.retain(|child| self.doc.element(*child).is_some());
        children
    }

    /// The children of a name.
    pub(in crate::upstream) fn named(
        &self,
        node: NodeId,
        namespace: &str,
        name: &str,
    ) -> Vec<NodeId> {
        let mut children = self.children(node);
        children.retain(|child| self.is(*child, namespace, name));
        children
    }

    /// The one child of a name; `None` if there is none, or more than one.
    pub(in crate::upstream) fn one(
        &self,
        node: NodeId,
        namespace: &str,
        name: &str,
    ) -> Option<NodeId> {
        match self.named(node, namespace, name).as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// The parent.
    pub(in crate::upstream) fn parent(&self, node: NodeId) -> Option<NodeId> {
        self.doc.parent(node)
    }

    /// An attribute without a namespace.
    pub(in crate::upstream) fn attribute(&self, node: NodeId, name: &str) -> Option<&str> {
        let attributes = &self.doc.element(node)?.attributes;
        let is_it = |name_of: &bergshamra::xml::QName<'_>| {
            name_of.namespace_uri.is_none() && name_of.local_name == name
        };
        let found = attributes.iter().find(|attribute| is_it(&attribute.name));
        found.map(|attribute| &*attribute.value)
    }

    /// The text of an element that holds nothing else, without the space around it.
    pub(in crate::upstream) fn text(&self, node: NodeId) -> Option<String> {
        if !self.children(node).is_empty() {
            return None;
        }
        Some(self.doc.text_content_deep(node).trim().to_owned())
    }
}

fn is_blank(doc: &Document<'_>, node: NodeId) -> bool {
    matches!(doc.node_kind(node), Some(NodeKind::Text(text)) if text.trim().is_empty())
}

/// Text as it may stand in an element or an attribute.
pub(in crate::upstream) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
