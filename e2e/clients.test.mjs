// Real messages from outside: what other people's MLLP clients send to our program, and what they take for an answer.
// Each is tried without our program first, so that a failure says whose fault it is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { acknowledgementCode, answeredControlId, clients } from './clients/index.mjs';
import { ask, askAll, askOne } from './support/database.mjs';
import { admission, answered, confirmed, controlId, header } from './support/messages.mjs';
import { connect, frame, message as text } from './support/mllp.mjs';
import { respond } from './support/responder.mjs';
import { configure, serve } from './support/service.mjs';

const message = (id) =>
  [
    `MSH|^~\\&|SENDER|HOSPITAL|ALONGSIDE|CHARITY|20241001120000||ADT^A04|${id}|P|2.4`,
    'EVN|A04|20241001120000',
    'PID|1||H0001^^^HOSPITAL^MR||ZZTEST^INVENTED||19800101|F',
    'PV1|1|O',
    '',
  ].join('\r');

for (const client of clients) {
  test(`${client.name} sends whole messages and takes the answers to them`, { timeout: 60_000 }, async () => {
    const receiver = await respond();
    try {
      const answers = await client.send({
        host: '127.0.0.1',
        port: receiver.port,
        messages: [message('M1'), message('M2')],
      });
      assert.deepEqual(answers.map(acknowledgementCode), ['AA', 'AA']);
      assert.deepEqual(answers.map(answeredControlId), ['M1', 'M2']);
      assert.equal(receiver.received.length, 2);
      assert.match(receiver.received[0], /\rPID\|1\|\|H0001/);
    } finally {
      receiver.close();
    }
  });
}

describe('our program', { timeout: 180_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-clients-'));
  const database = join(folder, 'alongside.db');
  let site;
  let service;

  before(async () => {
    site = await configure(folder, { server: { message_mib_max: 1 } });
    service = await serve(site, { cwd: folder });
  });
  after(async () => {
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const people = () => askOne(database, 'SELECT COUNT(*) FROM person');
  const kept = (id) => ask(database, `SELECT state FROM message WHERE control_id = '${id}'`).flat();
  const connected = () => connect(site.ports.chelwest);

  for (const [index, client] of clients.entries()) {
    test(`${client.name}: a stranger, a diagnosis and something unreadable are each answered AA under their own number`, async () => {
      const before = people();
      const ids = [controlId('CL'), controlId('CL'), controlId('CL')];
      const who = { mrn: `CLIENT${index}` };
      const messages = [
        admission('A08', { mrn: `STRANGER${index}` }, { id: ids[0] }),
        confirmed(who, { id: ids[1] }),
        // A confirmed result without a person: kept for somebody to look at, and the sender may go on.
        confirmed(who, { id: ids[2] }).replace(/\rPID[^\r]*/, ''),
      ];
      const answers = await client.send({ host: '127.0.0.1', port: site.ports.chelwest, messages });
      assert.deepEqual(answers.map(acknowledgementCode), ['AA', 'AA', 'AA']);
      assert.deepEqual(answers.map(answeredControlId), ids);
      assert.equal(people(), before + 1);
      assert.deepEqual(ids.map(kept), [[], ['applied'], ['quarantined']]);
    });
  }

  test('an answer goes back to whom the message came from, in its version, as a type of its own', async () => {
    const sender = await connected();
    const id = controlId();
    const answer = await sender.send(admission('A08', { mrn: 'STRANGER' }, { id }));
    const msh = answer.split('\r')[0].split('|');
    assert.deepEqual(msh.slice(2, 6), ['ALONGSIDE', 'PEER SUPPORT', 'CERNER', 'RQM']);
    assert.match(msh[8], /^ACK/);
    assert.deepEqual(msh.slice(10, 12), ['P', '2.3']);
    assert.notEqual(msh[9], id);
    sender.close();
  });

  test('two frames in one write get two answers, in their order', async () => {
    const sender = await connected();
    const ids = [controlId(), controlId()];
    sender.write(Buffer.concat(ids.map((id) => frame(admission('A08', { mrn: 'STRANGER' }, { id })))));
    assert.deepEqual(answered(await sender.answer()), ['AA', ids[0]]);
    assert.deepEqual(answered(await sender.answer()), ['AA', ids[1]]);
    sender.close();
  });

  test('a frame that comes byte by byte is one message', async () => {
    const sender = await connected();
    const id = controlId();
    for (const byte of frame(confirmed({ mrn: 'BYTES' }, { id }))) {
      sender.write(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    assert.deepEqual(answered(await sender.answer()), ['AA', id]);
    assert.deepEqual(kept(id), ['applied']);
    sender.close();
  });

  test('junk before a frame is passed over', async () => {
    const sender = await connected();
    const id = controlId();
    sender.write(Buffer.concat([Buffer.from('GET / HTTP/1.1\r\n\r\n'), frame(admission('A08', { mrn: 'STRANGER' }, { id }))]));
    assert.deepEqual(answered(await sender.answer()), ['AA', id]);
    sender.close();
  });

  test('a frame without its final CR is answered at once', async () => {
    const sender = await connected();
    const id = controlId();
    sender.write(frame(admission('A08', { mrn: 'STRANGER' }, { id })).subarray(0, -1));
    assert.deepEqual(answered(await sender.answer()), ['AA', id]);
    const next = controlId();
    assert.deepEqual(answered(await sender.send(admission('A08', { mrn: 'STRANGER' }, { id: next }))), ['AA', next]);
    sender.close();
  });

  test('a message without a line end after its last segment is whole', async () => {
    const sender = await connected();
    const id = controlId();
    assert.deepEqual(answered(await sender.send(confirmed({ mrn: 'NOEND' }, { id }).slice(0, -1))), ['AA', id]);
    assert.deepEqual(kept(id), ['applied']);
    sender.close();
  });

  for (const [name, end] of [['LF', '\n'], ['CRLF', '\r\n']]) {
    test(`segments may end in ${name}`, async () => {
      const sender = await connected();
      const id = controlId();
      const before = people();
      assert.deepEqual(answered(await sender.send(confirmed({ mrn: `ENDS${name}` }, { id }).replaceAll('\r', end))), ['AA', id]);
      assert.equal(people(), before + 1);
      sender.close();
    });
  }

  test('a message larger than allowed is rejected by its number, nothing of it is kept, and the connection goes on', async () => {
    const sender = await connected();
    const id = controlId();
    const large = confirmed({ mrn: 'LARGE' }, { id }) + text(`NTE|1||${'x'.repeat(1 << 20)}`);
    assert.deepEqual(answered(await sender.send(large)), ['AR', id]);
    assert.deepEqual(kept(id), []);
    const next = controlId();
    assert.deepEqual(answered(await sender.send(confirmed({ mrn: 'LARGE' }, { id: next }))), ['AA', next]);
    sender.close();
  });

  test('a test message on a production feed is rejected, and nothing of it is kept', async () => {
    const sender = await connected();
    const id = controlId();
    const before = people();
    const answer = await sender.send(confirmed({ mrn: 'TESTMSG' }, { id, processing: 'T' }));
    assert.deepEqual(answered(answer), ['AR', id]);
    assert.match(answer, /\rERR\|/);
    assert.equal(people(), before);
    assert.deepEqual(kept(id), []);
    sender.close();
  });

  test('an acknowledgement is not acknowledged', async () => {
    const sender = await connected();
    sender.write(frame(text(header('ACK', controlId()), 'MSA|AA|ANY')));
    const id = controlId();
    assert.deepEqual(answered(await sender.send(admission('A08', { mrn: 'STRANGER' }, { id }))), ['AA', id], 'the next answer is to the next message');
    assert.equal(sender.unread.length, 0);
    sender.close();
  });

  test('a duplicate gets the same answer and changes nothing; the same number with other content is another message', async () => {
    const sender = await connected();
    const id = controlId();
    const first = confirmed({ mrn: 'TWICE' }, { id });
    assert.deepEqual(answered(await sender.send(first)), ['AA', id]);
    const rows = () => askAll(database, ['person', 'referral', 'referral_trigger', 'journal', 'message'].map((table) => `SELECT COUNT(*) FROM ${table}`));
    const before = rows();
    const other = await connected();
    assert.deepEqual(answered(await other.send(first)), ['AA', id], 'also over another connection');
    assert.deepEqual(rows(), before);
    assert.deepEqual(answered(await sender.send(confirmed({ mrn: 'TWICE2' }, { id }))), ['AA', id]);
    assert.deepEqual(kept(id), ['applied', 'applied']);
    sender.close();
    other.close();
  });

  test('what is no HL7 at all is kept for a person to look at and answered', async () => {
    const sender = await connected();
    const before = askOne(database, "SELECT COUNT(*) FROM message WHERE state = 'quarantined'");
    assert.deepEqual(answered(await sender.send('hello')).at(0), 'AA');
    assert.equal(askOne(database, "SELECT COUNT(*) FROM message WHERE state = 'quarantined'"), before + 1);
    sender.close();
  });

  test('sixteen senders at once each get their own answers', async () => {
    const before = people();
    await Promise.all(
      Array.from({ length: 16 }, async (_, index) => {
        const sender = await connected();
        for (let nth = 0; nth < 10; nth += 1) {
          const id = controlId('PAR');
          const who = { mrn: `PAR${index}X${nth}` };
          const one = nth % 2 === 0 ? confirmed(who, { id }) : admission('A08', who, { id });
          assert.deepEqual(answered(await sender.send(one)), ['AA', id]);
        }
        sender.close();
      }),
    );
    assert.equal(people(), before + 80);
  });

  test('a name in Windows-1252 is read as it was written', async () => {
    const sender = await connected();
    const id = controlId();
    const one = confirmed({ mrn: 'CHARSET', family: 'Núñez' }, { id });
    assert.deepEqual(answered(await sender.send(Buffer.from(one, 'latin1'))), ['AA', id]);
    assert.deepEqual(ask(database, "SELECT family FROM person JOIN person_identifier i ON i.person = person.id WHERE i.value = 'CHARSET'"), [['Núñez']]);
    sender.close();
  });

  test('while it listens it says nothing of what was in the messages', () => {
    for (const word of ['Zztest', 'Invented', 'CLIENT0', 'Núñez', 'TWICE']) assert.ok(!service.output().includes(word), word);
  });
});
