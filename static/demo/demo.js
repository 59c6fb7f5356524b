// The demo app: signs in, shows the projects of "acme", and provokes each refusal.

import { claimsOf, Client, OAuthError } from "/oauth.js";

const $ = (id) => document.getElementById(id);
const SESSION_KEY = "session";

/** What each reason means, for whoever tries the buttons. */
const ABOUT = {
  insufficient_scope: "The token lacks the scope that this method and path need.",
  account_required: "An app must say which account it works in, with the LifeOmic-Account header.",
  app_in_development: "The app is still in development: only people with the developApps privilege in the account may use it.",
  app_not_allowed: "The app may not be used in this account: it is not on the app's list of accounts.",
  not_a_member: "You are in no group of this account.",
  policy_denies: "No policy of the account lets you do this.",
  access_denied: "Narthex gave this app no token at all: it is still in development, and you are no developer.",
};

let settings;
let metadata;

async function start() {
  settings = await (await fetch("/config.json")).json();
  $("own-origin").textContent = location.origin;
  $("issuer").textContent = settings.issuer;
  metadata = await Client.discover(settings.issuer);
  wire();
  const answer = new URLSearchParams(location.search);
  if (location.pathname === "/callback") {
    // The code must not stay in the address bar or the history.
    history.replaceState(null, "", "/");
    await comeBack(answer);
  }
  await show();
}

function client(kind) {
  const app = settings.apps[kind];
  return new Client(metadata, app.client_id, `${location.origin}/callback`, app.scope);
}

// Tokens live in sessionStorage: they end with the tab, and survive the second code flow that one
// of the buttons makes. Scripts of this origin can read them; the Content-Security-Policy lets no
// other script in.
const session = {
  get: () => JSON.parse(sessionStorage.getItem(SESSION_KEY)),
  set: (tokens) => sessionStorage.setItem(SESSION_KEY, JSON.stringify(tokens)),
  clear: () => sessionStorage.clear(),
};

async function comeBack(answer) {
  const pending = Client.pending(answer);
  const kind = Object.keys(settings.apps).find((name) => settings.apps[name].client_id === pending.clientId);
  if (pending.then === "sign-in") {
    session.set(await client(kind).finish(answer, pending));
    return;
  }
  // The second app, which is in development.
  await show();
  try {
    const tokens = await client(kind).finish(answer, pending);
    await provoke("provoke-developing", { token: tokens.access_token, account: settings.accounts.plain });
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    showResult(`authorization of ${pending.clientId}`, error.status ?? "", error.code, error.body);
  }
}

async function show() {
  const tokens = session.get();
  $("welcome").hidden = tokens !== null;
  $("workspace").hidden = tokens === null;
  $("signed-in-bar").hidden = tokens === null;
  if (tokens === null) return;
  await showUser(tokens);
  $("token-claims").textContent = JSON.stringify(claimsOf(tokens.access_token), null, 2);
  await showProjects(tokens);
}

async function showUser(tokens) {
  const answer = await fetch(metadata.userinfo_endpoint, { headers: { Authorization: `Bearer ${tokens.access_token}` } });
  const claims = answer.ok ? await answer.json() : claimsOf(tokens.id_token);
  $("user-name").textContent = claims.name ?? claims.preferred_username ?? claims.sub;
}

async function showProjects(tokens) {
  const { status, body } = await call("GET", "/v1/projects?pageSize=100", { token: tokens.access_token, account: settings.accounts.main });
  if (status === 401) return expired();
  if (status !== 200) {
    showResult(`GET /v1/projects`, status, body.reason ?? body.error, body);
    return;
  }
  $("projects").replaceChildren(...body.items.map((project) => {
    const item = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = project.name;
    const about = document.createElement("span");
    about.textContent = project.description ?? "";
    item.dataset.id = project.id;
    item.append(name, about);
    return item;
  }));
  $("projects-count").textContent = body.items.length === 1 ? "1 project" : `${body.items.length} projects`;
}

/** One request to the resource API. */
async function call(method, path, { token, account, body }) {
  const headers = { Authorization: `Bearer ${token}` };
  if (account) headers["LifeOmic-Account"] = account;
  if (body) headers["Content-Type"] = "application/json";
  const answer = await fetch(`${settings.issuer}${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  let parsed = text;
  try { parsed = JSON.parse(text); } catch { /* not JSON: shown as it is */ }
  return { status: answer.status, body: parsed };
}

async function provoke(id, { method = "GET", path = "/v1/projects", token, account, body } = {}) {
  for (const button of $("gates").children) button.setAttribute("aria-pressed", String(button.id === id));
  const bearer = token ?? session.get().access_token;
  const answer = await call(method, path, { token: bearer, account, body });
  if (answer.status === 401 && token === undefined) return expired();
  const header = account ? `LifeOmic-Account: ${account}` : "no LifeOmic-Account header";
  showResult(`${method} ${path}  (${header})`, answer.status, answer.body.reason ?? answer.body.error ?? "", answer.body);
}

function showResult(request, status, reason, body) {
  $("result").hidden = false;
  $("result").classList.toggle("fine", status >= 200 && status < 300);
  $("result-request").textContent = request;
  $("result-status").textContent = String(status);
  $("result-reason").textContent = reason;
  $("result-about").textContent = ABOUT[reason] ?? "";
  $("result-body").textContent = typeof body === "string" ? body : JSON.stringify(body, null, 2);
  $("result").scrollIntoView({ block: "nearest" });
}

function expired() {
  session.clear();
  $("problem").textContent = "The session has ended. Sign in again.";
  $("problem").hidden = false;
  return show();
}

/** The account in which the signed-in person is an ordinary member. */
async function plainAccount() {
  const { body } = await call("GET", "/v1/accounts", { token: session.get().access_token });
  const ids = (body.accounts ?? []).map((account) => account.id);
  return ids.includes(settings.accounts.plain) ? settings.accounts.plain : settings.accounts.main;
}

function wire() {
  const on = (id, act) => $(id).addEventListener("click", async () => {
    $(id).disabled = true;
    try {
      $("problem").hidden = true;
      await act();
    } catch (error) {
      report(error);
    } finally {
      $(id).disabled = false;
    }
  });
  const { accounts } = settings;
  on("sign-in", () => client("live").begin("sign-in"));
  on("sign-out", () => {
    const tokens = session.get();
    session.clear();
    client("live").signOut(tokens, `${location.origin}/`);
  });
  on("refresh", async () => {
    session.set(await client("live").refresh(session.get()));
    await show();
  });
  on("provoke-no-scope", () => provoke("provoke-no-scope", { path: "/v1/policies", account: accounts.main }));
  on("provoke-no-account", () => provoke("provoke-no-account"));
  on("provoke-developing", () => client("developing").begin("developing"));
  on("provoke-app-not-allowed", () => provoke("provoke-app-not-allowed", { account: accounts.not_allowed }));
  on("provoke-not-a-member", () => provoke("provoke-not-a-member", { account: accounts.stranger }));
  on("provoke-policy-denies", async () => {
    const account = await plainAccount();
    await provoke("provoke-policy-denies", { method: "POST", account, body: { name: "A project that should not be" } });
  });
}

function report(error) {
  const code = error instanceof OAuthError ? `${error.code}: ` : "";
  $("problem").textContent = `${code}${error.message}`;
  $("problem").hidden = false;
}

start().catch(async (error) => {
  report(error);
  if (settings) await show().catch(report);
});
