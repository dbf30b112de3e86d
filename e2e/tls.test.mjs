// MLLP over TLS with certificates on both sides: a client that others wrote gets its answers, and whoever cannot show a
// certificate of the hospital's authority gets none, and leaves nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as dial } from 'node:tls';
import { acknowledgementCode, answeredControlId } from './clients/index.mjs';
import * as nodeHl7 from './clients/node-hl7-client.mjs';
import { askOne } from './support/database.mjs';
import { confirmed, controlId } from './support/messages.mjs';
import { connect, frame } from './support/mllp.mjs';
import { freePort, programPath } from './support/program.mjs';
import { configure, serve } from './support/service.mjs';

const SILENCE_MS = 3_000;

describe('a feed over TLS', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-tls-'));
  const database = join(folder, 'alongside.db');
  const at = (name) => join(folder, name);
  const read = (name) => readFileSync(at(name));
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  let site;
  let service;
  let watched;

  function authority(name) {
    openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '30', '-subj', `/CN=Invented ${name}`);
  }

  function certificate(name, by, days, names = 'DNS:localhost') {
    writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`);
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signing = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial', '-days', String(days), '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing);
  }

  before(async () => {
    authority('hospital');
    authority('stranger');
    certificate('feed', 'hospital', 20, 'DNS:localhost,IP:127.0.0.1');
    certificate('engine', 'hospital', 20);
    certificate('intruder', 'stranger', 20);
    chmodSync(at('feed.key'), 0o600);
    watched = await freePort();
    site = await configure(folder, { server: { metrics: `127.0.0.1:${watched}` } });
    appendFileSync(site.config, 'tls_certificate = "feed.pem"\ntls_key = "feed.key"\ntls_clients = "hospital.pem"\n');
    service = await serve(site, { cwd: folder });
  });
  after(async () => {
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const people = () => askOne(database, 'SELECT COUNT(*) FROM person');
  const referral = (id) =>
    `MSH|^~\\&|CAREFLOW|RAP|TIE|RAP|20241001120000||REF^I12|${id}|P|2.4\r` +
    `RF1${'|'.repeat(10)}WELLSUP\rPID|1||TLS1^^^RAP^MR||ZZTEST^INVENTED||19800101|F\r`;
  const by = (name) => ({ ca: read('hospital.pem'), cert: read(`${name}.pem`), key: read(`${name}.key`), servername: 'localhost' });

  /** What comes back to whoever sends a message over a line of TLS: nothing, where it is refused. */
  function answerTo(options) {
    return new Promise((resolve) => {
      let heard = '';
      const line = dial({ host: '127.0.0.1', port: site.ports.northmid, ca: read('hospital.pem'), servername: 'localhost', ...options });
      line.on('data', (bytes) => (heard += bytes));
      line.on('error', () => {});
      line.on('close', () => resolve(heard));
      line.on('secureConnect', () => line.write(frame(referral(controlId()))));
      setTimeout(() => line.destroy(), SILENCE_MS).unref();
    });
  }

  test('a client with a certificate of the hospital is answered, message by message', async () => {
    const ids = [controlId('TLS'), controlId('TLS')];
    const answers = await nodeHl7.send({
      host: '127.0.0.1',
      port: site.ports.northmid,
      messages: ids.map(referral),
      tls: by('engine'),
    });
    assert.deepEqual(answers.map(acknowledgementCode), ['AA', 'AA']);
    assert.deepEqual(answers.map(answeredControlId), ids);
    assert.match(await answerTo(by('engine')), /MSA\|AA\|/);
    assert.equal(people(), 1);
  });

  for (const [who, options] of [
    ['no certificate', () => ({})],
    ['a certificate of another authority', () => by('intruder')],
  ]) {
    test(`whoever has ${who} is not heard, and nothing of it is kept`, async () => {
      const before = people();
      assert.equal(await answerTo(options()), '');
      assert.equal(people(), before);
    });
  }

  test('whoever speaks in the clear is not answered, and others still are', async () => {
    const plain = await connect(site.ports.northmid);
    await assert.rejects(plain.send(referral(controlId())));
    plain.close();
    const clear = await connect(site.ports.chelwest);
    assert.match(await clear.send(confirmed({ mrn: 'CLEAR' })), /MSA\|AA/);
    clear.close();
    assert.match(await answerTo(by('engine')), /MSA\|AA\|/);
  });

  test('what machines are watched by tells how each feed is doing, and nothing about anybody', async () => {
    const answer = await fetch(`http://127.0.0.1:${watched}/metrics`);
    assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
    const told = await answer.text();
    assert.match(told, /^alongside_feed_messages_total\{feed="northmid",fate="applied"\} [1-9]/m);
    assert.match(told, /^alongside_feed_messages_total\{feed="chelwest",fate="refused"\} 0$/m);
    assert.match(told, /^alongside_feed_silent\{feed="northmid"\} 0$/m);
    const ends = Number(told.match(/^alongside_feed_certificates_end_timestamp_seconds\{feed="northmid"\} (\d+)$/m)?.[1]);
    assert.ok(ends > Date.now() / 1000 + 18 * 86_400 && ends < Date.now() / 1000 + 21 * 86_400, told);
    assert.doesNotMatch(told, /ZZTEST|TLS1|CLEAR/);
    assert.equal((await fetch(`http://127.0.0.1:${watched}/`)).status, 404);
  });

  test('until when the certificates are good is told, and a key that others may read is refused', () => {
    const check = () => execFileSync(programPath(), ['config', 'check', '--config', site.config], { encoding: 'utf8', stdio: 'pipe' });
    const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    assert.ok(check().includes(`the certificates of feed northmid are good until ${day}`), check());
    chmodSync(at('feed.key'), 0o644);
    assert.throws(check, (failure) => /feed northmid, TLS: .*chmod 600/.test(failure.stderr));
    chmodSync(at('feed.key'), 0o600);
    rmSync(at('hospital.pem'));
    assert.throws(check, (failure) => /feed northmid, TLS: .*hospital\.pem cannot be read/.test(failure.stderr));
  });
});
