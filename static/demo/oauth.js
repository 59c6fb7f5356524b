// The code flow with PKCE for an app without a secret.
// Sources: RFC 6749, RFC 7636, RFC 9207, OpenID Connect Core 1.0, RP-Initiated Logout 1.0.

const encoder = new TextEncoder();

/** Something that went wrong on the way to a token, with the standard's own code. */
export class OAuthError extends Error {
  constructor(code, text, status = null, body = null) {
    super(text || code);
    this.code = code;
    this.status = status;
    this.body = body;
  }
}

function base64url(bytes) {
  const binary = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64url(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

/** 256 random bits as text: for state, nonce and code verifier. */
function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** The claims of a token, unchecked. */
export function claimsOf(token) {
  return JSON.parse(new TextDecoder().decode(fromBase64url(token.split(".")[1])));
}

export class Client {
  /** `metadata` is OpenID discovery's document, fetched by `Client.discover`. */
  constructor(metadata, clientId, redirectUri, scope) {
    Object.assign(this, { metadata, clientId, redirectUri, scope });
  }

  static async discover(issuer) {
    const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
    if (!answer.ok) throw new OAuthError("discovery_failed", `Narthex answered ${answer.status}`);
    const metadata = await answer.json();
    if (metadata.issuer !== issuer) throw new OAuthError("wrong_issuer");
    return metadata;
  }

  /** Sends the browser to the server. `then` comes back with the answer. */
  async begin(then, extra = {}) {
    const [state, nonce, verifier] = [random(), random(), random()];
    const challenge = base64url(await crypto.subtle.digest("SHA-256", encoder.encode(verifier)));
    // Kept per tab and used once; a state that we did not make is refused.
    const pending = { nonce, verifier, clientId: this.clientId, then };
    sessionStorage.setItem(`pending.${state}`, JSON.stringify(pending));
    const query = new URLSearchParams({
      response_type: "code",
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      scope: this.scope,
      state,
      nonce,
      code_challenge: challenge,
      code_challenge_method: "S256",
      ...extra,
    });
    location.assign(`${this.metadata.authorization_endpoint}?${query}`);
  }

  /** What we remember of the request that `answer` belongs to; it is forgotten by this. */
  static pending(answer) {
    const key = `pending.${answer.get("state")}`;
    const text = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    if (text === null) throw new OAuthError("unknown_state", "This answer belongs to no request of this tab.");
    return JSON.parse(text);
  }

  /** Turns the answer of the authorization endpoint into tokens. */
  async finish(answer, pending) {
    // RFC 9207: the answer must come from the server that was asked.
    if (answer.get("iss") !== this.metadata.issuer) throw new OAuthError("wrong_issuer");
    if (answer.has("error")) {
      throw new OAuthError(answer.get("error"), answer.get("error_description"), 303,
        Object.fromEntries(answer));
    }
    const tokens = await this.#exchange({
      grant_type: "authorization_code",
      code: answer.get("code"),
      redirect_uri: this.redirectUri,
      code_verifier: pending.verifier,
    });
    await this.#checkIdToken(tokens.id_token, pending.nonce);
    return tokens;
  }

  /** Fresh tokens for a refresh token. */
  async refresh(tokens) {
    const fresh = await this.#exchange({ grant_type: "refresh_token", refresh_token: tokens.refresh_token });
    return { ...tokens, ...fresh };
  }

  /** Signs out at the server, which sends the browser back to `landing`. */
  signOut(tokens, landing) {
    const query = new URLSearchParams({
      id_token_hint: tokens.id_token,
      client_id: this.clientId,
      post_logout_redirect_uri: landing,
    });
    location.assign(`${this.metadata.end_session_endpoint}?${query}`);
  }

  async #exchange(form) {
    const answer = await fetch(this.metadata.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({ ...form, client_id: this.clientId }),
    });
    const body = await answer.json();
    if (!answer.ok) throw new OAuthError(body.error, body.error_description, answer.status, body);
    return body;
  }

  /** OpenID Connect Core 1.0 section 3.1.3.7, with the signature. */
  async #checkIdToken(token, nonce) {
    const [head, payload, signature] = token.split(".");
    const header = JSON.parse(new TextDecoder().decode(fromBase64url(head)));
    const { keys } = await (await fetch(this.metadata.jwks_uri)).json();
    const jwk = keys.find((key) => key.kid === header.kid);
    const kinds = {
      RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
      ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
    };
    const kind = kinds[header.alg];
    if (!jwk || !kind || (jwk.alg && jwk.alg !== header.alg)) throw new OAuthError("unknown_key");
    const key = await crypto.subtle.importKey("jwk", jwk, kind, false, ["verify"]);
    const signed = encoder.encode(`${head}.${payload}`);
    const isGenuine = await crypto.subtle.verify(kind, key, fromBase64url(signature), signed);
    const claims = claimsOf(token);
    const audience = [claims.aud].flat();
    const isOurs = claims.iss === this.metadata.issuer && audience.includes(this.clientId)
      && claims.nonce === nonce && claims.exp > Date.now() / 1000 - 60;
    if (!isGenuine || !isOurs) throw new OAuthError("bad_id_token", "The ID token does not hold.");
  }
}
