// The main job, end to end: two hospitals' year through MLLP, and the figures that come out of it (story.md). Nothing
// here computes a figure; it only says which one the year must lead to.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ask, askOne } from './support/database.mjs';
import { startPostgres, withoutPostgres } from './support/postgres.mjs';
import { inRepository, run } from './support/program.mjs';

/** A fiftieth of the crowd: the story is whole, and what surrounds it is played in seconds. */
const CROWD = ['--crowd', '0.02'];
/** The demo's own configuration: the commands read the demo's database with it. */
const CONFIG = inRepository('crates/app/src/simulate/demo.toml');
const LEDGER = ['--site', 'chelwest', '--from', '2024-01-01', '--to', '2025-01-06'];

const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-figures-'));
const database = join(folder, 'demo', 'alongside.db');
const keys = ['--keys', join(folder, 'demo', 'alongside.keys')];
const place = ['--config', CONFIG, '--database', `sqlite:${database}`, ...keys];
let figures;

before(async () => {
  const demo = await run(['demo', '--exit', ...CROWD, '--data', join(folder, 'demo')]);
  assert.equal(demo.status, 0, demo.stderr);
  figures = JSON.parse(demo.stdout);
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A measure of a report in JSON, by its identifier. */
function measure(report, id) {
  const found = report.measures.filter((measure) => measure.id === id);
  assert.equal(found.length, 1, `${id} stands once in the report`);
  return found[0];
}

const value = (site, id) => measure(figures.sites[site].report, id).value;

describe('the quarter of the story', { timeout: 180_000 }, () => {
  test('Chelsea and Westminster supported 126 people, after 92 in the quarter before', () => {
    const supported = measure(figures.sites.chelwest.report, 'people-supported');
    assert.equal(supported.value, 126);
    assert.equal(supported.previous, 92);
    assert.deepEqual(supported.period, { from: '2024-10-01', to: '2024-12-31' });
  });

  test('45 of 76 newly diagnosed people engaged from April to December: 59 %', () => {
    const engaged = measure(figures.sites.chelwest.report, 'newly-diagnosed-engaged');
    assert.equal(engaged.numerator, 45);
    assert.equal(engaged.denominator, 76);
    assert.deepEqual(engaged.period, { from: '2024-04-01', to: '2024-12-31' });
    assert.equal(Math.round(engaged.share * 100), 59);
    assert.ok(engaged.interval.low < engaged.share && engaged.share < engaged.interval.high);
  });

  test('the other 31 objected, were deferred, moved, are being contacted, or await notice', () => {
    const others = ['opted-out', 'deferred', 'moved', 'contacting', 'awaiting-notice', 'before-a-person', 'ended'];
    const counts = others.map((how) => value('chelwest', `newly-diagnosed-${how}`));
    assert.deepEqual(counts, [12, 5, 6, 4, 4, 0, 0]);
  });

  test('North Middlesex supported 19 people, 5 of them newly diagnosed and referred directly from the clinic', () => {
    assert.equal(value('northmid', 'people-supported'), 19);
    assert.equal(value('northmid', 'supported-newly-diagnosed'), 5);
    assert.equal(value('northmid', 'supported-newly-diagnosed-from-clinic'), 5);
  });

  test('83 % of first conversations in autumn kept the promise', () => {
    assert.equal(Math.round(measure(figures.sites.chelwest.report, 'first-contact-within-promise').share * 100), 83);
  });

  test('every trigger is accounted for at both sites, forty messages are set aside, and the journal agrees', () => {
    const ledgers = Object.values(figures.sites).map((site) => site.ledger);
    assert.deepEqual(ledgers.map((ledger) => ledger.unaccounted), [0, 0]);
    assert.deepEqual(ledgers.map((ledger) => ledger['set-aside']), [40, 0]);
    for (const { standings, triggers } of ledgers) {
      assert.ok(triggers > 0);
      assert.equal(Object.values(standings).reduce((sum, count) => sum + count, 0), triggers);
    }
    assert.equal(figures['journal-agrees'], true);
  });
});

describe('the commands, on what the demo left', { timeout: 180_000 }, () => {
  const report = (...more) => run(['report', ...place, '--site', 'chelwest', '--quarter', '2024-Q4', ...more]);

  test('the report is masked unless the service asks for all numbers', async () => {
    const masked = JSON.parse((await report('--format', 'json')).stdout);
    assert.equal(masked['small-numbers-masked'], true);
    const hidden = measure(masked, 'newly-diagnosed-awaiting-notice');
    assert.equal(hidden.masked, true);
    assert.equal(hidden.value, null);
    assert.equal(measure(masked, 'people-supported').value, 126);

    const whole = JSON.parse((await report('--format', 'json', '--unmasked')).stdout);
    assert.equal(measure(whole, 'newly-diagnosed-awaiting-notice').value, 4);
  });

  test('no hidden count can be worked out from the others', async () => {
    const masked = JSON.parse((await report('--format', 'json')).stdout);
    const engaged = measure(masked, 'newly-diagnosed-engaged');
    const parts = masked.measures.filter(
      ({ id }) => /^newly-diagnosed-(opted-out|deferred|moved|contacting|awaiting|before|ended)/.test(id),
    );
    const hidden = parts.filter((part) => part.masked);
    const shown = parts.reduce((sum, part) => sum + (part.value ?? 0), 0);
    const left = engaged.denominator - engaged.numerator - shown;
    assert.ok(hidden.length >= 2, 'the total less one hidden count would be that count');
    assert.ok(left > hidden.length, 'were it as many as there are hidden counts, each would be 1');
  });

  test('the report comes as text and as CSV too, with the identifier and version of each definition', async () => {
    const text = await report();
    assert.equal(text.status, 0);
    assert.match(text.stdout, /People supported +126 \(92 the quarter before\) +\[people-supported v1\]/);
    assert.match(text.stdout, /45 of 76 \(59 %, 95 % interval 48 % to 70 %\)/);
    assert.match(text.stdout, /awaiting notice +\* /);
    const csv = await report('--format', 'csv');
    const lines = csv.stdout.trim().split(/\r?\n/);
    assert.equal(new Set(lines.map((line) => line.split(',').length)).size, 1);
    assert.ok(lines.some((line) => line.startsWith('chelwest,2024-Q4,people-supported,1,2024-10-01,2024-12-31,126,92')));
    assert.ok(lines.some((line) => line.startsWith('chelwest,2024-Q4,newly-diagnosed-awaiting-notice,1,2024-04-01,2024-12-31,*')));
  });

  test('each definition that a figure names stands in docs/measures.md, in that version', () => {
    const document = readFileSync(inRepository('docs/measures.md'), 'utf8');
    for (const { id, version } of figures.sites.chelwest.report.measures) {
      assert.ok(document.includes(`\`${id}\`, version ${version}`), id);
    }
  });

  test('the ledger balances and the doctor is content', async () => {
    const ledger = await run(['ledger', ...place, ...LEDGER]);
    assert.equal(ledger.status, 0, ledger.stderr);
    assert.match(ledger.stdout, /\b0 +unaccounted for/);
    const doctor = await run(['doctor', ...place]);
    assert.equal(doctor.status, 0, doctor.stdout);
  });

  test('why: the message, the rule, the decision and the notice of a referral', async () => {
    const engaged = askOne(
      database,
      `SELECT r.id FROM referral r JOIN referral_trigger t ON t.referral = r.id
       WHERE r.engaged_on IS NOT NULL AND t.rule = 'confirmed-result' ORDER BY r.id LIMIT 1`,
    );
    const why = await run(['why', ...place, engaged]);
    assert.equal(why.status, 0, why.stderr);
    for (const part of [/^message +msg_\w+ ORU\^R01 from feed chelwest/m, /^rule +confirmed-result:/m, /^notice +told /m, /→ engaged/]) {
      assert.match(why.stdout, part);
    }
    const names = ask(database, `SELECT p.family, p.given FROM person p JOIN referral r ON r.person = p.id WHERE r.id = '${engaged}'`);
    assert.ok(!why.stdout.includes(names[0][0]), 'the answer needs no name');
    assert.equal((await run(['why', ...place, 'ref_018cd3bda79870008018bfa6cb5e2581'])).status, 1);
    assert.equal((await run(['why', ...place, 'nonsense'])).status, 65);
  });

  test('a backup is a whole database of its own', async () => {
    const copy = join(folder, 'copy.db');
    const backup = await run(['backup', ...place, copy]);
    assert.equal(backup.status, 0, backup.stderr);
    const doctor = await run(['doctor', '--config', CONFIG, '--database', `sqlite:${copy}`, ...keys]);
    assert.equal(doctor.status, 0, doctor.stdout);
    const [ours, theirs] = [database, copy].map((file) => askOne(file, 'SELECT COUNT(*) FROM journal'));
    assert.equal(theirs, ours);
    assert.notEqual((await run(['backup', ...place, copy])).status, 0, 'a backup never overwrites one');
  });
});

test('the unreadable: one code more in the profile and a replay bring two referrals', { timeout: 60_000 }, async () => {
  const profiles = join(folder, 'profiles');
  mkdirSync(profiles);
  const profile = readFileSync(inRepository('profiles/cerner-millennium.toml'), 'utf8');
  writeFileSync(join(profiles, 'cerner-millennium.toml'), profile.replaceAll('"HIVCF"', '"HIVCF", "HIVCF2"'));
  const mended = join(folder, 'mended.toml');
  writeFileSync(mended, `[server]\nprofiles = "profiles"\n\n${readFileSync(CONFIG, 'utf8')}`);
  const there = ['--config', mended, '--database', `sqlite:${database}`, ...keys];
  const ledgerOf = async () => JSON.parse((await run(['ledger', ...place, ...LEDGER, '--format', 'json'])).stdout);
  const before = await ledgerOf();

  const early = await run(['replay', ...place, '--feed', 'chelwest']);
  assert.match(early.stdout, /^0 applied, 0 concern nobody of ours, 40 still set aside/);

  const replay = await run(['replay', ...there, '--feed', 'chelwest']);
  assert.match(replay.stdout, /^2 applied, 38 concern nobody of ours, 0 still set aside/);

  const now = await ledgerOf();
  assert.equal(now.triggers, before.triggers + 2);
  assert.equal(now.standings['awaiting-notice'], before.standings['awaiting-notice'] + 2);
  assert.equal(now['set-aside'], 0);
  assert.equal(now.unaccounted, 0);
  assert.equal(askOne(database, 'SELECT COUNT(*) FROM message WHERE raw IS NOT NULL'), 0, 'their text is gone');

  const again = await run(['replay', ...there, '--feed', 'chelwest']);
  assert.match(again.stdout, /^0 applied, 0 concern nobody of ours, 0 still set aside/);
});

test('the other engine comes to the same figures', { timeout: 240_000, skip: withoutPostgres }, async () => {
  const postgres = await startPostgres();
  try {
    const demo = await run(['demo', '--exit', ...CROWD, '--data', join(folder, 'postgres'), '--database', postgres.url]);
    assert.equal(demo.status, 0, demo.stderr);
    assert.deepEqual(JSON.parse(demo.stdout), figures);
    assert.ok(!existsSync(join(folder, 'postgres', 'alongside.db')));
  } finally {
    await postgres.stop();
  }
});
