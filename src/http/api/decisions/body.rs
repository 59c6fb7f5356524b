//! Bodies of questions. Members that nobody here knows are passed over, as the specification says.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use crate::gate::questions::{PROJECT, Question};
use crate::policy::attributes::Attributes;
use crate::policy::permit::RESOURCE;

/// Longest type, id or name, in bytes.
const TEXT_BYTES_MAX: usize = 1024;
/// Most properties of a resource or a context.
const PROPERTIES_MAX: usize = 64;

/// Why a question is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadQuestion(pub(super) &'static str);

impl BadQuestion {
    /// In a batch.
    pub(super) fn shown(self) -> Value {
        let error = json!({ "status": 400, "message": self.0 });
        json!({ "decision": false, "context": { "error": error } })
    }
}

/// A subject or a resource.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Entity {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    #[serde(default, deserialize_with = "or_nothing")]
    properties: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Action {
    name: Option<String>,
}

/// The four things that a question is made of.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(in crate::http::api) struct Tuple {
    subject: Option<Entity>,
    action: Option<Action>,
    resource: Option<Entity>,
    context: Option<Map<String, Value>>,
}

/// When the rest of a batch is not looked at any more.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Options {
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) evaluations_semantic: Semantic,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct PageBody {
    pub(super) token: Option<String>,
    pub(super) limit: Option<usize>,
}

/// Several questions, or a search.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::http::api) struct Asked {
    #[serde(flatten)]
    pub(super) defaults: Tuple,
    pub(super) evaluations: Option<Vec<Tuple>>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) options: Options,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) page: PageBody,
}

/// What is `null` is taken for absent.
fn or_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn text(text: Option<&String>, fault: &'static str) -> Result<String, BadQuestion> {
    let fits = |text: &&String| !text.is_empty() && text.len() <= TEXT_BYTES_MAX;
    text.filter(fits).cloned().ok_or(BadQuestion(fault))
}

impl Tuple {
    /// What is missing here, from the defaults: each of the four as a whole.
    pub(super) fn or(self, defaults: &Self) -> Self {
        Self {
            subject: self.subject.or_else(|| defaults.subject.clone()),
            action: self.action.or_else(|| defaults.action.clone()),
            resource: self.resource.or_else(|| defaults.resource.clone()),
            context: self.context.or_else(|| defaults.context.clone()),
        }
    }

    pub(super) fn question(&self) -> Result<Question, BadQuestion> {
        let (kind, id) = self.subject()?;
        Ok(Question { kind, id, action: self.action()?, known: self.known()? })
    }

    /// The question of a search for subjects, whose id counts for nothing.
    pub(super) fn question_about_any_subject(&self) -> Result<Question, BadQuestion> {
        let kind = self.subject.as_ref().and_then(|one| one.kind.as_ref());
        let kind = text(kind, "subject.type is missing")?;
        Ok(Question { kind, id: String::new(), action: self.action()?, known: self.known()? })
    }

    /// The question of a search for resources, whose id counts for nothing, and their type.
    pub(super) fn question_about_any_resource(&self) -> Result<(Question, String), BadQuestion> {
        let (kind, id) = self.subject()?;
        let resource = self.resource.as_ref().and_then(|one| one.kind.as_ref());
        let resource = text(resource, "resource.type is missing")?;
        let known = self.environment()?;
        Ok((Question { kind, id, action: self.action()?, known }, resource))
    }

    /// The question of a search for actions.
    pub(super) fn question_about_any_action(&self) -> Result<Question, BadQuestion> {
        let (kind, id) = self.subject()?;
        Ok(Question { kind, id, action: String::new(), known: self.known()? })
    }

    /// What is claimed of the subject beyond its name is not looked at.
    fn subject(&self) -> Result<(String, String), BadQuestion> {
        let subject = self.subject.as_ref().ok_or(BadQuestion("subject is missing"))?;
        let kind = text(subject.kind.as_ref(), "subject.type is missing or too long")?;
        Ok((kind, text(subject.id.as_ref(), "subject.id is missing or too long")?))
    }

    fn action(&self) -> Result<String, BadQuestion> {
        let name = self.action.as_ref().and_then(|action| action.name.as_ref());
        text(name, "action.name is missing or too long")
    }

    fn environment(&self) -> Result<Attributes, BadQuestion> {
        let mut known = Attributes::new();
        let context = self.context.iter().flatten();
        if self.context.as_ref().is_some_and(|context| context.len() > PROPERTIES_MAX) {
            return Err(BadQuestion("context has too many members"));
        }
        for (name, value) in context {
            known.put("environment", name, value);
        }
        Ok(known)
    }

    fn known(&self) -> Result<Attributes, BadQuestion> {
        let resource = self.resource.as_ref().ok_or(BadQuestion("resource is missing"))?;
        let kind = text(resource.kind.as_ref(), "resource.type is missing or too long")?;
        let id = text(resource.id.as_ref(), "resource.id is missing or too long")?;
        if resource.properties.len() > PROPERTIES_MAX {
            return Err(BadQuestion("resource.properties has too many members"));
        }
        let mut known = self.environment()?;
        for (name, value) in &resource.properties {
            known.put(RESOURCE, name, value);
        }
        if kind == PROJECT {
            known.put(RESOURCE, "dataset", id.as_str());
        }
        Ok(known.with(RESOURCE, "type", kind).with(RESOURCE, "id", id))
    }
}
