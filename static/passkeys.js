// Asks the browser for a passkey or a security key, and sends the answer as the form that it is in.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const optionsOf = (form) => {
  const { publicKey } = JSON.parse(form.dataset.options);
  publicKey.challenge = bytes(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
  const listed = [...(publicKey.allowCredentials ?? []), ...(publicKey.excludeCredentials ?? [])];
  for (const one of listed) one.id = bytes(one.id);
  return { publicKey };
};

const answerOf = ({ id, rawId, type, response }) => {
  const answer = { clientDataJSON: text(response.clientDataJSON) };
  if (response.attestationObject) {
    answer.attestationObject = text(response.attestationObject);
    answer.transports = response.getTransports?.() ?? [];
  } else {
    answer.authenticatorData = text(response.authenticatorData);
    answer.signature = text(response.signature);
    if (response.userHandle) answer.userHandle = text(response.userHandle);
  }
  return JSON.stringify({ id, rawId: text(rawId), type, response: answer, extensions: {} });
};

// The browser answers one question at a time: the one in the field for the name gives way.
let waiting = new AbortController();

const ask = async (form, more) => {
  waiting.abort();
  waiting = new AbortController();
  const options = { ...optionsOf(form), ...more, signal: waiting.signal };
  const credentials = navigator.credentials;
  const found = await ("creates" in form.dataset ? credentials.create(options) : credentials.get(options));
  form.elements.credential.value = answerOf(found);
  form.submit();
};

const begin = (form) => {
  const failed = form.querySelector("[role=alert]");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    failed.hidden = true;
    ask(form).catch(() => {
      failed.hidden = false;
    });
  });
};

const offer = async (form) => {
  const isThere = await window.PublicKeyCredential.isConditionalMediationAvailable?.();
  if (isThere) await ask(form, { mediation: "conditional" });
};

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-options]")) {
    begin(form);
    // Whoever looks away from it uses the password instead.
    if ("autofill" in form.dataset) offer(form).catch(() => {});
  }
}
