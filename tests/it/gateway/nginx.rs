//! nginx as it comes from Debian, in front of a static site and a service.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::common::browser::Browser;
use crate::common::database::Kind;
use crate::common::server::TestServer;
use crate::common::world::{ada, ben};
use crate::gateway::{reader, start};

crate::common::both!(nginx_protects_a_static_site_and_a_service);

/// What nginx is told. `SERVICE` is a service that says which headers reached it.
const CONF: &str = r#"
daemon off;
master_process off;
pid FOLDER/pid;
error_log FOLDER/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:SITE;
        auth_request /gate;
        auth_request_set $gate_account $upstream_http_lifeomic_account;
        auth_request_set $gate_user $upstream_http_lifeomic_user;
        auth_request_set $gate_policy $upstream_http_lifeomic_policy;
        auth_request_set $gate_correlation $upstream_http_lifeomic_correlation_id;
        auth_request_set $gate_request $upstream_http_lifeomic_request_id;
        auth_request_set $gate_reason $upstream_http_narthex_reason;
        add_header Narthex-Reason $gate_reason always;
        large_client_header_buffers 4 16k;
        location = /gate {
            internal;
            auth_request off;
            proxy_pass NARTHEX/gateway/nginx/handbook;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_set_header X-Original-Method $request_method;
            proxy_set_header X-Original-URI $request_uri;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_buffer_size 16k;
            proxy_buffers 4 16k;
            proxy_busy_buffers_size 16k;
        }
        location /book/ { root FOLDER/site; }
        location /book/studies/ {
            proxy_pass http://127.0.0.1:SERVICE;
            proxy_set_header LifeOmic-Account $gate_account;
            proxy_set_header LifeOmic-User $gate_user;
            proxy_set_header LifeOmic-Policy $gate_policy;
            proxy_set_header lifeomic-correlation-id $gate_correlation;
            proxy_set_header lifeomic-request-id $gate_request;
            proxy_set_header Authorization "";
        }
    }
    server {
        listen 127.0.0.1:SERVICE;
        location / {
            default_type text/plain;
            return 200 "$http_lifeomic_account $http_lifeomic_user $http_lifeomic_policy [$http_authorization]";
        }
    }
}
"#;

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Starts nginx; it is gone when dropped.
async fn nginx(folder: &Path, server: &TestServer) -> (Child, String) {
    let (site, service) = (free_port().await, free_port().await);
    let conf = CONF
        .replace("FOLDER", folder.to_str().expect("a path"))
        .replace("SITE", &site.to_string())
        .replace("SERVICE", &service.to_string())
        .replace("NARTHEX", &server.url);
    let file = folder.join("nginx.conf");
    tokio::fs::write(&file, conf).await.expect("a file");
    let pages = folder.join("site/book");
    tokio::fs::create_dir_all(&pages).await.expect("a folder");
    tokio::fs::write(pages.join("page.html"), "the handbook").await.expect("a page");
    // Debian keeps it off the PATH of those who are not root.
    let program = ["/usr/sbin/nginx", "nginx"].into_iter().find(|path| Path::new(path).exists());
    let child = Command::new(program.unwrap_or("nginx"))
        .arg("-c")
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("nginx, which tests/run installs");
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", site)).await.is_ok() {
            return (child, format!("http://127.0.0.1:{site}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let log = tokio::fs::read_to_string(folder.join("error.log")).await;
    panic!("nginx does not listen: {log:?}");
}

/// The first line of the answer to a request whose path no library has put in order.
async fn raw(site: &str, path: &str, bearer: &str) -> String {
    let address = site.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("nginx listens");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {bearer}\r\n\
         LifeOmic-Account: acme\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    answer.lines().next().unwrap_or_default().to_owned()
}

async fn nginx_protects_a_static_site_and_a_service(db: Kind) {
    let server = start(db).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (_nginx, site) = nginx(folder.path(), &server).await;
    let http = Browser::new(&site);
    let app = reader(&server);
    let token = app.tokens(&server, &ben(&server)).await.access;
    let bearer = format!("Bearer {token}");
    let own = [("authorization", &*bearer), ("lifeomic-account", "acme")];
    let forged = [
        ("lifeomic-user", "ada"),
        ("lifeomic-policy", r#"{"rules":{"readData":true}}"#),
        ("x-original-uri", "/book/index"),
        ("x-original-method", "GET"),
    ];
    let get = async |path: &str, headers: &[(&str, &str)]| {
        http.send(Method::GET, path, headers, "").await
    };

    let page = get("/book/page.html", &own).await.expect(200);
    let service = get("/book/studies/heart", &[&own[..], &forged].concat()).await.expect(200);

    assert_eq!(page.body, "the handbook");
    let rest = json!([{"resource.dataset": {"comparison": "in", "value": ["heart"]}}]);
    let policy = json!({"rules": {"readData": rest}});
    assert_eq!(service.body, format!("acme ben {policy} []"));
    assert_eq!(get("/book/page.html", &[]).await.status, 401);
    assert_eq!(get("/book/page.html", &own[..1]).await.status, 403);
    let refused = get("/book/studies/liver", &[&own[..], &forged].concat()).await;
    assert_eq!((refused.status, refused.header("narthex-reason")), (403, "policy_denies"));
    for path in [
        "/book//page.html",
        "/book/x/../page.html",
        "/book/x/%2e%2e/page.html",
        "/book/page%2Ehtml",
        "/book/./page.html",
        "/gate",
    ] {
        let line = raw(&site, path, &bearer).await;
        assert!(line.contains(" 403 ") || line.contains(" 404 "), "{path}: {line}");
    }
    assert!(raw(&site, "/book/page.html", &bearer).await.contains(" 200 "));
    let deleted = http.send(Method::DELETE, "/book/page.html", &own, "").await;
    assert_eq!(deleted.status, 403);

    // A policy of some length passes, too.
    let ids: Vec<String> =
        (0..100).map(|number| format!("a-rather-long-project-id-{number:03}")).collect();
    let rule = format!(
        "[{{ user.groups: {{ comparison: includes, value: acme-nurses }}, resource.dataset: {{ comparison: in, value: [{}] }} }}]",
        ids.join(", ")
    );
    server
        .apply(&format!("accounts: [{{ id: acme, name: Acme Hospital, type: ENTERPRISE, policies: [{{ name: Long, rules: {{ readData: {rule}, createData: {rule} }} }}] }}]"))
        .await;
    let long = get("/book/studies/heart", &own).await.expect(200);
    assert!(long.body.len() > 6_000, "{}", long.body.len());

    let admins = app.tokens(&server, &ada(&server)).await.access;
    let admins = format!("Bearer {admins}");
    let admin = [("authorization", &*admins), ("lifeomic-account", "acme")];
    assert_eq!(get("/book/studies/liver", &admin).await.status, 200);
}
