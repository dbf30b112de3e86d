// Sign-in of a real service, which is no demo: an operator invites, the invited choose a password and set up codes, and sign
// in by code or by passkey; whoever guesses is slowed down, and whoever is shut out is out at once.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityProblems, openBrowser } from './support/browser.mjs';
import { askAll } from './support/database.mjs';
import { inRepository, run } from './support/program.mjs';
import { configure, serve } from './support/service.mjs';
import { codeOfStep, stepAt } from './support/totp.mjs';

const screenshots = process.env.ALONGSIDE_SCREENSHOTS === '1' ? inRepository('docs/screenshots') : undefined;
const COOKIE = '__Host-alongside';
const PASSWORD = 'marmalade tram lantern';
const ANOTHER = 'otter violin seventeen';
const PAGE_BYTES_MAX = 100_000;

/** Each story has somebody of its own: whoever signs in often is slowed down, and an app shows a code each half minute. */
const PEOPLE = ['ada', 'bo', 'cy', 'di', 'eve', 'fay'].map(
  (name) => `
[[staff]]
key = "nurse-${name}"
name = "${name[0].toUpperCase()}${name.slice(1)} Example"
role = "clinician"
sites = ["chelwest"]
`,
);

describe('sign-in', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-sign-in-'));
  let service;
  let config;
  let at;
  let browser;
  /** What Ada has in her authenticator app, and her first session. */
  let ada;
  let first;

  before(async () => {
    const configured = await configure(folder);
    config = configured.config;
    appendFileSync(config, PEOPLE.join(''));
    at = `http://localhost:${configured.ports.http}`;
    [service, browser] = await Promise.all([serve({ config }, { cwd: folder }), openBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const account = async (...args) => {
    const { status, stdout, stderr } = await run(['account', '--config', config, ...args], { cwd: folder });
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };

  /** Gives `use` a tab of a browser of its own, which knows nobody. */
  async function inTab(use, options = {}) {
    const context = await browser.browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/London', ...options });
    const complaints = [];
    try {
      const tab = await context.newPage();
      tab.on('pageerror', (error) => complaints.push(error.message));
      const refused = (line) => /Failed to load resource: the server responded with a status of 4\d\d/.test(line.text());
      tab.on('console', (line) => line.type() === 'error' && !refused(line) && complaints.push(line.text()));
      await use(tab, context);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  }

  const words = (tab) => tab.locator('main').innerText();
  const session = async (context) => (await context.cookies(at)).find(({ name }) => name === COOKIE);

  /** The page can be used by everybody, is small, wide enough for 320 px, and is kept as a picture. */
  async function examine(tab, name) {
    assert.deepEqual(await accessibilityProblems(tab), [], name);
    assert.equal(await tab.locator('h1').count(), 1, name);
    assert.match(await tab.title(), / – Alongside$/);
    assert.ok((await tab.content()).length < PAGE_BYTES_MAX, name);
    for (const { ending, viewport } of [
      { ending: '', viewport: { width: 1280, height: 800 } },
      { ending: '-phone', viewport: { width: 390, height: 844 } },
      { viewport: { width: 320, height: 640 } },
    ]) {
      await tab.setViewportSize(viewport);
      const [inner, seen] = await tab.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(inner <= seen, `${name} is ${inner} px wide where ${seen} are shown`);
      if (screenshots && ending !== undefined) {
        mkdirSync(screenshots, { recursive: true });
        await tab.screenshot({ path: join(screenshots, `${name}${ending}.jpg`), type: 'jpeg', quality: 58, fullPage: true });
      }
    }
    await tab.setViewportSize({ width: 1280, height: 800 });
  }

  /** An authenticator app: its key, and the newest time step whose code was given away. */
  const appWith = (secret) => ({ secret, shown: 0 });

  /** A code that the service has not seen. The app's next one is taken as well, so that there is seldom a wait. */
  async function freshCode(app) {
    const next = Math.max(stepAt(), app.shown + 1);
    while (next > stepAt() + 1) await new Promise((resolve) => setTimeout(resolve, 500));
    app.shown = next;
    return codeOfStep(app.secret, next);
  }

  const fill = (tab, label, value) => tab.getByLabel(label, { exact: true }).fill(value);
  /** By keyboard. */
  const press = (tab, name) => tab.getByRole('button', { name, exact: true }).press('Enter');

  async function givePassword(tab, name, password) {
    await tab.goto(`${at}/sign-in`);
    await fill(tab, 'User name', name);
    await fill(tab, 'Password', password);
    await press(tab, 'Continue');
  }

  const isIn = (tab) => tab.waitForURL((url) => !/^\/(sign-in|invitation)/.test(url.pathname));

  async function signIn(tab, name, app) {
    await givePassword(tab, name, PASSWORD);
    await fill(tab, 'Code', await freshCode(app));
    await press(tab, 'Sign in');
    await isIn(tab);
  }

  /** Takes up an invitation, and so is signed in. */
  async function enrol(tab, name) {
    await tab.goto(await account('invite', name));
    const app = appWith(await tab.locator('.as-key').innerText());
    await fill(tab, 'New password', PASSWORD);
    await fill(tab, 'Code', await freshCode(app));
    await press(tab, 'Save and sign in');
    await isIn(tab);
    return app;
  }

  test('the codes of this test are those of RFC 6238', () => {
    const rfc = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    assert.equal(codeOfStep(rfc, stepAt(59_000)), '287082');
    assert.equal(codeOfStep(rfc, stepAt(1_111_111_109_000)), '081804');
  });

  test('nobody has a password before they choose one, and no page is open to nobody', () =>
    inTab(async (tab) => {
      assert.match(await account('list'), /nurse-ada {2}clinician {2}cannot sign in yet/);
      await tab.goto(`${at}/`);
      assert.equal(new URL(tab.url()).pathname, '/sign-in');
      await examine(tab, 'sign-in');
      await givePassword(tab, 'nurse-ada', 'password');
      assert.match(await words(tab), /The user name or the password is wrong/);
      await examine(tab, 'sign-in-wrong');
    }));

  test('an invitation is opened, a password chosen, codes set up, and it works once', () =>
    inTab(async (tab, context) => {
      const link = await account('invite', 'nurse-ada');
      assert.match(link, new RegExp(`^${at}/invitation/[0-9a-f]{64}$`));
      await tab.goto(link);
      assert.match(await words(tab), /Welcome, Ada Example\. Your user name is nurse-ada\./);
      assert.equal(await tab.getByRole('img', { name: 'QR code for your authenticator app' }).count(), 1);
      await examine(tab, 'invitation');
      ada = appWith(await tab.locator('.as-key').innerText());

      await fill(tab, 'New password', 'Password1234');
      await fill(tab, 'Code', '000000');
      await press(tab, 'Save and sign in');
      assert.match(await words(tab), /harder to guess/);
      assert.match(await words(tab), /Enter the 6 digits that the app shows now/);
      assert.equal(await tab.locator('.as-key').innerText(), ada.secret, 'the app need not be set up again');
      await examine(tab, 'invitation-wrong');

      await fill(tab, 'New password', PASSWORD);
      await fill(tab, 'Code', await freshCode(ada));
      await press(tab, 'Save and sign in');
      await isIn(tab);
      first = await session(context);
      assert.ok(first.httpOnly && first.secure && first.sameSite === 'Lax' && first.path === '/' && first.expires === -1);

      for (const used of [link, `${at}/invitation/${'0'.repeat(64)}`, `${at}/invitation/x`]) {
        const answer = await tab.goto(used);
        assert.equal(answer.status(), 404, used);
        assert.match(await words(tab), /This invitation cannot be used/);
      }
      await examine(tab, 'invitation-over');
    }));

  test('a password alone opens nothing, a code is good for once, and each sign-in has a new name', () =>
    inTab(async (tab, context) => {
      await givePassword(tab, 'nurse-ada', PASSWORD);
      assert.equal(new URL(tab.url()).pathname, '/sign-in/code');
      await examine(tab, 'sign-in-code');
      await tab.goto(`${at}/account`);
      assert.equal(new URL(tab.url()).pathname, '/sign-in');
      await tab.goto(`${at}/sign-in/code`);
      await fill(tab, 'Code', codeOfStep(ada.secret, ada.shown));
      await press(tab, 'Sign in');
      assert.match(await words(tab), /This code is wrong, or was used before/);
      await fill(tab, 'Code', await freshCode(ada));
      await press(tab, 'Sign in');
      await isIn(tab);
      const second = await session(context);
      assert.notEqual(second.value, first.value);

      await tab.goto(`${at}/account`);
      await press(tab, 'Sign out');
      assert.equal(new URL(tab.url()).pathname, '/sign-in');
      await context.addCookies([second]);
      await tab.goto(`${at}/account`);
      assert.equal(new URL(tab.url()).pathname, '/sign-in', 'who kept the cookie is out as well');
    }));

  test('a passkey is added, signs in, and can be removed', () =>
    inTab(async (tab, context) => {
      await enrol(tab, 'nurse-bo');
      await tab.goto(`${at}/account`);
      await examine(tab, 'account');
      const tools = await context.newCDPSession(tab);
      await tools.send('WebAuthn.enable');
      const { authenticatorId } = await tools.send('WebAuthn.addVirtualAuthenticator', {
        options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
      });
      await press(tab, 'Add a passkey');
      await tab.getByText('The passkey was added.').waitFor();
      assert.match(await words(tab), /Added today at .*, not used yet/);
      await press(tab, 'Sign out');

      await press(tab, 'Use a passkey');
      await isIn(tab);
      await tab.goto(`${at}/account`);
      assert.match(await words(tab), /with passkey, last used/);
      await examine(tab, 'account-passkey');
      await press(tab, 'Sign out');

      await tools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
      await press(tab, 'Use a passkey');
      await tab.getByText('Nothing was done with a passkey.').waitFor();
      await tools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
      await press(tab, 'Use a passkey');
      await isIn(tab);
      await tab.goto(`${at}/account`);
      await tab.getByRole('button', { name: /^Remove/ }).click();
      assert.match(await words(tab), /The passkey was removed\./);
      await press(tab, 'Sign out');
      await press(tab, 'Use a passkey');
      await tab.getByText('This passkey was not recognised.').first().waitFor();
    }));

  test('without a script all of it works but passkeys, which are not offered', () =>
    inTab(
      async (tab) => {
        const app = await enrol(tab, 'nurse-fay');
        await tab.goto(`${at}/account`);
        assert.equal(await tab.getByRole('button', { name: 'Add a passkey' }).count(), 0);
        await press(tab, 'Sign out');
        assert.equal(await tab.getByRole('button', { name: 'Use a passkey' }).count(), 0);
        await signIn(tab, 'nurse-fay', app);
      },
      { javaScriptEnabled: false },
    ));

  test('whoever sees a session that is not theirs ends it, and an operator ends all, at once', () =>
    inTab((mine) =>
      inTab(async (other) => {
        await signIn(other, 'nurse-cy', await enrol(mine, 'nurse-cy'));
        await mine.goto(`${at}/account`);
        await press(mine, 'End all others');
        assert.match(await words(mine), /The other sessions have ended\./);
        await other.goto(`${at}/account`);
        assert.equal(new URL(other.url()).pathname, '/sign-in');

        assert.equal(await account('sessions', 'end', 'nurse-cy'), '1 ended');
        await mine.goto(`${at}/account`);
        assert.equal(new URL(mine.url()).pathname, '/sign-in');

        await enrol(mine, 'nurse-cy');
        await account('suspend', 'nurse-cy');
        await mine.goto(`${at}/account`);
        assert.equal(new URL(mine.url()).pathname, '/sign-in');
        await givePassword(mine, 'nurse-cy', PASSWORD);
        assert.match(await words(mine), /The user name or the password is wrong/);
        await account('reinstate', 'nurse-cy');
      }),
    ));

  test('another password needs the one before, and a form without its token changes nothing', () =>
    inTab(async (tab, context) => {
      await enrol(tab, 'nurse-di');
      await tab.goto(`${at}/account`);
      await fill(tab, 'Current password', 'something else entirely');
      await fill(tab, 'New password', ANOTHER);
      await press(tab, 'Change the password');
      assert.match(await words(tab), /This is not your current password/);
      await examine(tab, 'account-wrong');
      await fill(tab, 'Current password', PASSWORD);
      await fill(tab, 'New password', ANOTHER);
      await press(tab, 'Change the password');
      assert.match(await words(tab), /Your password was changed/);
      const forged = await context.request.post(`${at}/account/sessions/end-others`, { form: { token: 'guessed' } });
      assert.equal(forged.status(), 403);
      const elsewhere = { headers: { origin: 'https://elsewhere.example' }, form: { name: 'nurse-di', password: ANOTHER } };
      assert.equal((await context.request.post(`${at}/sign-in/password`, elsewhere)).status(), 403);
      await press(tab, 'Sign out');
    }));

  test('whoever guesses is slowed down, alike for a name that is nobody’s', () =>
    inTab(async (tab) => {
      const guess = async (name) => {
        const answers = [];
        for (let tries = 0; tries < 8; tries += 1) {
          const answer = await tab.request.post(`${at}/sign-in/password`, {
            form: { name, password: `guess ${tries}` },
            headers: { 'x-forwarded-for': '192.0.2.7' },
          });
          const text = await answer.text();
          answers.push([answer.status(), text.replaceAll(name, '').replace(/Wait \d+ seconds/, 'Wait')]);
        }
        return answers;
      };
      const [theirs, nobodys] = [await guess('nurse-eve'), await guess('nobody-at-all')];
      assert.deepEqual(nobodys, theirs, 'the answers do not tell who works here');
      assert.deepEqual(theirs.map(([status]) => status), [422, 422, 422, 422, 422, 429, 429, 429]);

      await givePassword(tab, 'nurse-eve', 'one more guess');
      assert.match(await words(tab), /Too many tries\s+Wait \d+ seconds, then try again/);
      await examine(tab, 'sign-in-slower');
    }));

  test('the audit tells every outcome, by codes and without what was typed', async () => {
    const [lines] = askAll(join(folder, 'alongside.db'), ["SELECT outcome, detail, actor FROM audit WHERE action = 'sign-in'"]);
    const told = new Set(lines.map(([outcome, detail]) => `${outcome} ${detail}`));
    for (const expected of [
      'allowed password+totp',
      'allowed passkey',
      'refused password-wrong',
      'refused unknown-name',
      'refused code-used',
      'refused passkey-wrong',
      'refused too-many-tries',
    ]) {
      assert.ok(told.has(expected), `${expected} in ${[...told].join(', ')}`);
    }
    assert.ok(lines.every(([, , actor]) => actor === null || /^nurse-/.test(actor)));
    const { status, stdout } = await run(['audit', '--config', config, 'verify'], { cwd: folder });
    assert.equal(status, 0, stdout);
    assert.ok(!/marmalade|guess/.test(service.output()), 'nothing of it is in the log');
  });
});
