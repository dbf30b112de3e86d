// The hospital's record opens Alongside beside a person: in a frame, without scripts, without cookies of another site's, through a
// certified authorisation server; and by a link that it signed. And `fhirclient` says that what stands there is a SMART record.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityProblems, openBrowser } from './support/browser.mjs';
import { assertion, newClientKey, sendTooMuch } from './support/fhir.mjs';
import { freePort, run } from './support/program.mjs';
import { SECRET } from './support/provider.mjs';
import { MRN, patient, startRecord } from './support/record.mjs';
import { configuration, serve, team } from './support/service.mjs';

const SESSION = '__Host-alongside';
const CDS = 'https://record.example/cds';
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
    const http = await freePort();
    at = `http://127.0.0.1:${http}`;
    [record, key] = await Promise.all([
      startRecord(at, {
        p1: patient('p1', MIRIAM),
        p2: patient('p2', { number: 'N100002', family: 'Quill', given: 'Sam', birthDate: '1991-01-09' }),
        mixed: patient('mixed', { ...MIRIAM, birthDate: '1980-05-03' }),
        nameless: { ...patient('nameless', MIRIAM), identifier: [{ system: 'https://elsewhere.example/mrn', value: '1' }] },
      }),
      newClientKey('record-1', 'ES384'),
    ]);
    const ports = { http, chelwest: await freePort(), northmid: await freePort() };
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
cds_issuer = "${CDS}"
smart_iss = "${record.iss}"
opens_people = true
`,
    );
    for (const [who, subject] of [['nurse-northmid', 'ada'], ['nurse-bo', 'bo']]) {
      await account('link', who, '--provider', 'record', '--subject', subject);
      await account('link', who, '--provider', 'careflow', '--subject', `desk-${subject}`);
    }
    // The browser refuses cookies of other sites in frames, as browsers do.
    browser = await openBrowser({}, ['--test-third-party-cookie-phaseout']);
    program = await serve({ config }, { cwd: folder });
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

  test('two people in two frames of one session: each keeps its own form, and both are taken', () =>
    fresh(async (tab, context) => {
      record.patients.p4 = patient('p4', { number: 'N100004', family: 'Archer', given: 'Lin', birthDate: '1979-09-09' });
      record.patients.p5 = patient('p5', { number: 'N100005', family: 'Brook', given: 'Kit', birthDate: '1991-01-11' });
      const one = await opened(tab, 'p4');
      await one.getByLabel('Telephone, if they gave it').fill('07700 900004');
      const two = await record.open(await context.newPage(), 'p5');
      for (const [frame, number] of [[one, 'N100004'], [two, 'N100005']]) {
        assert.equal(await frame.getByLabel('Hospital number', { exact: true }).inputValue(), number);
        await frame.getByRole('button', { name: 'Refer', exact: true }).click();
        await frame.getByText('Referred.').waitFor();
      }
      assert.equal((await context.cookies()).filter(({ name }) => name.startsWith(SESSION)).length, 1, 'no cookie of a sign-in is left');
    }));

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

  /** Asks for cards as the record does: the status, and the answer. */
  async function ask(hook, id, { user = 'Practitioner/ada', context = {}, prefetch, token, path = `/cds-services/${hook}`, body, ...more } = {}) {
    const proof = token ?? (await assertion(CDS, key, at + path, { seconds: 60, ...more }));
    const question = {
      hook,
      hookInstance: randomUUID(),
      fhirServer: record.iss,
      fhirAuthorization: { access_token: 'hush', token_type: 'Bearer', expires_in: 300, scope: 'user/*.read', subject: 'alongside' },
      context: { userId: user, patientId: id, ...context },
      prefetch: prefetch ?? { patient: record.patients[id] },
    };
    const answer = await sendTooMuch(at + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${proof}` },
      body: body ?? JSON.stringify(question),
    });
    return { status: answer.status, body: await answer.json() };
  }

  test('what is due stands beside the record, for whoever opened this from it, and goes when it is done', () =>
    fresh(async (tab) => {
      record.patients.p3 = patient('p3', { number: 'N100003', family: 'Verne', given: 'Jo', birthDate: '1988-08-08' });
      const services = (await (await fetch(`${at}/cds-services`)).json()).services;
      assert.deepEqual(services.map(({ hook }) => hook).sort(), ['appointment-book', 'encounter-start', 'order-sign', 'patient-view']);
      for (const { hook, id } of services) {
        assert.deepEqual(await ask(hook, 'p3', { path: `/cds-services/${id}` }), { status: 200, body: { cards: [] } }, hook);
      }
      const frame = await opened(tab, 'p3');
      await frame.getByRole('button', { name: 'Refer', exact: true }).click();
      await frame.getByText('Referred.').waitFor();

      for (const hook of ['patient-view', 'encounter-start', 'appointment-book']) {
        const { body } = await ask(hook, 'p3', { context: hook === 'appointment-book' ? { appointments: {} } : { encounterId: 'e1' } });
        const [card] = body.cards;
        assert.equal(body.cards.length, 1, hook);
        assert.equal(card.summary, 'A conversation is due');
        assert.equal(card.indicator, 'info');
        assert.deepEqual(card.links, [{ label: 'Open Alongside', type: 'smart', url: `${at}/launch` }]);
        assert.ok(!/hiv|peer|diagnos|Verne|N100003/i.test(JSON.stringify(card)), 'a card is read over shoulders');
        assert.ok(!JSON.stringify(card).includes('null'), 'CDS Hooks knows no null');
      }
      assert.deepEqual((await ask('patient-view', 'p3', { user: 'Practitioner/bo' })).body, { cards: [] }, 'another clinic');
      assert.deepEqual((await ask('patient-view', 'p3', { user: 'Practitioner/eve' })).body, { cards: [] }, 'nobody of ours');
      assert.deepEqual((await ask('patient-view', 'mixed')).body, { cards: [] }, 'somebody else with this number');

      const order = (code) => ({ resource: { resourceType: 'ServiceRequest', status: 'draft', code: { coding: [{ system: 'http://snomed.info/sct', code }] } } });
      const draftOrders = { resourceType: 'Bundle', entry: [order('1'), order('711281004')] };
      const signed = await ask('order-sign', 'p3', { context: { draftOrders } });
      assert.equal(signed.body.cards[0].summary, 'This has been asked for already');
      assert.equal(signed.body.cards[0].indicator, 'warning');

      // Put away: it comes back tomorrow, and not today.
      const { body } = await ask('patient-view', 'p3');
      const feedback = { feedback: [{ card: body.cards[0].uuid, outcome: 'overridden', outcomeTimestamp: new Date().toISOString() }] };
      const path = '/cds-services/patient-view/feedback';
      assert.equal((await ask('patient-view', 'p3', { path, body: JSON.stringify(feedback) })).status, 200);
      assert.deepEqual((await ask('patient-view', 'p3')).body, { cards: [] });
    }));

  test('cards are for the record that signs, and what is wrong is said to it and to no clinician', async () => {
    const other = await newClientKey('record-1', 'ES384');
    const url = `${at}/cds-services/patient-view`;
    const token = await assertion(CDS, key, url, { seconds: 60 });
    assert.equal((await ask('patient-view', 'p1', { token })).status, 200);
    const refused = {
      'used before': token,
      'another key': await assertion(CDS, other, url),
      'another issuer': await assertion('https://elsewhere.example', key, url),
      'another address': await assertion(CDS, key, `${at}/cds-services/order-sign`),
      'too old': await assertion(CDS, key, url, { seconds: -120 }),
      'too long': await assertion(CDS, key, url, { seconds: 900 }),
      'keys of its own': await assertion(CDS, key, url, { header: { jku: 'http://127.0.0.1:1/keys' } }),
      none: 'x',
    };
    for (const [what, proof] of Object.entries(refused)) assert.equal((await ask('patient-view', 'p1', { token: proof })).status, 401, what);
    const base = await assertion(CDS, key, `${at}/cds-services`, { claims: { aud: [`${at}/cds-services`] } });
    assert.equal((await ask('patient-view', 'p1', { token: base })).status, 200, 'the base address, in a list');
    assert.equal((await ask('patient-view', 'p1', { prefetch: {} })).status, 412);
    assert.equal((await ask('patient-view', 'p1', { prefetch: { patient: record.patients.p2 } })).status, 412);
    assert.equal((await ask('patient-view', 'p1', { prefetch: { patient: { resourceType: 'OperationOutcome', issue: [] } } })).status, 412);
    assert.equal((await ask('patient-view', 'p1', { body: '{"hook":' })).status, 400);
    assert.equal((await ask('order-sign', 'p1', { path: '/cds-services/patient-view' })).status, 400);
    assert.equal((await ask('patient-view', 'p1', { path: '/cds-services/order-select' })).status, 404);
    assert.equal((await ask('patient-view', 'p1', { body: 'x'.repeat(600_000) })).status, 413);
    assert.ok(!program.output().includes('hush'));
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
