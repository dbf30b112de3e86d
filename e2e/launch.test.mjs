// The hospital's record opens Alongside beside a person: in a frame, without scripts, without cookies of another site's, through a
// certified authorisation server; and by a link that it signed. And `fhirclient` says that what stands there is a SMART record.
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityProblems, openBrowser } from './support/browser.mjs';
import { assertion, newClientKey } from './support/fhir.mjs';
import { freePort, run } from './support/program.mjs';
import { SECRET } from './support/provider.mjs';
import { MRN, patient, startRecord } from './support/record.mjs';
import { configuration, serve, team } from './support/service.mjs';

const SESSION = '__Host-alongside';
const MIRIAM = { number: 'N100001', family: 'Okafor', given: 'Miriam', birthDate: '1980-05-02', nhs: '9990000018' };

describe('beside the record', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-launch-'));
  const config = join(folder, 'alongside.toml');
  let at;
  let record;
  let program;
  let browser;
  let key;

  before(async () => {
    const ports = { http: await freePort(), chelwest: await freePort(), northmid: await freePort() };
    at = `http://127.0.0.1:${ports.http}`;
    [record, key] = await Promise.all([
      startRecord(at, {
        p1: patient('p1', MIRIAM),
        p2: patient('p2', { number: 'N100002', family: 'Quill', given: 'Sam', birthDate: '1991-01-09' }),
        mixed: patient('mixed', { ...MIRIAM, birthDate: '1980-05-03' }),
        nameless: { ...patient('nameless', MIRIAM), identifier: [{ system: 'https://elsewhere.example/mrn', value: '1' }] },
      }),
      newClientKey('record-1', 'ES384'),
    ]);
    const { host } = new URL(record.iss);
    writeFileSync(join(folder, 'secret'), `${SECRET}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'record.jwks.json'), JSON.stringify(key.jwks));
    const server = { origin: at, embedded_by: [`http://${host}`] };
    const text = configuration({ database: `sqlite:${join(folder, 'alongside.db')}`, server, ports });
    writeFileSync(config, text.replace('organisations = [{ code = "RAP" }]', `organisations = [{ code = "RAP" }]${team('northmid')}`));
    appendFileSync(
      config,
      `
[[staff]]
key = "nurse-bo"
name = "Bo, nurse"
role = "clinician"
sites = ["chelwest"]

[[identity_provider]]
key = "record"
title = "The record"
issuer = "${record.issuer}"
client_id = "alongside"
client_secret_file = "secret"
[identity_provider.launch]
iss = "${record.iss}"
site = "northmid"
local_identifier = "${MRN}"

[[fhir_client]]
key = "careflow"
title = "CareFlow"
site = "northmid"
local_identifier = "${MRN}"
jwks_file = "record.jwks.json"
scopes = []
`,
    );
    for (const [who, subject] of [['nurse-northmid', 'ada'], ['nurse-bo', 'bo']]) {
      await account('link', who, '--provider', 'record', '--subject', subject);
      await account('link', who, '--provider', 'careflow', '--subject', `desk-${subject}`);
    }
    // The browser refuses cookies of other sites in frames, as browsers do.
    [program, browser] = await Promise.all([serve({ config }, { cwd: folder }), openBrowser({}, ['--test-third-party-cookie-phaseout'])]);
  });
  after(async () => {
    await browser?.close();
    await program?.stop();
    await record?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function account(...args) {
    const done = await run(['account', '--config', config, ...args], { cwd: folder });
    assert.equal(done.status, 0, done.stderr);
  }

  /** Gives `use` a tab of a browser that nobody has used before. */
  async function fresh(use, options = {}) {
    const context = await browser.browser.newContext({ locale: 'en-GB', ...options });
    try {
      return await use(await context.newPage(), context);
    } finally {
      await context.close();
    }
  }

  /** Opens a person in the record, and signs in there as somebody. */
  async function opened(tab, id, who = 'ada') {
    const frame = await record.open(tab, id);
    await frame.getByLabel('Who are you?').fill(who);
    await frame.getByRole('button', { name: 'Sign in' }).click();
    return frame;
  }

  const heading = (frame) => frame.locator('h1').innerText();

  test('what stands there is a SMART record: another app reads its patient', () =>
    fresh(async (tab) => {
      await tab.goto(record.theirApp('p2'));
      await tab.getByLabel('Who are you?').fill('ada');
      await tab.getByRole('button', { name: 'Sign in' }).click();
      await tab.waitForFunction(() => document.getElementById('who')?.textContent);
      assert.equal(await tab.locator('#who').innerText(), 'Quill, read by Practitioner/ada');
    }));

  for (const javaScriptEnabled of [false, true]) {
    const [id, name] = javaScriptEnabled ? ['p2', 'Sam Quill'] : ['p1', 'Miriam Okafor'];
    test(`${javaScriptEnabled ? 'with' : 'without'} scripts, in a frame: somebody is referred, told, and seen, and the record stays open`, () =>
      fresh(
        async (tab, context) => {
          const pages = [];
          context.on('page', (page) => pages.push(page));
          const frame = await opened(tab, id);
          assert.equal(await heading(frame), 'Refer somebody');
          assert.equal(await frame.getByLabel('Hospital number', { exact: true }).inputValue(), record.patients[id].identifier[0].value);
          assert.equal(await frame.getByLabel('Family name').inputValue(), record.patients[id].name[0].family);
          if (javaScriptEnabled) {
            const inner = tab.frames().find((one) => one.url().startsWith(at));
            assert.ok(!inner.url().includes(record.patients[id].identifier[0].value), 'the number stands in an address');
          }
          await frame.getByRole('button', { name: 'Refer', exact: true }).click();
          await frame.getByText('Referred.').waitFor();

          // From now on the record opens their page, and nobody is asked to sign in again.
          const again = await record.open(tab, id);
          await again.getByRole('heading', { level: 1, name }).waitFor();
          await again.getByRole('link', { name: /notice/i }).first().click();
          await again.getByLabel('Told, and fine with it').check();
          await again.getByRole('button', { name: 'Record' }).click();
          await again.getByText('Notice recorded.').waitFor();
          await again.getByRole('heading', { level: 1, name }).waitFor();
          assert.ok(tab.url().startsWith(new URL(record.iss).origin), 'the record is still there');
          assert.equal(pages.length, 0, 'no other window was opened');
          const [session] = (await context.cookies()).filter((one) => one.name === SESSION);
          assert.deepEqual([session.httpOnly, session.secure, session.sameSite, Boolean(session.partitionKey)], [true, true, 'None', true]);
        },
        { javaScriptEnabled, ...(javaScriptEnabled ? { viewport: { width: 390, height: 844 } } : {}) },
      ));
  }

  test('whoever comes from here first chooses the person there', () =>
    fresh(async (tab) => {
      record.chosen = 'p1';
      await tab.goto(`${at}/launch?${new URLSearchParams({ iss: record.iss })}`);
      await tab.getByLabel('Who are you?').fill('ada');
      await tab.getByRole('button', { name: 'Sign in' }).click();
      await tab.getByRole('heading', { level: 1, name: 'Miriam Okafor' }).waitFor();
      assert.deepEqual(await accessibilityProblems(tab), []);
    }));

  test('two windows are about one person, or nobody is shown', () =>
    fresh(async (tab) => {
      const frame = await opened(tab, 'mixed');
      assert.equal(await heading(frame), 'The details do not agree');
      assert.ok(!(await frame.locator('body').innerText()).includes('Okafor'));
      const nobody = await record.open(tab, 'nameless');
      await nobody.getByRole('heading', { level: 1, name: 'Find a person' }).waitFor();
      record.refuse = true;
      const refused = await record.open(tab, 'p1');
      await refused.getByRole('heading', { level: 1, name: 'Find a person' }).waitFor();
      record.refuse = false;
    }));

  test('another clinic learns of nobody, somebody who is not linked of nothing, and another record is none', () =>
    fresh(async (tab, context) => {
      const frame = await opened(tab, 'p1', 'bo');
      await frame.locator('h1').waitFor();
      assert.ok(!(await frame.locator('body').innerText()).includes('Told'));
      assert.notEqual(await heading(frame), 'Miriam Okafor');
      await context.clearCookies();
      const stranger = await opened(tab, 'p1', 'eve');
      assert.equal(await heading(stranger), 'You were not signed in');
      for (const iss of ['https://elsewhere.example/r4', `${record.iss}/../r4`, '']) {
        const answer = await fetch(`${at}/launch?${new URLSearchParams({ iss, launch: 'x' })}`, { redirect: 'manual' });
        assert.equal(answer.status, 404, iss);
      }
    }));

  test('pages in a frame are for the record alone, and those of a private link for none', async () => {
    const policy = async (path) => (await fetch(at + path)).headers.get('content-security-policy');
    assert.ok((await policy('/sign-in')).endsWith(`frame-ancestors ${new URL(record.iss).origin}`));
    assert.ok((await policy('/yours/x')).endsWith("frame-ancestors 'none'"));
    const framed = await fetch(`${at}/sign-in`, { headers: { 'sec-fetch-dest': 'iframe' } });
    assert.equal(framed.status, 401);
    assert.ok(!(await framed.text()).includes('password'));
  });

  const LINK = '/launch/link';
  const signedLink = (claims = {}, more = {}) =>
    assertion('careflow', more.key ?? key, at + LINK, {
      seconds: 60,
      ...more,
      claims: { sub: 'desk-ada', patient: MIRIAM.number, birthdate: MIRIAM.birthDate, ...claims },
    }).then((token) => `${at}${LINK}?token=${token}`);

  test('a link that the record signed opens the person, once', () =>
    fresh(async (tab, context) => {
      const link = await signedLink();
      await tab.goto(link);
      await tab.getByRole('heading', { level: 1, name: 'Miriam Okafor' }).waitFor();
      assert.ok(!tab.url().includes('token'));
      await context.clearCookies();
      const answer = await tab.goto(link);
      assert.equal(answer.status(), 403);
      assert.equal(await heading(tab), 'You were not signed in');
      await tab.goto(await signedLink({ patient: 'N100009', birthdate: '1970-01-01' }));
      assert.equal(await heading(tab), 'Refer somebody');
      assert.equal(await tab.getByLabel('Hospital number', { exact: true }).inputValue(), 'N100009');
      await tab.goto(await signedLink({ birthdate: '1980-05-03' }));
      assert.equal(await heading(tab), 'The details do not agree');
    }));

  test('a link that does not hold opens nothing', async () => {
    const other = await newClientKey('record-1', 'ES384');
    const links = {
      'too old': await signedLink({}, { seconds: -120 }),
      'too long': await signedLink({}, { seconds: 600 }),
      'another key': await signedLink({}, { key: other }),
      'nobody here': await signedLink({ sub: 'desk-eve' }),
      'another address': await signedLink({ aud: `${at}/oauth/token` }),
      'another system': await signedLink({ iss: 'northmid' }),
      'no number': await signedLink({ patient: ' ' }),
      'no date': await signedLink({ birthdate: 'yesterday' }),
      'no token': `${at}${LINK}`,
    };
    for (const [what, link] of Object.entries(links)) {
      const answer = await fetch(link, { redirect: 'manual' });
      assert.equal(answer.status, 403, what);
      assert.equal(answer.headers.get('set-cookie')?.includes(SESSION) ?? false, false, what);
    }
    assert.ok(!program.output().includes(MIRIAM.number) && !program.output().includes('Okafor'), 'the log names somebody');
  });
});
