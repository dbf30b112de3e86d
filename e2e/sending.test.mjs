// Back to the record: what a hospital ordered over HL7 v2 is answered as it goes on. The hospital's end is other people's
// servers, and one that loses answers, refuses, and goes away; at the end each order's loop is closed once.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Hl7Server } from '@medplum/hl7';
import { ask, askOne } from './support/database.mjs';
import { connect } from './support/mllp.mjs';
import { freePort, inRepository, run } from './support/program.mjs';
import { configuration, serve, team } from './support/service.mjs';

const PYTHON_SERVER = `
import asyncio, sys
import hl7
from hl7.mllp import start_hl7_server

async def answer(reader, writer):
    while not writer.is_closing():
        try:
            message = await reader.readmessage()
        except asyncio.IncompleteReadError:
            return
        print(str(message).replace(chr(13), chr(10)) + chr(4), flush=True)
        writer.writemessage(message.create_ack())
        await writer.drain()

async def main():
    server = await start_hl7_server(answer, "127.0.0.1", port=int(sys.argv[1]), encoding="utf-8")
    async with server:
        await server.serve_forever()

asyncio.run(main())
`;

const fields = (message, segment) => message.split(/[\r\n]+/).map((line) => line.split('|')).find(([name]) => name === segment);
const controlId = (message) => fields(message, 'MSH')[9];

/** A record's engine: `mood(message, times)` says how a message is met that has come so often; a duplicate is known by its bytes. */
async function engine(port, mood) {
  const seen = new Map();
  const sockets = new Set();
  const server = createServer((socket) => {
    let waiting = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    socket.setEncoding('latin1').on('data', (chunk) => {
      waiting += chunk;
      for (let end = waiting.indexOf('\x1c\r'); end >= 0; end = waiting.indexOf('\x1c\r')) {
        const message = waiting.slice(waiting.indexOf('\x0b') + 1, end);
        waiting = waiting.slice(end + 2);
        const id = controlId(message);
        const held = seen.get(id) ?? { message, times: 0 };
        assert.equal(message, held.message, 'the same number is the same message, to the letter');
        seen.set(id, { ...held, times: held.times + 1 });
        const code = mood(message, held.times);
        if (code === 'lose') return socket.destroy();
        if (code === 'AA') seen.get(id).accepted = true;
        const msh = fields(message, 'MSH');
        socket.write(`\x0bMSH|^~\\&|ENGINE|RAP|ALONGSIDE|RAP|20240101||ACK|N${id}|P|${msh[11]}\rMSA|${code}|${id}\r\x1c\r`, 'latin1');
      }
    });
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { close, accepted: () => [...seen.values()].filter((held) => held.accepted).map((held) => held.message) };
}

describe('back to the record', { timeout: 240_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-sending-'));
  const config = join(folder, 'alongside.toml');
  const database = join(folder, 'alongside.db');
  let ports, service;

  before(async () => {
    ports = { http: await freePort(), chelwest: await freePort(), northmid: await freePort(), cerner: await freePort(), careflow: await freePort() };
    let text = configuration({ database: `sqlite:${database}`, ports });
    for (const [site, code, back] of [['chelwest', 'RQM', 'cerner'], ['northmid', 'RAP', 'careflow']]) {
      text = text.replace(`organisations = [{ code = "${code}" }]`, `$&\n${team(site)}`);
      text = text.replace(`listen = "127.0.0.1:${ports[site]}"`, `$&\nsend = "127.0.0.1:${ports[back]}"`);
    }
    writeFileSync(config, text);
    service = await serve({ config }, { cwd: folder });
  });
  after(async () => {
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function does(...args) {
    const done = await run(['record', ...args, '--config', config], { cwd: folder });
    assert.equal(done.status, 0, done.stderr + done.stdout);
  }
  const referralOf = (mrn) => askOne(database, `SELECT r.id FROM referral r JOIN person_identifier i ON i.person = r.person WHERE i.value = '${mrn}'`);
  const told = (mrn, site) =>
    does('notice', referralOf(mrn), '--by', `nurse-${site}`, '--how', 'in-person', '--answer', 'no-objection', '--knows-diagnosis', '--told-of-support');
  async function wholeLoop(mrn, site) {
    await told(mrn, site);
    const referral = referralOf(mrn);
    await does('allocation', referral, '--supporter', `anna-${site}`, '--by', `coordinator-${site}`);
    await does('contact', referral, '--supporter', `anna-${site}`, '--way', 'telephone', '--outcome', 'conversation', '--minutes', '20', '--note', 'SECRETWORDS');
    await does('end', referral, '--by', `anna-${site}`, '--reason', 'completed');
  }
  async function order(port, text) {
    const line = await connect(port);
    const answer = await line.send(text);
    line.close();
    assert.match(answer, /MSA\|AA/);
  }
  const referral = (number, mrn) =>
    `MSH|^~\\&|CAREFLOW|RAP|TIE|RAP|20241001120000||REF^I12|C${number}|P|2.4\rRF1||||||${number}||||WELLSUP\rPID|1||${mrn}^^^RAP^MR||ZZTEST^INVENTED||19800101|F\r`;
  const oldOrder = (number, mrn) =>
    `MSH|^~\\&|CERNER|RQM|TIE|RQM|20241001120000||ORM^O01|C${number}|P|2.3\rPID|1||${mrn}^^^RQM MRN^MRN||ZZTEST^INVENTED||19800101|F\rORC|NW|${number}\rOBR|1|${number}||WELLSUP\r`;
  const open = (feed) => askOne(database, `SELECT COUNT(*) FROM sending WHERE feed = '${feed}' AND state = 'waiting'`);
  async function until(what, done) {
    for (let tries = 0; tries < 600; tries += 1) {
      if (await done()) return;
      await pause(100);
    }
    assert.fail(`${what} never came`);
  }

  test('a referral is answered in kind, by way of another’s server, from pending to completed', async () => {
    const received = [];
    const server = new Hl7Server((connection) => {
      connection.addEventListener('message', ({ message }) => {
        received.push(message.toString());
        connection.send(message.buildAck());
      });
    });
    await server.start(ports.careflow);
    await order(ports.northmid, referral('R-1', 'SEND1'));
    await wholeLoop('SEND1', 'northmid');
    await until('the end of the loop', () => received.length >= 5 && open('northmid') === 0);
    await server.stop({ forceDrainTimeoutMs: 100 });
    assert.deepEqual(received.map((message) => [fields(message, 'RF1')[1].split('^')[0], fields(message, 'NTE')[3]]), [
      ['P', 'received'],
      ['P', 'waiting for somebody'],
      ['A', 'somebody has taken it on'],
      ['A', 'in contact'],
      ['A', 'completed'],
    ]);
    for (const message of received) {
      assert.deepEqual([fields(message, 'RF1')[6], fields(message, 'PID')[3], fields(message, 'MSH')[4]], ['R-1', 'SEND1^^^RAP^MR', 'CAREFLOW']);
      assert.doesNotMatch(message, /SECRETWORDS|HIV|peer|\rMSA/i);
    }
    const receipts = ask(database, "SELECT state, receipt FROM sending WHERE feed = 'northmid'");
    assert.ok(receipts.every(([state, receipt]) => state === 'sent' && receipt), JSON.stringify(receipts));
  });

  test('an order of the older kind is answered as one, by way of the server of hospitals’ Python scripts', async () => {
    const python = spawn(inRepository('target/venv/bin/python'), ['-I', '-c', PYTHON_SERVER, String(ports.cerner)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let written = '';
    python.stdout.setEncoding('utf8').on('data', (chunk) => (written += chunk));
    try {
      await order(ports.chelwest, oldOrder('O-1', 'SEND2'));
      await wholeLoop('SEND2', 'chelwest');
      await until('the end of the loop', () => written.split('\x04').length > 5 && open('chelwest') === 0);
    } finally {
      python.kill();
    }
    const received = written.split('\x04').slice(0, -1).map((message) => message.trim());
    assert.deepEqual(received.map((message) => [fields(message, 'ORC')[1], fields(message, 'ORC')[5]]), [
      ['SC', 'SC'],
      ['SC', 'SC'],
      ['SC', 'IP'],
      ['SC', 'IP'],
      ['SC', 'CM'],
    ]);
    assert.ok(received.every((message) => fields(message, 'ORC')[2] === 'O-1' && fields(message, 'MSH')[8] === 'ORM^O01'));
  });

  test('answers are lost, messages refused, the record goes away, the program is killed: each loop is closed once', async () => {
    const people = Array.from({ length: 5 }, (_, number) => `LOSS${number}`);
    const of = (message, mrn) => fields(message, 'PID')[3].startsWith(`${mrn}^`);
    // Each first answer is lost, and each second one is "not now". One person's first message is refused.
    const mood = (message, times) => {
      if (of(message, 'LOSS4') && fields(message, 'NTE')[3] === 'received') return 'AE';
      return ['lose', 'AR'][times] ?? 'AA';
    };
    let record = await engine(ports.careflow, mood);
    for (const mrn of people) await order(ports.northmid, referral(`R-${mrn}`, mrn));
    await until('the first', () => record.accepted().length >= 2);
    const before = record.accepted();
    record.close();
    for (const mrn of people.slice(0, 2)) await wholeLoop(mrn, 'northmid');
    await service.stop('SIGKILL');
    service = await serve({ config }, { cwd: folder });
    for (const mrn of people.slice(2)) await wholeLoop(mrn, 'northmid');
    record = await engine(ports.careflow, (message, times) => (of(message, 'LOSS4') ? mood(message, times) : ['lose', 'AA'][times] ?? 'AA'));
    await until('the rest', () => open('northmid') <= 4);
    await pause(1_000);
    record.close();
    const all = new Map([...before, ...record.accepted()].map((message) => [controlId(message), message]));
    for (const mrn of people.slice(0, 4)) {
      const words = [...all.values()].filter((message) => of(message, mrn)).map((message) => fields(message, 'NTE')[3]);
      assert.deepEqual(words, ['received', 'waiting for somebody', 'somebody has taken it on', 'in contact', 'completed'], mrn);
    }
    const stopped = ask(database, "SELECT parked FROM sending WHERE state = 'parked'");
    assert.deepEqual(stopped, [['refused']]);
    assert.equal(open('northmid'), 4, 'what comes after what is stopped waits behind it');
  });
});
