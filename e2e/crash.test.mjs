// `kill -9` in the middle of the traffic, start again, the sender goes on: no acknowledged message is lost, none is
// applied twice, the ledger balances. What stands at the end is compared with a run that nobody disturbed.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, askAll } from './support/database.mjs';
import { answered, controlIdOf } from './support/messages.mjs';
import { Unanswered, connect, connectSoon, frame, messagesIn } from './support/mllp.mjs';
import { run } from './support/program.mjs';
import { configure, serve } from './support/service.mjs';

const KILLS = 20;
/** ALONGSIDE_SEED repeats a failure: it decides when the program is killed, as far as the clock can. */
const seed = Number(process.env.ALONGSIDE_SEED ?? Date.now() % 1_000_000);

/** A number below `limit`: mulberry32, so that a seed gives the same moments again. */
function randomFrom(seed) {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-crash-'));
let messages;
let cohort;

before(async () => {
  const out = join(folder, 'year');
  const simulated = await run(['simulate', '--crowd', '0.005', '--out', out]);
  assert.equal(simulated.status, 0, simulated.stderr);
  messages = messagesIn(readFileSync(join(out, 'chelwest.mllp')));
  assert.ok(messages.length > 3000);
  cohort = readdirSync(out).filter((name) => name.startsWith('chelwest-list')).map((name) => join(out, name));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A site of its own, with the clinic's list taken in on the first day. */
async function newSite(name) {
  const place = join(folder, name);
  mkdirSync(place);
  const site = await configure(place);
  const list = await run(['intake', '--config', site.config, '--feed', 'chelwest-list', ...cohort]);
  assert.equal(list.status, 0, list.stderr);
  return { ...site, place, file: join(place, 'alongside.db') };
}

/** Sends one message and takes its answer, which must be AA to this message. */
async function deliver(sender, message) {
  assert.deepEqual(answered(await sender.send(message)), ['AA', controlIdOf(message)]);
}

/** Everything that the messages led to, without the numbers that differ from run to run. */
function outcome(file) {
  const tables = ['person', 'person_identifier', 'referral', 'referral_trigger', 'question', 'journal', 'message', 'merge_record'];
  const counts = askAll(file, tables.map((table) => `SELECT '${table}', COUNT(*) FROM ${table}`)).flat();
  const [triggers, stages, states, questions, journal] = askAll(file, [
    `SELECT i.value, t.kind, t.happened_on, t.rule, t.evidence, t.outcome, t.exclusion FROM referral_trigger t
     JOIN person_identifier i ON i.person = t.person ORDER BY 1, 2, 3, 4, 5, 6, 7`,
    'SELECT i.value, r.reason, r.stage FROM referral r JOIN person_identifier i ON i.person = r.person ORDER BY 1, 2, 3',
    'SELECT control_id, kind, state FROM message ORDER BY 1, 2, 3',
    'SELECT i.value, q.kind, q.answered FROM question q JOIN person_identifier i ON i.person = q.person ORDER BY 1, 2, 3',
    'SELECT i.value, j.what, j.stage, j.detail, COUNT(*) FROM journal j JOIN person_identifier i ON i.person = j.person GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4',
  ]);
  // Details that are numbers of other records are new in every run.
  const told = journal.map((line) => line.map((value) => (typeof value === 'string' ? value.replace(/[a-z]{2,4}_[0-9a-f]{32}/, 'number') : value)));
  return { counts, triggers, stages, states, questions, journal: told.map((line) => line.join('|')).sort() };
}

async function ledgerOf({ config }) {
  const ledger = await run(['ledger', '--config', config, '--site', 'chelwest', '--from', '2023-01-01', '--to', '2025-12-31', '--format', 'json']);
  assert.equal(ledger.status, 0, `the ledger balances: ${ledger.stdout}${ledger.stderr}`);
  return JSON.parse(ledger.stdout);
}

async function assertWell({ config }) {
  const doctor = await run(['doctor', '--config', config]);
  assert.equal(doctor.status, 0, doctor.stdout);
}

/** The whole feed, undisturbed, each message `times` in a row. */
async function playThrough(site, times = 1) {
  const service = await serve(site, { cwd: site.place });
  const sender = await connect(site.ports.chelwest);
  for (const message of messages) {
    for (let time = 0; time < times; time += 1) await deliver(sender, message);
  }
  sender.close();
  await service.stop();
}

/** Whether something of the message may be kept; the rest of the traffic leaves counters alone. */
const matters = (message) => /HIVCF|WELLSUP|KOBLER|ADT\^A40/.test(message.toString('latin1'));

/** Where to kill: one moment of four anywhere, the others while something that matters is being kept. */
function momentsOf(random) {
  const matter = messages.flatMap((message, index) => (matters(message) ? [index] : []));
  const moments = new Set();
  while (moments.size < KILLS) {
    moments.add(moments.size % 4 === 0 ? random(messages.length) : matter[random(matter.length)]);
  }
  return moments;
}

/**
 * The whole feed with the program killed while it holds a message, at the given places. As a hospital would, the sender
 * keeps what was not acknowledged and sends that first when the listener is back.
 */
async function playWithKills(site, moments, random) {
  let service = await serve(site, { cwd: site.place });
  let sender = await connect(site.ports.chelwest);
  const told = { kills: 0, unanswered: 0, kept: 0 };
  // How long it takes to keep something, in microseconds: the moments worth a kill lie within.
  let keeping = 2000;
  for (const [index, message] of messages.entries()) {
    if (!moments.has(index)) {
      const begun = process.hrtime.bigint();
      await deliver(sender, message);
      if (matters(message)) keeping = 0.9 * keeping + 0.1 * (Number(process.hrtime.bigint() - begun) / 1000);
      continue;
    }
    sender.write(frame(message));
    // Busy waiting: a timer would come a millisecond late.
    const until = process.hrtime.bigint() + BigInt(random(Math.round(1.5 * keeping))) * 1000n;
    while (process.hrtime.bigint() < until);
    process.kill(service.pid, 'SIGKILL');
    told.kills += 1;
    const answer = await sender.answer().catch((error) => {
      assert.ok(error instanceof Unanswered);
    });
    await service.ended;
    sender.close();
    const kept = ask(site.file, `SELECT 1 FROM message WHERE control_id = '${controlIdOf(message)}'`).length;
    service = await serve(site, { cwd: site.place });
    sender = await connectSoon(site.ports.chelwest);
    if (answer === undefined) {
      told.unanswered += 1;
      told.kept += kept;
      await deliver(sender, message);
    } else {
      assert.deepEqual(answered(answer), ['AA', controlIdOf(message)]);
    }
  }
  sender.close();
  await service.stop();
  return told;
}

let calm;
let wanted;

test('an undisturbed run, to compare with', { timeout: 120_000 }, async () => {
  calm = await newSite('calm');
  await playThrough(calm);
  wanted = outcome(calm.file);
  assert.ok(wanted.triggers.length > 200 && wanted.states.length > 500, 'there is something to lose');
  await assertWell(calm);
});

test(`killed ${KILLS} times, it comes to the same (seed ${seed})`, { timeout: 240_000 }, async (t) => {
  const random = randomFrom(seed);
  const killed = await newSite('killed');
  const told = await playWithKills(killed, momentsOf(random), random);
  t.diagnostic(`${told.kills} kills, ${told.unanswered} messages unanswered, ${told.kept} of those had been kept already`);
  assert.equal(told.kills, KILLS);
  assert.deepEqual(outcome(killed.file), wanted);
  assert.deepEqual(await ledgerOf(killed), await ledgerOf(calm));
  await assertWell(killed);
});

test('each message sent twice is answered AA twice and comes to the same', { timeout: 120_000 }, async () => {
  const twice = await newSite('twice');
  await playThrough(twice, 2);
  assert.deepEqual(outcome(twice.file), wanted);
  assert.deepEqual(await ledgerOf(twice), await ledgerOf(calm));
  const fates = Object.fromEntries(ask(twice.file, "SELECT fate, SUM(messages) FROM feed_count WHERE feed = 'chelwest' GROUP BY fate"));
  assert.equal(fates.duplicate, wanted.states.length - cohort.length, 'all that was kept came again');
  assert.equal(fates.duplicate, fates.applied + fates.quarantined);
  assert.equal(Object.values(fates).reduce((sum, count) => sum + count, 0), 2 * messages.length, 'each is counted under one fate');
});
