// What makes pages nicer, and no page needs: words that outlive a lost connection, one sending for one press, a quick exit.
// Nothing is kept in the browser. In words: docs in templates/macros.html.
const doc = document;
const { body } = doc;
body.classList.add('as-js');

const own = doc.querySelector('script[data-parts]');
if (own && doc.querySelector('[data-module]')) {
  body.classList.add('nhsuk-frontend-supported');
  import(own.dataset.parts).then((parts) => parts.initAll()).catch(() => body.classList.remove('nhsuk-frontend-supported'));
}

// A part that needs a script of its own names it.
doc.querySelectorAll('[data-script]').forEach((part) => import(part.dataset.script).catch(() => {}));

const told = doc.querySelector('[data-focus]');
if (told && !doc.querySelector('.nhsuk-error-summary')) told.focus();

// One press, one sending; a download leaves the page as it is, so the press is forgotten after a while.
const free = (form) => delete form.dataset.sent;
addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || (form.getAttribute('method') || '').toLowerCase() !== 'post') return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = 'yes';
  setTimeout(free, 8000, form);
});
addEventListener('pageshow', (event) => {
  if (event.persisted) doc.querySelectorAll('form[data-sent]').forEach(free);
});

const say = (where, words) => {
  if (where.textContent !== words) where.textContent = words;
};
const line = (form, role) => {
  const words = doc.createElement('p');
  words.className = role ? 'as-keep' : 'as-kept';
  if (role) words.setAttribute('role', role);
  const button = form.querySelector('button[type=submit]');
  const row = button && (button.closest('.as-buttons') || button);
  form.insertBefore(words, row && row.parentNode === form ? row : null);
  return words;
};
const post = (address, data, more) => {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 15000);
  return fetch(address, { method: 'POST', body: data, redirect: 'manual', signal: stop.signal, ...more }).finally(() => clearTimeout(timer));
};

const keep = (form) => {
  const status = line(form, 'status');
  const kept = line(form);
  const fields = (button) => {
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === 'string') data.append(name, value);
    if (button && button.name) data.append(button.name, button.value);
    return data;
  };
  let waits = false;
  let busy = false;
  let leaves = false;
  let pressed = null;

  const wait = () => {
    waits = true;
    say(status, 'No connection. Your words are still here. We will send them when the connection is back.');
  };
  const signedOut = () => {
    waits = false;
    say(status, 'You have been signed out. Your words are still here: copy them, sign in again, and put them back.');
  };
  const go = (act) => {
    leaves = true;
    waits = false;
    act();
  };
  // The server's own page says what is wrong with the words; nothing was kept, so they may be sent again.
  const plainly = () => {
    if (pressed && pressed.name) {
      const field = doc.createElement('input');
      Object.assign(field, { type: 'hidden', name: pressed.name, value: pressed.value });
      form.append(field);
    }
    HTMLFormElement.prototype.submit.call(form);
  };
  const send = async () => {
    if (busy || leaves) return;
    if (!navigator.onLine) return wait();
    busy = true;
    if (!waits) say(status, 'Sending');
    try {
      const answer = await post(form.action, fields(pressed), { headers: { 'x-keep': '1' } });
      const to = answer.headers.get('x-to');
      if (to && to.startsWith('/sign-in')) signedOut();
      else if (to) go(() => location.assign(to));
      else if (answer.status === 401 || answer.status === 403) signedOut();
      else if (answer.status === 429 || answer.status > 500) wait();
      else go(plainly);
    } catch {
      wait();
    }
    busy = false;
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    pressed = event.submitter;
    send();
  });
  addEventListener('online', () => waits && send());
  setInterval(() => waits && send(), 10000);
  addEventListener('beforeunload', (event) => waits && event.preventDefault());

  let timer = 0;
  let last = String(fields());
  const draft = async (more) => {
    clearTimeout(timer);
    timer = 0;
    const now = fields();
    const token = now.get('token');
    if (busy || leaves || String(now) === last || !navigator.onLine) return;
    last = String(now);
    now.delete('token');
    now.delete('once');
    try {
      const answer = await post('/drafts', new URLSearchParams({ token, form: form.dataset.keep, body: now }), more);
      if (!answer.ok) throw answer;
      say(kept, `Draft kept ${new Date().toTimeString().slice(0, 5)}`);
    } catch {
      last = '';
    }
  };
  const soon = () => {
    timer = timer || setTimeout(draft, 3000);
  };
  form.addEventListener('input', soon);
  // Somebody may have typed before this script came.
  if ([...form.elements].some((field) => field.defaultValue !== undefined && field.value !== field.defaultValue)) {
    last = '';
    soon();
  }
  doc.addEventListener('visibilitychange', () => doc.hidden && draft({ keepalive: true }));
};
if (self.fetch && self.AbortController) doc.querySelectorAll('form[data-keep]').forEach(keep);

// Away at once: nothing stays to be seen, and the way back does not lead here.
const exit = doc.querySelector('a[data-leave]');
if (exit) {
  const leave = (event) => {
    if (event) event.preventDefault();
    body.hidden = true;
    doc.title = '';
    location.replace(exit.href);
  };
  let escaped = 0;
  exit.addEventListener('click', leave);
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    if (event.timeStamp - escaped < 2000) leave();
    escaped = event.timeStamp;
  });
  addEventListener('pageshow', (event) => event.persisted && location.reload());
}
