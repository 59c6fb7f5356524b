//! A site of an app's developer: serves documents to the server, and notes who came.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Visit {
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: String,
    pub authorization: String,
}

/// A site that runs until it is dropped.
pub struct Host {
    pub url: String,
    state: Arc<Shared>,
    _stop: DropGuard,
}

#[derive(Default)]
struct Shared {
    documents: Mutex<HashMap<String, (u16, &'static str, String)>>,
    visits: Mutex<Vec<Visit>>,
}

impl Host {
    /// A site without documents: 404 everywhere.
    pub async fn start() -> Self {
        let state = Arc::new(Shared::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(state.clone());
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(
            async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await },
        );
        Self { url, state, _stop: stop.drop_guard() }
    }

    /// The URL of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Serves `text` at `path` from now on.
    pub fn put(&self, path: &str, media_type: &'static str, text: impl Into<String>) {
        self.answer_with(path, 200, media_type, text);
    }

    /// Answers with any status at `path` from now on; the text of a 3xx is where it leads to.
    pub fn answer_with(
        &self,
        path: &str,
        status: u16,
        media_type: &'static str,
        text: impl Into<String>,
    ) {
        let document = (status, media_type, text.into());
        self.state.documents.lock().expect("documents").insert(path.to_owned(), document);
    }

    /// The requests for `path`, in their order.
    pub fn visits(&self, path: &str) -> Vec<Visit> {
        let visits = self.state.visits.lock().expect("visits");
        visits.iter().filter(|visit| visit.path == path).cloned().collect()
    }
}

async fn answer(State(state): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let path = parts.uri.path().to_owned();
    let field = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    state.visits.lock().expect("visits").push(Visit {
        method: parts.method.to_string(),
        path: path.clone(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        authorization: field.unwrap_or_default().to_owned(),
    });
    let document = state.documents.lock().expect("documents").get(&path).cloned();
    let (status, media_type, text) = document.unwrap_or((404, "text/plain", String::new()));
    let mut response = Response::builder().status(status).header("content-type", media_type);
    if (300..400).contains(&status) {
        response = response.header("location", &text);
    }
    response.body(Body::from(text)).expect("a response")
}
