// The rooms that the story of a day does not enter: lists, questions, renewals, messages that were set aside, what was taken
// away, whose access ends, what an address tells, and the demo's own controls.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { askOne, changedCopy } from './support/database.mjs';
import { WIDTHS, assertSound, keepScreenshot, open, openDemo, words } from './support/demo.mjs';
import { run } from './support/program.mjs';

const HEAD = 'Hospital number,Surname,Forename,Date of birth,New diagnosis,Diagnosis date';
const REASON = 'The code of the test is not in the table of the profile';

describe('the rooms', { timeout: 600_000 }, () => {
  let demo;
  before(async () => {
    demo = await openDemo();
  });
  after(() => demo?.close());

  const press = (tab, name) => tab.getByRole('button', { name, exact: true }).click();
  const flash = (tab) => tab.locator('.as-flash').innerText();
  /** Barriers and width, at a desk and on a telephone. */
  async function soundAtBoth(tab, name) {
    for (const { viewport } of WIDTHS) {
      await tab.setViewportSize(viewport);
      await assertSound(tab, name);
    }
    await tab.setViewportSize(WIDTHS[0].viewport);
  }

  test('a weekly list is looked at before it is taken, and a wrong one is not taken', () =>
    demo.as('nurse-aoife', async (tab) => {
      const path = join(demo.folder, 'list.csv');
      const look = async (rows) => {
        writeFileSync(path, `${[HEAD, ...rows].join('\n')}\n`);
        await tab.locator('#list').setInputFiles(path);
        await press(tab, 'See what it would do');
      };
      const fact = (term) => tab.locator('dt', { hasText: term }).locator('xpath=following-sibling::dd').first().innerText();
      await open(tab, `${demo.at}/clinic/list`);
      await soundAtBoth(tab, 'the list');
      await look(['8801,New,Ada,01/01/1970,Y,02/01/2025', '8802,New,Bea,31/02/1970,,']);
      assert.match(await words(tab), /The list cannot be taken while a row has a problem/);
      assert.match(await words(tab, 'table'), /line 3, column "Date of birth"/);
      assert.equal(await tab.getByRole('button', { name: 'Take the list' }).count(), 0);
      await soundAtBoth(tab, 'a list with a problem');
      await look(['8801,New,Ada,01/01/1970,Y,02/01/2025', '8802,New,Bea,27/02/1970,N,']);
      assert.equal(await fact('Rows understood'), '2');
      assert.equal(await fact('Rows that say newly diagnosed'), '1');
      await soundAtBoth(tab, 'what a list would do');
      await keepScreenshot(tab, 'weekly-list', WIDTHS[0]);
      await press(tab, 'Take the list');
      assert.match(await flash(tab), /taken/);
      await open(tab, `${demo.at}/clinic`);
      assert.match(await words(tab), /Ada New/, 'she waits to be told');
      await open(tab, `${demo.at}/clinic/list`);
      await look(['8801,New,Ada,01/01/1970,Y,02/01/2025', '8802,New,Bea,27/02/1970,N,']);
      assert.match(await words(tab), /This very file was taken before/);
    }));

  test('a question that messages could not answer is answered, once', () =>
    demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/questions`);
      const links = tab.locator('main a[href^="/questions/"]');
      const waiting = await links.count();
      assert.ok(waiting > 0, 'the year leaves questions');
      const question = await links.first().getAttribute('href');
      await links.first().click();
      await soundAtBoth(tab, 'a question');
      await press(tab, 'Record the answer');
      assert.match(await words(tab), /There is a problem/);
      await tab.locator('input[name=answer]').first().check();
      await press(tab, 'Record the answer');
      assert.match(await flash(tab), /answer/i);
      await open(tab, `${demo.at}/questions`);
      assert.equal(await links.count(), waiting - 1);
      assert.ok([200, 404, 409].includes((await tab.goto(`${demo.at}${question}`)).status()));
      assert.equal(await tab.getByRole('button', { name: 'Record the answer' }).count(), 0, 'it is not asked again');
      demo.complaints.length = 0;
    }));

  test('a renewal changes who would lose their supporter', () =>
    demo.as('coordinator-leila', async (tab) => {
      await open(tab, `${demo.at}/coordination/passports`);
      await soundAtBoth(tab, 'contracts');
      assert.match(await words(tab), /On 3 March 1[45] people lose their supporter unless two items are renewed\./);
      await open(tab, `${demo.at}/coordination/passports/grace/renew`);
      await soundAtBoth(tab, 'a renewal');
      await press(tab, 'Record the renewal');
      assert.match(await words(tab), /There is a problem/);
      await tab.locator('input[name=item]').first().check();
      for (const [part, value] of [['', '31'], ['-month', '12'], ['-year', '2025']]) await tab.locator(`#until${part}`).fill(value);
      await press(tab, 'Record the renewal');
      assert.match(await flash(tab), /renew/i);
      assert.doesNotMatch(await words(tab), /unless two items are renewed/);
    }));

  test('a message set aside: its places without names, its text with a reason, and governance looks at that', async () => {
    await demo.as('engineer-wei', async (tab) => {
      await open(tab, `${demo.at}/feeds`);
      await soundAtBoth(tab, 'feeds');
      await open(tab, `${demo.at}/quarantined`);
      const first = tab.locator('main a[href^="/quarantined/"]').first();
      assert.match(await words(tab), /OBX|OBR|PID|PV1/);
      const message = await first.getAttribute('href');
      await first.click();
      await soundAtBoth(tab, 'a message');
      const shown = await words(tab);
      await press(tab, 'Replay');
      assert.match(await flash(tab), /set aside|read/i);
      await open(tab, `${demo.at}${message}/raw`);
      await soundAtBoth(tab, 'before the text of a message');
      await tab.locator('#reason').fill('why');
      await press(tab, 'Open the text');
      assert.match(await words(tab), /There is a problem/);
      await tab.locator('#reason').fill(REASON);
      await press(tab, 'Open the text');
      const text = await words(tab, '.as-text');
      assert.match(text, /^MSH/);
      const [, family] = text.match(/PID\|[^\n]*?\|([A-Z][\w'’-]+)\^/u) ?? assert.fail('a message about somebody');
      assert.ok(!shown.toLowerCase().includes(family.toLowerCase()), 'the page without the text names nobody');
      await soundAtBoth(tab, 'the text of a message');
    });
    await demo.as('governance-martin', async (tab) => {
      await open(tab, `${demo.at}/access/exports?of=messages`);
      assert.match(await words(tab), /1 time/);
      await soundAtBoth(tab, 'what was taken away');
      await open(tab, `${demo.at}/access/glass`);
      assert.match(await words(tab), new RegExp(REASON));
      await tab.getByRole('link', { name: /^Review/ }).first().click();
      await soundAtBoth(tab, 'a review');
      await press(tab, 'Record review');
      assert.match(await words(tab), /There is a problem/);
      await tab.locator('input[name=finding]').first().check();
      await tab.locator('#note').fill('The table of the profile was mended on the same day');
      await press(tab, 'Record review');
      assert.match(await flash(tab), /review/i);
      assert.match(await words(tab), /Nothing waits for your review/);
    });
  });

  test('a file of figures is listed among what was taken away', async () => {
    await demo.as('manager-frances', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/figures`);
      const address = await tab.getByRole('link', { name: 'Download as CSV' }).getAttribute('href');
      const text = await tab.evaluate(async (path) => (await fetch(path)).text(), address);
      assert.match(text, /people-supported/);
    });
    await demo.as('governance-martin', async (tab) => {
      await open(tab, `${demo.at}/access/exports`);
      assert.match(await words(tab), /Frances/);
    });
  });

  test('governance ends somebody’s access, and their running session with it', async () => {
    await demo.as('nurse-blessing', async (blessing) => {
      await open(blessing, `${demo.at}/clinic`);
      await demo.as('governance-martin', async (tab) => {
        await open(tab, `${demo.at}/access/entitled`);
        await soundAtBoth(tab, 'who may see what');
        await open(tab, `${demo.at}/access/entitled/nurse-blessing`);
        await soundAtBoth(tab, 'what one may see');
        await tab.locator('main form button[type=submit]').first().click();
        assert.match(await flash(tab), /sign|session|access/i);
      });
      await blessing.goto(`${demo.at}/clinic`);
      assert.equal(new URL(blessing.url()).pathname, '/sign-in');
    });
  });

  test('an address that was guessed, changed or of somebody else tells what one that never existed tells', async () => {
    /** Status and body, without what the demo's own panel tells of the audit. */
    const asked = (tab, path) =>
      tab.evaluate(async (where) => {
        const answer = await fetch(where);
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        for (const own of page.querySelectorAll('[class^="as-demo"], .as-below, input[name=back]')) own.remove();
        return `${answer.status} ${page.documentElement.outerHTML}`;
      }, path);
    let theirs;
    await demo.as('ines', async (tab) => {
      await open(tab, `${demo.at}/my-people`);
      theirs = await tab.locator('main a[href^="/people/"]').first().getAttribute('href');
    });
    const changed = theirs.replace(/.$/, (sign) => (sign === '0' ? '1' : '0'));
    await demo.as('dele', async (tab) => {
      await open(tab, `${demo.at}/today`);
      const never = await asked(tab, changed);
      assert.match(never, /^404 /);
      for (const ending of ['', '/concern', '/safe-contact']) {
        assert.equal(await asked(tab, `${theirs}${ending}`), await asked(tab, `${changed}${ending}`), ending);
      }
      assert.equal(await asked(tab, '/people/nonsense'), never);
    });
    demo.complaints.length = 0;
    const stranger = await demo.stranger();
    const tab = await stranger.newPage();
    await open(tab, `${demo.at}/sign-in`);
    assert.equal(await asked(tab, `/yours/${'a'.repeat(43)}`), await asked(tab, `/yours/${'b'.repeat(43)}`));
    await stranger.close();
  });

  test('the audit tells at the command line where it was changed', async () => {
    const [database, keys] = ['alongside.db', 'alongside.keys'].map((name) => join(demo.folder, 'demo', name));
    const verify = (file) => run(['audit', '--database', `sqlite:${file}`, '--keys', keys, 'verify'], { cwd: demo.folder });
    assert.equal((await verify(database)).status, 0);
    const seq = askOne(database, "SELECT MAX(seq) FROM audit WHERE action = 'see-raw'");
    const found = await verify(changedCopy(database, join(demo.folder, 'copy.db'), `UPDATE audit SET actor = 'dele' WHERE seq = ${seq}`));
    assert.notEqual(found.status, 0);
    assert.match(found.stdout + found.stderr, new RegExp(`\\b${seq}\\b`));
  });

  test('the demo: a tour ticks itself off, the clock moves on, and all begins again', async () => {
    await demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/clinic`);
      assert.match(await words(tab, '#demo-tour summary'), /[1-9] of \d done/, 'what was done above was real work');
      await tab.locator('#demo-happened > summary').click();
      assert.match(await words(tab, '#demo-happened'), /information governance sees it/);
      const before = await words(tab, '#demo-clock > summary');
      await tab.locator('#demo-clock > summary').click();
      await press(tab, 'One week on');
      assert.notEqual(await words(tab, '#demo-clock > summary'), before);
      await tab.locator('#demo-clock > summary').click();
      await press(tab, 'Begin the demo again');
      await tab.waitForURL(/\/sign-in/);
      await demo.signIn(tab, 'nurse-aoife');
      await open(tab, `${demo.at}/clinic`);
      assert.equal(await words(tab, '#demo-clock > summary'), before);
      assert.match(await words(tab, '#demo-tour summary'), /0 of \d done/);
      assert.doesNotMatch(await words(tab), /Ada New/, 'whom the list brought is gone');
    });
    assert.deepEqual(demo.complaints, []);
  });
});
