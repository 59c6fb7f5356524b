// An app of one page, as the documentation of oidc-client-ts shows it. Driven by tests/it/clients.
const { UserManager, WebStorageStateStore } = window.oidc;

const asked = new URLSearchParams(location.search).get("issuer");
if (asked) localStorage.setItem("issuer", asked);

const manager = new UserManager({
  authority: localStorage.getItem("issuer"),
  client_id: "spa",
  redirect_uri: `${location.origin}/callback`,
  silent_redirect_uri: `${location.origin}/silent`,
  post_logout_redirect_uri: `${location.origin}/bye`,
  scope: "openid profile",
  loadUserInfo: true,
  userStore: new WebStorageStateStore({ store: localStorage }),
});

const say = (id, text) => { document.getElementById(id).textContent = text; };
const show = (user) => say("state", user ? user.profile.preferred_username : "nobody");

async function renew(how, prepare) {
  say("result", "");
  try {
    const before = await manager.getUser();
    await prepare(before);
    const after = await manager.signinSilent();
    const another = after.access_token !== before?.access_token;
    say("result", `renewed ${how}: ${another ? "another token" : "the same token"}`);
  } catch (error) {
    say("result", `refused: ${error.error ?? error.message}`);
  }
}

if (location.pathname === "/silent") {
  await manager.signinSilentCallback();
} else {
  if (location.pathname === "/callback") {
    await manager.signinRedirectCallback();
    history.replaceState(null, "", "/");
  }
  if (location.pathname === "/bye") {
    await manager.signoutRedirectCallback();
    history.replaceState(null, "", "/");
  }
  document.getElementById("sign-in").onclick = () => manager.signinRedirect();
  document.getElementById("sign-out").onclick = () => manager.signoutRedirect();
  // Without a refresh token the library goes through a frame.
  document.getElementById("renew-frame").onclick = () =>
    renew("in a frame", async (user) => {
      if (!user) return;
      localStorage.setItem("refresh", user.refresh_token);
      user.refresh_token = undefined;
      await manager.storeUser(user);
    });
  document.getElementById("renew-refresh").onclick = () =>
    renew("by refresh", async (user) => {
      user.refresh_token ??= localStorage.getItem("refresh");
      await manager.storeUser(user);
    });
  show(await manager.getUser());
}
