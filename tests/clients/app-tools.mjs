// An app that signs in with @lifeomic/app-tools, as its README shows it. Driven by tests/it/clients.
import { APIBasedAuth, LOAuth } from "@lifeomic/app-tools";

const asked = new URLSearchParams(location.search).get("issuer");
if (asked) {
  localStorage.setItem("issuer", asked);
  location.replace("/?account=acme");
}
const issuer = localStorage.getItem("issuer");

const auth = new LOAuth({
  clientId: "platform-app",
  authorizationUri: `${issuer}/oauth2/authorize`,
  accessTokenUri: `${issuer}/oauth2/token`,
  redirectUri: `${location.origin}/`,
  logoutUri: `${issuer}/logout`,
  logoutRedirectUri: `${location.origin}/bye`,
  scopes: ["openid", "profile", "account.read"],
});
const direct = new APIBasedAuth({
  clientId: "platform-app",
  baseURLs: { apps: `${issuer}/auth/v1/api`, api: `${issuer}/v1` },
});

const find = (id) => document.getElementById(id);
const say = (id, text) => { find(id).textContent = text; };
const bearer = (token) => ({ headers: { Authorization: `Bearer ${token}` } });

async function show(token) {
  if (!token) return say("state", "nobody");
  const user = await (await fetch(`${issuer}/userinfo`, bearer(token))).json();
  const { accounts } = await (await fetch(`${issuer}/v1/accounts`, bearer(token))).json();
  say("state", `${user.preferred_username} of ${accounts.map((one) => one.id)}`);
}

async function attempt(how) {
  say("result", "");
  try {
    say("result", await how());
  } catch (error) {
    say("result", `refused: ${error.response?.data?.reason ?? error.message}`);
  }
}

find("sign-in").onclick = () => auth.startAutomaticTokenRefresh();
find("renew").onclick = () => attempt(async () => {
  const before = auth.getAccessToken();
  await auth.refreshAccessToken({ expiringRefresh: true });
  return auth.getAccessToken() === before ? "the same token" : "another token";
});
find("sign-out").onclick = () => auth.logout();
find("by-password").onclick = () => attempt(async () => {
  const methods = await direct.getLoginMethods(find("name").value);
  const input = { username: find("name").value, password: find("secret").value };
  const tokens = await direct.initiatePasswordAuth(input);
  await show(tokens.accessToken);
  return `${methods.length} other methods`;
});
find("send-code").onclick = () => attempt(async () => {
  const places = { appsBaseUri: location.origin, loginAppBasePath: "/login" };
  await direct.initiatePasswordlessAuth({ ...places, username: find("name").value });
  return "sent";
});
find("by-code").onclick = () => attempt(async () => {
  const tokens = await direct.confirmPasswordlessAuth({ code: find("secret").value });
  await show(tokens.accessToken);
  return "signed in by code";
});

if (!asked) {
  // Without a code and without stored tokens the library would sign in at once.
  const returns = new URLSearchParams(location.search).has("code");
  const stored = localStorage.getItem("lo-app-tools-auth");
  if (returns || stored) await auth.refreshAccessToken();
  await show(auth.getAccessToken());
}
