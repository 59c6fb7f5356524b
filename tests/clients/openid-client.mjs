// Drives Narthex with openid-client, as an app's developer would. Started by tests/it/clients.rs:
// arguments are the issuer and the names of the steps; each line on standard output asks the test
// to be the user, each line on standard input is its answer.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const [issuer, configured, ...steps] = process.argv.slice(2);
const { apps, key } = JSON.parse(configured);
const CALLBACK = "https://client.example/callback";
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function asks(request) {
  console.log(JSON.stringify(request));
  const { value } = await answers.next();
  return JSON.parse(value);
}

function expect(what, is) {
  if (!is) throw new Error(`not so: ${what}`);
}

const insecure = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };

function discover(name, auth, more = {}) {
  const metadata = { client_secret: apps[name], ...more };
  return client.discovery(new URL(issuer), name, metadata, auth, insecure);
}

const secret = (name) => discover(name, client.ClientSecretBasic(apps[name]));

async function signing() {
  const imported = await crypto.subtle.importKey(
    "jwk", key, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"],
  );
  return { key: imported, kid: key.kid };
}

async function request(more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  };
  const parameters = {
    redirect_uri: CALLBACK,
    scope: "openid profile email",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  return { checks, parameters };
}

async function signIn(config, { make, options, more } = {}) {
  const { checks, parameters } = await request(more);
  const build = make ?? client.buildAuthorizationUrl;
  const url = await build(config, parameters, options);
  const { location } = await asks({ open: url.href });
  expect("the browser comes back", location.startsWith(CALLBACK));
  const tokens = await client.authorizationCodeGrant(
    config, new URL(location), checks, undefined, options,
  );
  expect("the ID token is for the user", tokens.claims().sub === "ben");
  return tokens;
}

async function userinfo(config, tokens, options) {
  const info = await client.fetchUserInfo(config, tokens.access_token, "ben", options);
  expect("userinfo knows the name", info.name === "Ben Brandt");
}

const run = {
  async code() {
    const config = await secret("basic");
    await userinfo(config, await signIn(config));
    const post = await discover("basic-post", client.ClientSecretPost(apps["basic-post"]));
    await userinfo(post, await signIn(post));
    const nobody = await discover("public", client.None());
    await userinfo(nobody, await signIn(nobody));
  },

  async refresh() {
    const config = await secret("basic");
    const first = await signIn(config);
    const second = await client.refreshTokenGrant(config, first.refresh_token);
    expect("there are new tokens", second.access_token !== first.access_token);
    await userinfo(config, second);
  },

  async introspection_and_revocation() {
    const config = await secret("basic");
    const tokens = await signIn(config);
    const active = await client.tokenIntrospection(config, tokens.access_token);
    expect("the token is active", active.active === true && active.client_id === "basic");
    await client.tokenRevocation(config, tokens.access_token);
    const dead = await client.tokenIntrospection(config, tokens.access_token);
    expect("the token is dead", dead.active === false);
    await client.tokenRevocation(config, tokens.refresh_token);
    const refused = await client.refreshTokenGrant(config, tokens.refresh_token).catch((e) => e);
    expect("the refresh token is dead", refused.error === "invalid_grant");
  },

  async end_session() {
    const config = await secret("basic");
    const tokens = await signIn(config);
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: "https://client.example/bye",
      state: "out",
    });
    const { location } = await asks({ sign_out: url.href });
    expect("the browser comes back", location === "https://client.example/bye?state=out");
  },

  async client_credentials() {
    const config = await secret("basic");
    const tokens = await client.clientCredentialsGrant(config, { scope: "project.read" });
    expect("there is a token", tokens.access_token && tokens.scope === "project.read");
  },

  async private_key_jwt() {
    const config = await discover("signs", client.PrivateKeyJwt(await signing()));
    await userinfo(config, await signIn(config));
  },

  async jarm() {
    const config = await secret("basic");
    client.useJwtResponseMode(config);
    await userinfo(config, await signIn(config));
  },

  async dpop() {
    const config = await secret("basic");
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const tokens = await signIn(config, { options: { DPoP } });
    expect("the token is bound", tokens.token_type === "dpop");
    await userinfo(config, tokens, { DPoP });
    const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    await userinfo(config, next, { DPoP });
    const bare = await client.fetchUserInfo(config, next.access_token, "ben").catch((e) => e);
    expect("it is worth nothing without its key", bare instanceof Error);
  },

  async par() {
    const config = await secret("basic");
    await userinfo(config, await signIn(config, { make: client.buildAuthorizationUrlWithPAR }));
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const how = { make: client.buildAuthorizationUrlWithPAR, options: { DPoP } };
    await userinfo(config, await signIn(config, how), { DPoP });
  },

  async jar() {
    const config = await discover("signs", client.PrivateKeyJwt(await signing()));
    const mine = await signing();
    const make = (config, parameters) =>
      client.buildAuthorizationUrlWithJAR(config, parameters, mine);
    await userinfo(config, await signIn(config, { make }));
  },

  async device() {
    const config = await secret("basic");
    const begun = await client.initiateDeviceAuthorization(config, { scope: "openid profile" });
    await asks({ device: begun.verification_uri_complete });
    const tokens = await client.pollDeviceAuthorizationGrant(config, begun);
    expect("the ID token is for the user", tokens.claims().sub === "ben");
    await userinfo(config, tokens);
  },

  async ciba() {
    const config = await discover("signs", client.PrivateKeyJwt(await signing()));
    const begun = await client.initiateBackchannelAuthentication(config, {
      scope: "openid profile", login_hint: "ben", binding_message: "W4SCT",
    });
    await asks({ ciba: begun.auth_req_id });
    const tokens = await client.pollBackchannelAuthenticationGrant(config, begun);
    expect("the ID token is for the user", tokens.claims().sub === "ben");
    await userinfo(config, tokens);
  },

  async registration() {
    const metadata = {
      redirect_uris: [CALLBACK],
      grant_types: ["authorization_code", "refresh_token"],
      client_name: "Registered by openid-client",
      token_endpoint_auth_method: "client_secret_basic",
    };
    const config = await client.dynamicClientRegistration(
      new URL(issuer), metadata, client.ClientSecretBasic(), insecure,
    );
    const { client_id, client_secret } = config.clientMetadata();
    expect("it has credentials", client_id && client_secret);
    const { checks, parameters } = await request();
    const url = client.buildAuthorizationUrl(config, parameters);
    const { location } = await asks({ open: url.href, as: "dev" });
    const tokens = await client.authorizationCodeGrant(config, new URL(location), checks);
    expect("the ID token is for the developer", tokens.claims().sub === "dev");
  },
};

for (const step of steps) {
  try {
    await run[step]();
  } catch (error) {
    console.error(`${step}: ${error.stack}\n${JSON.stringify(error.cause ?? error)}`);
    process.exit(1);
  }
  console.error(`${step}: done`);
}
process.exit(0);
