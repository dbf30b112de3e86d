// The closed loop over FHIR R4, with clients that others wrote: a hospital's record proves who it is with its own key, asks
// for support, follows what becomes of it, and withdraws; every resource that comes back is valid.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'fhir-kit-client';
import { ask, askOne } from './support/database.mjs';
import { openBrowser } from './support/browser.mjs';
import { fillIn, startForms } from './support/forms.mjs';
import { askToken, assertion, newClientKey, problemsOf, sendTooMuch, watchResources } from './support/fhir.mjs';
import { freePort, inRepository, run } from './support/program.mjs';
import { configuration, serve, team } from './support/service.mjs';

const SCOPES = 'system/*.cruds';
const MRN = 'https://northmid.example/id/mrn';
const ORDER = 'https://northmid.example/id/order';
function system(key, keys) {
  return `
[[fhir_client]]
key = "${key}"
title = "A system"
site = "northmid"
local_identifier = "${MRN}"
${keys}
scopes = ["${SCOPES}"]
`;
}

describe('the closed loop over FHIR', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-fhir-'));
  const config = join(folder, 'alongside.toml');
  const database = join(folder, 'alongside.db');
  const seen = [];
  const unwatch = watchResources(seen);
  let origin, base, service, keys, record, engine;

  before(async () => {
    const ports = { http: await freePort(), chelwest: await freePort(), northmid: await freePort() };
    origin = `http://127.0.0.1:${ports.http}`;
    base = `${origin}/fhir/r4`;
    record = await newClientKey('record-1', 'RS384');
    engine = await newClientKey('engine-1', 'ES384');
    keys = createServer((_, answer) => answer.end(JSON.stringify(engine.jwks))).listen(0, '127.0.0.1');
    await new Promise((resolve) => keys.once('listening', resolve));
    writeFileSync(join(folder, 'record.jwks.json'), JSON.stringify(record.jwks));
    const sites = configuration({ database: `sqlite:${database}`, server: { origin }, ports });
    // The partner belongs to the site before it.
    writeFileSync(config, sites.replace('organisations = [{ code = "RAP" }]', `$&\n${team('northmid')}`));
    appendFileSync(config, system('record', 'jwks_file = "record.jwks.json"'));
    appendFileSync(config, system('engine', `jwks_url = "http://127.0.0.1:${keys.address().port}/jwks.json"`));
    service = await serve({ config }, { cwd: folder });
  });
  after(async () => {
    unwatch();
    await service?.stop();
    keys?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const tokenUrl = () => `${origin}/oauth/token`;
  const token = async (name, key) => (await askToken(tokenUrl(), await assertion(name, key, tokenUrl()), SCOPES)).body.access_token;
  async function client(name, key) {
    return new Client({ baseUrl: base, bearerToken: await token(name, key) });
  }
  /** The service's people do something, at the server's terminal. */
  async function does(...args) {
    const done = await run(['record', ...args, '--config', config], { cwd: folder });
    assert.equal(done.status, 0, done.stderr + done.stdout);
  }
  const referralOf = (mrn) =>
    askOne(database, `SELECT r.id FROM referral r JOIN person_identifier i ON i.person = r.person WHERE i.value = '${mrn}' ORDER BY r.raised_at DESC`);

  function serviceRequest(number, mrn) {
    return {
      resourceType: 'ServiceRequest',
      contained: [
        {
          resourceType: 'Patient',
          id: 'person',
          identifier: [
            { system: MRN, value: mrn },
            { system: 'https://fhir.nhs.uk/Id/nhs-number', value: '9990000018' },
          ],
          name: [{ use: 'official', family: 'Zztest', given: ['Invented'] }],
          birthDate: '1980-05-02',
        },
      ],
      identifier: [{ system: ORDER, value: number }],
      status: 'active',
      intent: 'order',
      priority: 'routine',
      code: { coding: [{ system: 'http://snomed.info/sct', code: '711281004', display: 'Referral to support group' }] },
      subject: { reference: '#person' },
      authoredOn: new Date(Date.now() - 60_000).toISOString(),
      requester: { display: 'Outpatients' },
    };
  }

  test('what a client needs is found, and the statement of capabilities is true', async () => {
    const smart = await (await fetch(`${base}/.well-known/smart-configuration`)).json();
    assert.equal(smart.token_endpoint, tokenUrl());
    const fhir = await client('record', record);
    const statement = await fhir.capabilityStatement();
    assert.deepEqual(problemsOf(statement), []);
    const [rest] = statement.rest;
    for (const { type, interaction, searchParam, searchInclude = [] } of rest.resource) {
      const may = interaction.map(({ code }) => code);
      const status = async (path, options = {}) => {
        const headers = { Authorization: fhir.customHeaders?.Authorization ?? `Bearer ${await token('record', record)}`, 'Content-Type': 'application/fhir+json' };
        const answer = await fetch(`${base}/${path}`, { headers, ...options });
        const body = await answer.json();
        assert.deepEqual(problemsOf(body), [], path);
        return answer.status;
      };
      const asked = ['Patient', 'QuestionnaireResponse'].includes(type) ? '&_id=none' : '';
      for (const { name, type: kind } of searchParam) {
        const value = { date: 'gt2020-01-01', reference: 'none' }[kind] ?? 'none';
        assert.equal(await status(`${type}?${name}=${value}${name === '_id' || (name === 'identifier' && type === 'Patient') ? '' : asked}`), 200, `${type}.${name}`);
      }
      if (!asked) assert.equal(await status(type), 200, type);
      for (const include of searchInclude) {
        assert.equal(await status(`${type}?_include=${include}${asked}`), 200, include);
      }
      for (const other of ['_has:Task:focus:status=x', 'name=x', 'patient.name=x', '_text=x', 'status:not=x', '_filter=x']) {
        assert.equal(await status(`${type}?${other}`), 400, `${type}?${other}`);
      }
      // What is not stated is not done.
      assert.equal((await status(`${type}/none`, { method: 'DELETE' })) >= 400, true);
      const created = await status(type, { method: 'POST', body: JSON.stringify({ resourceType: type }) });
      assert.equal(created, may.includes('create') ? 400 : 405, `create ${type}`);
      const updated = await status(`${type}/none`, { method: 'PUT', body: JSON.stringify({ resourceType: type }) });
      assert.equal(updated, may.includes('update') ? 400 : 405, `update ${type}`);
      assert.equal(await status(`${type}/none`), 404, `read ${type}`);
      assert.equal(await status(`${type}/none/_history`), may.includes('history-instance') ? 404 : 405, `history ${type}`);
    }
  });

  test('fhir-kit-client asks, follows and reads every version, and each resource is valid', async () => {
    const fhir = await client('record', record);
    const made = await fhir.create({ resourceType: 'ServiceRequest', body: serviceRequest('order-1', 'FHIR1') });
    const task = () => fhir.read({ resourceType: 'Task', id: made.id });
    const told = async () => {
      const { status, businessStatus } = await task();
      return `${status}: ${businessStatus.coding[0].code}`;
    };
    assert.equal(await told(), 'requested: received');
    const referral = referralOf('FHIR1');
    await does('notice', referral, '--by', 'nurse-northmid', '--how', 'in-person', '--answer', 'no-objection', '--knows-diagnosis', '--told-of-support');
    assert.equal(await told(), 'requested: waiting');
    await does('allocation', referral, '--supporter', 'anna-northmid', '--by', 'coordinator-northmid');
    assert.equal(await told(), 'accepted: accepted');
    await does('contact', referral, '--supporter', 'anna-northmid', '--way', 'telephone', '--outcome', 'no-answer');
    assert.equal(await told(), 'in-progress: contacting');
    await does('contact', referral, '--supporter', 'anna-northmid', '--way', 'telephone', '--outcome', 'conversation', '--minutes', '30', '--note', 'SECRETWORDS');
    assert.equal(await told(), 'in-progress: event-completed');

    // Withdrawn, now that somebody has begun: no.
    const current = await task();
    const withdrawn = { ...current, status: 'cancelled' };
    const headers = { 'If-Match': `W/"${current.meta.versionId}"` };
    const refused = await fhir.update({ resourceType: 'Task', id: made.id, body: withdrawn, options: { headers } }).then(assert.fail, (error) => error);
    assert.equal(refused.response?.status ?? refused.status, 422);

    await does('end', referral, '--by', 'anna-northmid', '--reason', 'completed');
    assert.equal(await told(), 'completed: completed');
    const history = await fhir.history({ resourceType: 'Task', id: made.id });
    assert.deepEqual(
      history.entry.map((entry) => entry.resource.businessStatus.coding[0].code),
      ['completed', 'event-completed', 'contacting', 'accepted', 'waiting', 'received'],
    );
    const second = await fhir.vread({ resourceType: 'Task', id: made.id, version: '2' });
    assert.equal(second.businessStatus.coding[0].code, 'waiting');
    const found = await fhir.search({
      resourceType: 'Task',
      searchParams: { patient: made.subject.reference, _include: ['Task:focus', 'Task:patient'] },
      options: {},
    });
    assert.deepEqual(found.entry.map((entry) => entry.resource.resourceType), ['Task', 'ServiceRequest', 'Patient']);
    assert.doesNotMatch(JSON.stringify(seen), /SECRETWORDS|HIV|diagnosis/i);
  });

  test('lists are read page by page, and a withdrawal before anybody has begun ends the loop', async () => {
    const fhir = await client('engine', engine);
    const made = [];
    for (let number = 1; number <= 5; number += 1) {
      made.push(await fhir.create({ resourceType: 'ServiceRequest', body: serviceRequest(`page-${number}`, 'FHIR2') }));
    }
    let page = await fhir.search({ resourceType: 'Task', searchParams: { status: 'requested', _count: '2' } });
    const ids = [];
    while (page) {
      ids.push(...page.entry.map((entry) => entry.resource.id));
      page = await fhir.nextPage({ bundle: page });
    }
    assert.deepEqual(ids, made.map(({ id }) => id));

    const request = await fhir.read({ resourceType: 'ServiceRequest', id: made[0].id });
    const headers = { 'If-Match': 'W/"1"' };
    const revoked = await fhir.update({ resourceType: 'ServiceRequest', id: request.id, body: { ...request, status: 'revoked' }, options: { headers } });
    assert.equal(revoked.status, 'revoked');
    const since = await fhir.search({ resourceType: 'Task', searchParams: { _lastUpdated: `gt${request.meta.lastUpdated}`, status: 'cancelled' } });
    assert.deepEqual(since.entry.map((entry) => entry.resource.id), [request.id]);
    // What the other system asked for is not theirs.
    const other = await client('record', record);
    const hidden = await other.read({ resourceType: 'Task', id: request.id }).then(assert.fail, (error) => error);
    assert.equal(hidden.response?.status ?? hidden.status, 404);
  });

  test('a transaction makes the person, the request and the work at once, and again is no second time', async () => {
    const fhir = await client('record', record);
    const { contained, ...request } = serviceRequest('transaction-1', 'FHIR3');
    const { id, ...patient } = contained[0];
    const [person, asked, work] = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].map((part) => `urn:uuid:${part}-0000-4000-8000-000000000000`);
    const entry = (fullUrl, resource, more = {}) => ({ fullUrl, resource, request: { method: 'POST', url: resource.resourceType, ...more } });
    const task = {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      code: { coding: [{ system: 'http://hl7.org/fhir/CodeSystem/task-code', code: 'fulfill' }] },
      focus: { reference: asked },
      for: { reference: person },
    };
    const body = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        entry(person, patient),
        entry(asked, { ...request, subject: { reference: person } }, { ifNoneExist: `identifier=${ORDER}|transaction-1` }),
        entry(work, task),
      ],
    };
    const first = await fhir.transaction({ body });
    assert.deepEqual(first.entry.map(({ response }) => response.status), ['201', '201', '201']);
    const again = await fhir.transaction({ body });
    assert.equal(again.entry[1].resource.id, first.entry[1].resource.id);
    assert.equal(askOne(database, "SELECT COUNT(*) FROM request WHERE value = 'transaction-1'"), 1);
  });

  test('twenty at once under one number are one, and the others are told where it is', async () => {
    const headers = { Authorization: `Bearer ${await token('record', record)}`, 'Content-Type': 'application/fhir+json' };
    const body = JSON.stringify(serviceRequest('at-once', 'FHIR5'));
    const all = await Promise.all(Array.from({ length: 20 }, () => fetch(`${base}/ServiceRequest`, { method: 'POST', headers, body })));
    assert.deepEqual(all.map(({ status }) => status).sort(), [201, ...Array(19).fill(409)]);
    const made = all.find(({ status }) => status === 201).headers.get('location');
    for (const again of all.filter(({ status }) => status === 409)) {
      assert.ok(made.startsWith(`${again.headers.get('location')}/_history/`), 'Location leads to the one that was made');
    }
    assert.equal(askOne(database, "SELECT COUNT(*) FROM request WHERE value = 'at-once'"), 1);
  });

  test('fhirpy asks and follows', async () => {
    const body = JSON.stringify(serviceRequest('python-1', 'FHIR4'));
    const script = `
import json, sys
from fhirpy import SyncFHIRClient
client = SyncFHIRClient(sys.argv[1], authorization="Bearer " + sys.argv[2])
request = client.resource("ServiceRequest", **{k: v for k, v in json.loads(sys.argv[3]).items() if k != "resourceType"})
request.save()
tasks = client.resources("Task").search(focus=request.id).fetch_all()
request["status"] = "revoked"
print(json.dumps({"id": request.id, "tasks": [task.serialize() for task in tasks]}))
`;
    const python = inRepository('target/venv/bin/python');
    const said = execFileSync(python, ['-I', '-c', script, base, await token('record', record), body], { encoding: 'utf8' });
    const { id, tasks } = JSON.parse(said);
    assert.deepEqual([tasks.length, tasks[0].focus.reference, tasks[0].status], [1, `ServiceRequest/${id}`, 'requested']);
    seen.push(...tasks);
  });

  test('a proof that does not hold gives no token, and no token nothing', async () => {
    const forged = await newClientKey('record-1', 'RS384');
    const weak = { ...(await newClientKey('record-1', 'RS256')), kid: 'record-1' };
    const url = tokenUrl();
    const proof = await assertion('record', record, url);
    assert.equal((await askToken(url, proof, SCOPES)).status, 200);
    const answers = await Promise.all([
      askToken(url, proof, SCOPES), // used before
      askToken(url, await assertion('record', forged, url), SCOPES),
      askToken(url, await assertion('record', weak, url), SCOPES),
      askToken(url, await assertion('nobody', record, url), SCOPES),
      askToken(url, await assertion('record', record, `${origin}/other`), SCOPES),
      askToken(url, await assertion('record', record, url, { seconds: 3600 }), SCOPES),
      askToken(url, await assertion('record', record, url, { seconds: -120 }), SCOPES),
      askToken(url, await assertion('record', record, url, { claims: { sub: 'engine' } }), SCOPES),
      askToken(url, 'no token', SCOPES),
    ]);
    assert.deepEqual(answers.map(({ status, body }) => [status, body.error]), answers.map(() => [401, 'invalid_client']));
    const wrong = await askToken(url, await assertion('record', record, url), 'patient/*.read');
    assert.deepEqual([wrong.status, wrong.body.error], [400, 'invalid_scope']);
    const other = await askToken(url, await assertion('record', record, url), SCOPES, { grant_type: 'password' });
    assert.deepEqual([other.status, other.body.error], [400, 'unsupported_grant_type']);
    for (const Authorization of ['', 'Bearer', 'Bearer made~up~token~00', 'Basic cmVjb3JkOng=']) {
      const answer = await fetch(`${base}/Task`, { headers: Authorization ? { Authorization } : {} });
      assert.equal(answer.status, 401);
      assert.match(answer.headers.get('www-authenticate'), /^Bearer/);
      assert.deepEqual(problemsOf(await answer.json()), []);
    }
    const lines = ask(database, "SELECT outcome, COUNT(*) FROM audit WHERE actor = 'record' AND action = 'sign-in' GROUP BY outcome ORDER BY outcome");
    assert.ok(lines.find(([outcome]) => outcome === 'refused')[1] >= 6, JSON.stringify(lines));
  });

  test('what is not FHIR is refused with its place, and nothing is kept of it', async () => {
    const before = askOne(database, 'SELECT COUNT(*) FROM request');
    const Authorization = `Bearer ${await token('record', record)}`;
    const post = async (path, body, type = 'application/fhir+json') => {
      const answer = await sendTooMuch(`${base}${path}`, { method: 'POST', headers: { Authorization, 'Content-Type': type }, body });
      const outcome = await answer.json();
      assert.deepEqual(problemsOf(outcome), []);
      assert.doesNotMatch(JSON.stringify(outcome), /Zztest/);
      return [answer.status, outcome.issue[0].code];
    };
    assert.deepEqual(await post('/ServiceRequest', '{'), [400, 'invalid']);
    assert.deepEqual(await post('/ServiceRequest', Buffer.from([0xff, 0xfe, 0x7b])), [400, 'invalid']);
    assert.deepEqual(await post('/ServiceRequest', JSON.stringify({ resourceType: 'ServiceRequest', status: 'Zztest' })), [400, 'required']);
    assert.deepEqual(await post('/ServiceRequest', '<ServiceRequest/>', 'application/fhir+xml'), [415, 'not-supported']);
    assert.deepEqual(await post('/ServiceRequest', `{"resourceType":"ServiceRequest","x":"${'Zztest'.repeat(300_000)}"}`), [413, 'too-long']);
    assert.deepEqual(await post('/ServiceRequest', `{"a":${'['.repeat(100_000)}`), [400, 'invalid']);
    assert.deepEqual(await post('/Nothing', '{}'), [404, 'not-supported']);
    assert.deepEqual(await post('', JSON.stringify({ resourceType: 'Bundle', type: 'collection' })), [400, 'value']);
    const worried = { ...serviceRequest('note-1', 'FHIR9'), note: [{ text: 'Zztest is worried' }] };
    assert.deepEqual(await post('/ServiceRequest', JSON.stringify(worried)), [422, 'not-supported']);
    assert.equal(askOne(database, 'SELECT COUNT(*) FROM request'), before);
  });

  test('lforms shows every questionnaire and computes our scores, and what was filled in there is taken', async () => {
    const fhir = await client('record', record);
    const asked = await fhir.create({ resourceType: 'ServiceRequest', body: serviceRequest('order-q', 'FHIRQ') });
    const referral = referralOf('FHIRQ');
    await does('notice', referral, '--by', 'nurse-northmid', '--how', 'in-person', '--answer', 'no-objection', '--knows-diagnosis', '--told-of-support');
    await does('allocation', referral, '--supporter', 'anna-northmid', '--by', 'coordinator-northmid');
    await does('contact', referral, '--supporter', 'anna-northmid', '--way', 'telephone', '--outcome', 'conversation', '--minutes', '30');
    const { entry } = await fhir.search({ resourceType: 'Questionnaire', searchParams: {} });
    assert.deepEqual(entry.map(({ resource }) => resource.id).sort(), ['ons4', 'phq4', 'ucla3']);
    const forms = await startForms(entry.map(({ resource }) => resource));
    const browser = await openBrowser();
    try {
      for (const { resource: form } of entry) {
        const { subject } = await fhir.read({ resourceType: 'Task', id: asked.id }).then((task) => ({ subject: task.for }));
        const response = await fillIn(browser, forms.address(form.id), form);
        const computed = response.item.filter(({ linkId }) => linkId.startsWith('score.'));
        assert.equal(computed.length, form.item.filter(({ linkId }) => linkId.startsWith('score.')).length, `${form.id}: a score was not computed`);
        const body = {
          ...response,
          meta: undefined,
          text: undefined,
          identifier: { system: 'https://northmid.example/id/portal', value: `answers-${form.id}` },
          questionnaire: `${form.url}|${form.version}`,
          basedOn: [{ reference: `ServiceRequest/${asked.id}` }],
          subject,
          source: subject,
        };
        const made = await fhir.create({ resourceType: 'QuestionnaireResponse', body });
        assert.ok(made.id, form.id);
        const wrong = structuredClone(body);
        wrong.identifier.value = 'other';
        wrong.item.find(({ linkId }) => linkId.startsWith('score.')).answer[0].valueDecimal += 1;
        await assert.rejects(fhir.create({ resourceType: 'QuestionnaireResponse', body: wrong }), (error) => {
          assert.equal(error.response.status, 422);
          assert.equal(error.response.data.issue[0].code, 'business-rule');
          return true;
        });
        const { searchParams } = { searchParams: { patient: subject.reference, questionnaire: form.url } };
        const found = await fhir.search({ resourceType: 'QuestionnaireResponse', searchParams });
        assert.deepEqual(found.entry.map(({ resource }) => resource.id), [made.id]);
      }
      assert.deepEqual(browser.refused, [], 'the form asked somebody else');
    } finally {
      await browser.close();
      await forms.stop();
    }
    assert.equal(askOne(database, 'SELECT COUNT(*) FROM assessment'), 3);
  });

  test('every resource that came back is valid by the schema and by the profiles', () => {
    const judges = (resource) => problemsOf(resource).map((what) => what.split(' ')[1]);
    assert.ok(judges({ resourceType: 'Task', status: 'nonsense', intent: 'order' }).includes('schema:'));
    assert.ok(judges({ resourceType: 'Task', intent: 'order' }).includes('profile:'));
    const kinds = [...new Set(seen.flatMap(({ resourceType, entry = [] }) => [resourceType, ...entry.map((held) => held.resource?.resourceType)]))];
    for (const kind of ['Patient', 'ServiceRequest', 'Task', 'Bundle', 'CapabilityStatement', 'OperationOutcome', 'Organization', 'Location', 'HealthcareService', 'Questionnaire', 'QuestionnaireResponse']) {
      assert.ok(kinds.includes(kind), `no ${kind} was seen`);
    }
    assert.deepEqual([...new Set(seen.flatMap(problemsOf))], []);
  });
});
