// Passkeys: a browser makes and uses them by script alone. Without it the password and its code remain.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

const ways = {
  create: (asked) => ({
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: known(asked.excludeCredentials),
  }),
  get: (asked) => ({ ...asked, challenge: bytes(asked.challenge), allowCredentials: known(asked.allowCredentials) }),
};

const answered = ({ id, rawId, type, response }) => {
  const parts = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (response[name]) parts[name] = text(response[name]);
  }
  return JSON.stringify({ id, rawId: text(rawId), type, response: parts });
};

const serve = (form) => {
  const status = form.querySelector('[role=status]');
  let busy = false;
  const ask = async () => {
    const answer = await fetch(form.dataset.ask, { method: 'POST', body: new URLSearchParams(new FormData(form)), redirect: 'manual' });
    if (answer.status === 429) throw new Error('Too many tries. Wait a few minutes, then try again.');
    if (!answer.ok) throw new Error('Open this page anew, then try again.');
    const way = form.dataset.way;
    return navigator.credentials[way]({ publicKey: ways[way](await answer.json()) });
  };
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (busy) return;
    busy = true;
    status.textContent = 'Follow what your device says.';
    try {
      form.elements.answer.value = answered(await ask());
      HTMLFormElement.prototype.submit.call(form);
    } catch (error) {
      const own = error instanceof Error && !(error instanceof DOMException || error instanceof TypeError);
      status.textContent = own ? error.message : 'Nothing was done with a passkey. You can try again, or use another way.';
    }
    busy = false;
  });
};
if (self.PublicKeyCredential) document.querySelectorAll('form[data-ask]').forEach(serve);
