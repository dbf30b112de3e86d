// Sign-in with an account elsewhere, through a certified provider and a real browser, into the real program: what an honest
// provider does, and what a lying one gets. Every other lie is in crates/server/src/oidc/tests.rs.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityProblems, openBrowser } from './support/browser.mjs';
import { freePort, run } from './support/program.mjs';
import { SECRET, newKey, startProvider } from './support/provider.mjs';
import { configuration, serve } from './support/service.mjs';

const SESSION = '__Host-alongside';
const PEOPLE = `
[[staff]]
key = "nurse-ada"
name = "Ada, nurse"
role = "clinician"
sites = ["chelwest"]

[[staff]]
key = "dr-sen"
name = "Dr Sen"
role = "clinician"
sites = ["chelwest"]
`;

describe('sign-in with an account elsewhere', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-oidc-'));
  const config = join(folder, 'alongside.toml');
  let at;
  let trust;
  let cis2;
  let program;
  let browser;

  before(async () => {
    const ports = { http: await freePort(), chelwest: await freePort(), northmid: await freePort() };
    at = `http://127.0.0.1:${ports.http}`;
    const ours = newKey('ours-1');
    [trust, cis2] = await Promise.all([startProvider(at), startProvider(at, { clientKey: ours })]);
    writeFileSync(join(folder, 'trust'), `${SECRET}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'cis2.pem'), ours.pem, { mode: 0o600 });
    writeFileSync(config, configuration({ database: `sqlite:${join(folder, 'alongside.db')}`, server: { origin: at }, ports }));
    appendFileSync(
      config,
      `${PEOPLE}
[[identity_provider]]
key = "trust"
title = "Your NHS account"
issuer = "${trust.issuer}"
client_id = "alongside"
client_secret_file = "trust"

[[identity_provider]]
key = "cis2"
title = "NHS CIS2"
issuer = "${cis2.issuer}"
client_id = "alongside"
private_key_file = "cis2.pem"
kid = "ours-1"
alg = "ES256"
acr = ["AAL3"]
max_age_minutes = 15
`,
    );
    await account('link', 'nurse-ada', '--provider', 'trust', '--subject', 'ada-0001');
    await account('link', 'nurse-ada', '--provider', 'cis2', '--subject', 'ada-uid');
    [program, browser] = await Promise.all([serve({ config }, { cwd: folder }), openBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await program?.stop();
    await Promise.all([trust?.stop(), cis2?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function account(...args) {
    const done = await run(['account', '--config', config, ...args], { cwd: folder });
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim();
  }

  /** Gives `use` a tab of a browser that nobody has used before. */
  async function fresh(use) {
    const context = await browser.browser.newContext({ locale: 'en-GB' });
    try {
      return await use(await context.newPage(), context);
    } finally {
      await context.close();
    }
  }

  /** Goes through the provider's page as somebody, until the browser is back; the answer that it ends with. */
  async function signIn(tab, who, { provider = 'trust', path = `/sign-in/with/${provider}` } = {}) {
    await tab.goto(at + path);
    await tab.getByLabel('Who are you?').fill(who);
    return submitted(tab);
  }

  async function submitted(tab) {
    const back = tab.waitForResponse((answer) => answer.url().startsWith(at) && answer.request().isNavigationRequest() && answer.status() !== 303);
    await tab.getByRole('button', { name: 'Sign in' }).click();
    const answer = await back;
    await tab.waitForLoadState();
    return answer;
  }

  // Asked for by address, Playwright leaves out what is secure; Chromium itself takes the loopback address for secure.
  const cookiesOf = async (context) => (await context.cookies()).filter(({ domain }) => domain === '127.0.0.1');
  const sessionOf = async (context) => (await cookiesOf(context)).find(({ name }) => name === SESSION);
  const isSignedIn = async (tab) => {
    await tab.goto(`${at}/`);
    return (await tab.getByRole('button', { name: 'Sign out' }).count()) === 1;
  };

  /** The one page of every refusal, and no session. */
  async function refused(tab, context, answer, secret = 'ada-0001') {
    assert.equal(answer.status(), 403);
    assert.equal(await tab.locator('h1').innerText(), 'You were not signed in');
    assert.ok(!(await tab.content()).includes(secret), 'the page repeats what came');
    assert.equal(await sessionOf(context), undefined);
  }

  test('somebody who is linked comes in, with a new session each time, and goes out again', () =>
    fresh(async (tab, context) => {
      const answer = await signIn(tab, 'ada-0001');
      assert.equal(answer.status(), 200);
      assert.ok((await tab.locator('body').innerText()).includes('Ada, nurse'));
      const session = await sessionOf(context);
      assert.deepEqual([session.httpOnly, session.secure, session.sameSite, session.path], [true, true, 'Lax', '/']);
      assert.equal((await cookiesOf(context)).length, 1, 'the cookie of the way there is gone');
      const asBefore = (use) =>
        fresh(async (other, elsewhere) => {
          await elsewhere.addCookies([session]);
          use(await isSignedIn(other));
        });
      await asBefore((signedIn) => assert.equal(signedIn, true));

      // The provider knows them still, so that it asks nothing; the session is another, and the one before has ended.
      await tab.goto(`${at}/sign-in/with/trust`);
      const second = await sessionOf(context);
      assert.notEqual(second.value, session.value);
      await asBefore((signedIn) => assert.equal(signedIn, false));

      await tab.getByRole('button', { name: 'Sign out' }).click();
      await tab.waitForURL(`${at}/sign-in`);
      assert.equal(await sessionOf(context), undefined);
      await context.addCookies([second]);
      assert.equal(await isSignedIn(tab), false, 'the session is over, and not only its cookie gone');
    }));

  test('somebody whom the provider knows and nobody here has linked is not let in', () =>
    fresh(async (tab, context) => {
      await refused(tab, context, await signIn(tab, 'eve-9999'), 'eve-9999');
      assert.deepEqual(await accessibilityProblems(tab), []);
    }));

  test('somebody who goes away at the provider is told so and can begin again', () =>
    fresh(async (tab, context) => {
      await refused(tab, context, await signIn(tab, ''));
      assert.equal((await signIn(tab, 'ada-0001')).status(), 200);
    }));

  /** Goes through the provider's page and not back: where to, for a test to go there in its own way. */
  async function wayBack(tab) {
    trust.hold = true;
    try {
      await tab.goto(`${at}/sign-in/with/trust`);
      // Whom the provider knows, it asks nothing.
      if ((await tab.getByText('held').count()) === 0) {
        await tab.getByLabel('Who are you?').fill('ada-0001');
        await tab.getByRole('button', { name: 'Sign in' }).click();
        await tab.getByText('held').waitFor();
      }
      return new URL(trust.held);
    } finally {
      trust.hold = false;
    }
  }

  test('a state that was changed or guessed is refused', () =>
    fresh(async (tab, context) => {
      const back = await wayBack(tab);
      const right = back.href;
      back.searchParams.set('state', `${back.searchParams.get('state').slice(0, -1)}!`);
      const exchanges = trust.exchanges;
      await refused(tab, context, await tab.goto(back.href));
      // That answer took the cookie of the way there away: what was not changed is of no use any more.
      await refused(tab, context, await tab.goto(right));
      assert.equal(trust.exchanges, exchanges, 'no code was sent');
    }));

  test('an answer is of use once, and its code too', () =>
    fresh(async (tab, context) => {
      const back = await wayBack(tab);
      const cookies = await cookiesOf(context);
      assert.equal((await tab.goto(back.href)).status(), 200);
      assert.equal(await isSignedIn(tab), true);
      await context.clearCookies({ name: SESSION });
      await context.addCookies(cookies);
      await refused(tab, context, await tab.goto(back.href));

      // The code once more, with the state of a sign-in that is under way.
      const again = await wayBack(tab);
      again.searchParams.set('code', back.searchParams.get('code'));
      const exchanges = trust.exchanges;
      await refused(tab, context, await tab.goto(again.href));
      assert.equal(trust.exchanges, exchanges + 1, 'the provider was asked, and did not take it');
    }));

  test('an answer that comes in another browser than the one that asked is refused', () =>
    fresh(async (tab) => {
      const back = await wayBack(tab);
      await fresh(async (other, elsewhere) => refused(other, elsewhere, await other.goto(back.href)));
    }));

  const LIES = {
    'another nonce': ({ header, claims }) => ({ header, claims: { ...claims, nonce: 'another' } }),
    'another audience': ({ header, claims }) => ({ header, claims: { ...claims, aud: 'another' } }),
    'another audience beside ours': ({ header, claims }) => ({ header, claims: { ...claims, aud: ['alongside', 'another'] } }),
    'another issuer': ({ header, claims }) => ({ header, claims: { ...claims, iss: cis2.issuer } }),
    'a token that has expired': ({ header, claims }) => ({ header, claims: { ...claims, exp: claims.iat - 3600 } }),
    'a key that is not published': ({ header, claims }) => ({ header, claims, key: newKey('provider-1').key }),
    'no signature': ({ claims }) => {
      const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
      return { token: `${part({ alg: 'none', kid: 'provider-1' })}.${part(claims)}.` };
    },
  };
  for (const [lie, tamper] of Object.entries(LIES)) {
    test(`a provider that says ${lie} is not believed`, () =>
      fresh(async (tab, context) => {
        trust.tamper = tamper;
        try {
          await refused(tab, context, await signIn(tab, 'ada-0001'));
        } finally {
          trust.tamper = undefined;
        }
      }));
  }

  test('what the provider is said to require is required: how and when somebody proved who they are', async () => {
    cis2.acr = 'AAL2';
    await fresh(async (tab, context) => refused(tab, context, await signIn(tab, 'ada-uid', { provider: 'cis2' }), 'ada-uid'));
    cis2.acr = 'AAL3';
    await fresh(async (tab) => {
      assert.equal((await signIn(tab, 'ada-uid', { provider: 'cis2' })).status(), 200);
      assert.equal(await isSignedIn(tab), true);
    });
    // The subject of one provider is nobody at the other.
    await fresh(async (tab, context) => refused(tab, context, await signIn(tab, 'ada-uid'), 'ada-uid'));
  });

  test('whoever leaves the provider has left here at once, in every browser', () =>
    fresh(async (tab, context) => {
      await signIn(tab, 'ada-0001');
      await fresh(async (telephone) => {
        await signIn(telephone, 'ada-0001');
        const page = await context.newPage();
        await page.goto(`${trust.issuer}/session/end`);
        await page.getByRole('button', { name: /yes/i }).click();
        await page.waitForLoadState();
        assert.equal(await isSignedIn(tab), false);
        assert.equal(await isSignedIn(telephone), false);
      });
    }));

  const end = (token) => fetch(`${at}/sign-in/ended`, { method: 'POST', body: new URLSearchParams({ logout_token: token }) });

  test('a logout is believed from the provider alone, and once', () =>
    fresh(async (tab) => {
      await signIn(tab, 'ada-0001');
      const wrong = [
        trust.logoutToken('ada-0001', { aud: 'another' }),
        trust.logoutToken('ada-0001', { nonce: 'one' }),
        trust.logoutToken('ada-0001', { events: {} }),
        trust.logoutToken('ada-0001', { exp: 1 }),
        `${trust.logoutToken('ada-0001').split('.').slice(0, 2).join('.')}.AAAA`,
        'no token',
      ];
      for (const token of wrong) {
        const answer = await end(token);
        assert.deepEqual([answer.status, await answer.json()], [400, { error: 'invalid_request' }]);
      }
      // Of the other provider, whose `ada-0001` is nobody here: it has no sessions, which is well.
      assert.equal((await end(cis2.logoutToken('ada-0001'))).status, 200);
      assert.equal(await isSignedIn(tab), true);
      const token = trust.logoutToken('ada-0001');
      const answer = await end(token);
      assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-store']);
      assert.equal(await isSignedIn(tab), false);
      assert.equal((await end(token)).status, 400);
    }));

  test('an invitation links the account with which it is taken up, once', async () => {
    const link = await account('invite', 'dr-sen');
    const invitation = link.slice(link.lastIndexOf('/') + 1);
    const path = `/sign-in/with/trust?invitation=${invitation}`;
    // As a link on a page of ours would be followed.
    const follow = async (tab, who) => signIn(tab, who, { path });
    await fresh(async (tab, context) => refused(tab, context, await follow(tab, 'ada-0001')));
    await fresh(async (tab) => {
      assert.equal((await follow(tab, 'sen-0002')).status(), 200);
      assert.ok((await tab.locator('body').innerText()).includes('Dr Sen'));
    });
    await fresh(async (tab, context) => refused(tab, context, await follow(tab, 'eve-9999'), 'eve-9999'));
    await fresh(async (tab) => assert.equal((await signIn(tab, 'sen-0002')).status(), 200));
    assert.equal(await account('links', 'dr-sen'), `${trust.issuer}  sen-0002`);
  });

  test('a link that an operator takes away ends what is under way', () =>
    fresh(async (tab) => {
      await fresh(async (other) => {
        await signIn(other, 'sen-0002');
        await account('unlink', 'dr-sen');
        assert.equal(await isSignedIn(other), false);
      });
      const answer = await signIn(tab, 'sen-0002');
      assert.equal(answer.status(), 403);
    }));

  test('the log has the checks that did not hold, and nobody', () => {
    const log = program.output();
    for (const reason of ['nonce wrong', 'audience wrong', 'state unknown', 'other browser', 'code refused', 'not linked']) {
      assert.ok(log.includes(reason), `${reason} is not in the log:\n${log}`);
    }
    for (const secret of ['ada-0001', 'eve-9999', 'sen-0002', 'invitation=', 'code=', SECRET]) assert.ok(!log.includes(secret), secret);
    assert.ok(!readFileSync(join(folder, 'alongside.db')).includes(SECRET));
  });
});
