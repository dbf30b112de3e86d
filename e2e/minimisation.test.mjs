// An ADT feed shows every patient of the hospital. Of those who are none of the service's business nothing may stay but
// counters: this searches every byte that the program wrote for everything that their messages said.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, askOne } from './support/database.mjs';
import { admission, answered, confirmed, controlId, header, nhsNumber, pid, result } from './support/messages.mjs';
import { connect, message } from './support/mllp.mjs';
import { startPostgres, withoutPostgres } from './support/postgres.mjs';
import { inFolder } from './support/program.mjs';
import { configure, serve } from './support/service.mjs';

const STRANGERS = 200;

/** Somebody whose every detail is a word that stands nowhere else. */
function stranger(index) {
  const tag = String(index).padStart(3, '0');
  let six = 100_000 + index * 7;
  while (!nhsNumber(six)) six += 1;
  return {
    mrn: `Mq${tag}Xzjv`,
    nhs: nhsNumber(six),
    family: `Fq${tag}zyxkv`,
    given: `Gq${tag}wvjqx`,
    street: `Sq${tag}kkvzq Terrace`,
    control: `Cq${tag}jjzwk`,
    other: `Oq${tag}vvkjz`,
  };
}

/** What a stranger's messages tell; `other` stands wherever there is room: next of kin, doctor, result, reason, visit. */
function messagesOf(who, index) {
  const id = who.control;
  const kin = [`NK1|1|${who.other}^Kin|MOTHER`, `DG1|1|ICD10|J45.9^Asthma ${who.other}^ICD10`, `AL1|1|DA|${who.other}`];
  const kinds = [
    () => admission('A01', who, { id, more: kin }),
    () => admission('A04', who, { id, more: [`PV2|||${who.other}`] }),
    () => admission('A08', who, { id, more: kin }),
    () => admission('A03', who, { id }),
    () => admission('A28', who, { id }),
    () => admission('A31', { ...who, died: '20260101' }, { id }),
    () => result(who, 'GLU', `5.${index} ${who.other}`, { id }),
    // The screening test that everybody in the emergency department has: never a diagnosis.
    () => result(who, 'HIVAGAB', 'NEGATIVE', { id }),
    () => message(header('SIU^S12', id), `SCH|${id}|||||${who.other}`, pid(who), 'AIL|1||FRACTURE^""^""^RQM'),
    () => message(header('ORM^O01', id), pid(who), `ORC|NW|${id}`, `OBR|1|${id}||FBC^Full blood count ${who.other}`),
    () => admission('A40', who, { id, more: [`MRG|${who.other}^^^RQM MRN^MRN`] }),
    // Fields that slipped: what is no type of message must not be counted by its name.
    () => message(header(who.other, id), pid(who)),
    () => message(header(`${who.mrn.toUpperCase().slice(0, 7)}`, id), pid(who)),
    () => message(header(`ADT^${who.control.toUpperCase().slice(0, 3)}`, id), pid(who)),
    () => admission('A08', who, { id }).replaceAll('\r', '\r\n'),
    () => Buffer.from(admission('A08', { ...who, given: `${who.given}é` }, { id }), 'latin1'),
  ];
  return kinds[index % kinds.length]();
}

/** Words of a stranger that must be nowhere, in lower case. */
function canaries(who) {
  const { mrn, nhs, family, given, street, control, other } = who;
  const words = [mrn, family, given, street.split(' ')[0], control, other].map((word) => word.toLowerCase());
  // Short forms too, such as a counter might have taken for a type, and the number as it is spoken.
  return [...words, mrn.toLowerCase().slice(0, 7), nhs, nhs.replace(/(...)(...)(....)/, '$1 $2 $3')];
}

/** What every canary begins with: one pass over the bytes finds the places worth a look. */
const BEGINNING = /[mfgsco]q\d{3}[a-z]{2}|9991\d{2}|999 1\d/g;

/** A function that tells which of these words stand in bytes: in whatever case, as UTF-8 or as UTF-16. */
function searchFor(words) {
  const wanted = new Set(words);
  const lengths = [...new Set(words.map((word) => word.length))];
  return (bytes) => {
    const text = bytes.toString('latin1').replaceAll('\0', '').toLowerCase();
    const found = new Set();
    for (const { index } of text.matchAll(BEGINNING)) {
      for (const length of lengths) {
        const word = text.slice(index, index + length);
        if (wanted.has(word)) found.add(word);
      }
    }
    return [...found];
  };
}

/** Every file below a folder, with its bytes. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => [path, readFileSync(path)]);
}

const patient = { mrn: 'PATIENT01', nhs: nhsNumber(500_002), family: 'Kvarnstroem', given: 'Xiomara' };

/** Sends everything that is told above, and checks every answer; how many messages went in. */
async function sendAll(port, strangers) {
  const sender = await connect(port);
  let sent = 0;
  const send = async (text, code = 'AA') => {
    const answer = answered(await sender.send(text));
    assert.equal(answer[0], code);
    sent += 1;
    return answer[1];
  };
  const diagnosis = confirmed(patient, { id: 'MATTERS1' });
  for (const [index, who] of strangers.entries()) {
    if (index === 60) await send(diagnosis);
    if (index === 90) await send(admission('A08', patient));
    assert.equal(await send(messagesOf(who, index)), who.control);
  }
  // A duplicate, something set aside, something refused: they are counted too, each under its name.
  await send(diagnosis);
  await send(result({ mrn: 'ASIDE0001' }, 'HIVNEW', 'WHO KNOWS'));
  await send(confirmed(strangers[0], { processing: 'T', id: controlId() }), 'AR');
  sender.close();
  return sent;
}

test('of two hundred strangers nothing is left in any file, nor in a log of everything', { timeout: 120_000 }, async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'letters'));
    const site = await configure(folder, { server: { letters: 'letters' } });
    const strangers = Array.from({ length: STRANGERS }, (_, index) => stranger(index));
    // Bytes outside frames and an unfinished message are complained of in the log: without their words.
    const service = await serve(site, { arguments: ['--verbose'], cwd: folder });
    const sent = await sendAll(site.ports.chelwest, strangers);
    const rude = await connect(site.ports.chelwest);
    rude.write(`${strangers[1].family} outside of a frame \x0b${admission('A08', strangers[2])}`);
    rude.end();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    // While it runs, the write-ahead log and the shared memory are files too.
    const running = filesBelow(folder);
    await service.stop();
    writeFileSync(join(folder, 'log'), service.output());
    assert.match(service.output(), /outside a frame|within a frame/);

    const found = searchFor(strangers.flatMap(canaries));
    for (const [path, bytes] of [...running, ...filesBelow(folder)]) {
      assert.deepEqual(found(bytes), [], path);
    }
    for (const [index, who] of strangers.entries()) {
      const utf16 = Buffer.from(messagesOf(who, index).toString(), 'utf16le');
      assert.ok(found(Buffer.from(messagesOf(who, index))).length >= 3 && found(utf16).length >= 3, 'the search finds what was sent');
    }

    const database = join(folder, 'alongside.db');
    const kept = running.filter(([path]) => path.startsWith(database)).map(([, bytes]) => bytes);
    assert.ok(Buffer.concat(kept).includes(patient.family), 'who is known is in the database');
    assert.equal(askOne(database, 'SELECT COUNT(*) FROM person'), 1);
    assert.ok(!service.output().includes(patient.family), 'but logs name nobody');

    const counts = Object.fromEntries(ask(database, "SELECT fate, SUM(messages) FROM feed_count WHERE feed = 'chelwest' GROUP BY fate"));
    assert.deepEqual(counts, { applied: 2, discarded: STRANGERS, duplicate: 1, quarantined: 1, refused: 1 });
    assert.equal(Object.values(counts).reduce((sum, count) => sum + count, 0), sent);
    const kinds = ask(database, 'SELECT DISTINCT kind FROM feed_count ORDER BY kind').flat();
    assert.deepEqual(kinds.filter((kind) => !/^(ADT|ORM|ORU|SIU)\^[A-Z]\d\d$/.test(kind)), ['ADT', 'other']);
  });
});

test('nor on PostgreSQL: not in its tables, not in its log of writes', { timeout: 120_000, skip: withoutPostgres }, async () => {
  const postgres = await startPostgres();
  try {
    await inFolder(async (folder) => {
      const site = await configure(folder, { database: postgres.url });
      const strangers = Array.from({ length: STRANGERS }, (_, index) => stranger(index));
      const service = await serve(site, { arguments: ['--verbose'], cwd: folder });
      await sendAll(site.ports.chelwest, strangers);
      await service.stop();
      writeFileSync(join(folder, 'log'), service.output());
      const found = searchFor(strangers.flatMap(canaries));
      const theirs = filesBelow(postgres.folder);
      for (const [path, bytes] of [...filesBelow(folder), ...theirs]) {
        assert.deepEqual(found(bytes), [], path);
      }
      const wal = theirs.filter(([path]) => path.includes('pg_wal')).map(([, bytes]) => bytes);
      assert.ok(Buffer.concat(wal).includes(patient.family), 'who is known is in the log of writes');
    });
  } finally {
    await postgres.stop();
  }
});
