// The story of a day, by those who work in it, in a real browser: what each does, how long it takes, and who sees whom.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { WIDTHS, assertSound, keepScreenshot, open, openDemo, words } from './support/demo.mjs';
import { run } from './support/program.mjs';

const PHONE = WIDTHS[1];
/** A person's typing, in milliseconds a key. */
const KEY = 40;

describe('a day', { timeout: 600_000 }, () => {
  let demo;
  before(async () => {
    demo = await openDemo();
  });
  after(() => demo?.close());

  /** Does something with a stopwatch, as its user would, and tells the seconds. */
  async function within(seconds, what, job) {
    const begun = Date.now();
    await job();
    const took = (Date.now() - begun) / 1000;
    console.log(`      ${what}: ${took.toFixed(1)} s of ${seconds}`);
    assert.ok(took < seconds, `${what} took ${took} s`);
  }
  const press = (tab, name) => tab.getByRole('button', { name, exact: true }).click();
  const flash = (tab) => tab.locator('.as-flash').innerText();

  test('the clinic records notice in three clicks', () =>
    demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/clinic`);
      const waiting = await tab.getByRole('link', { name: /^Record notice/ }).count();
      await tab.getByRole('link', { name: /^Record notice/ }).first().click();
      await assertSound(tab, 'notice');
      await press(tab, 'Record notice');
      assert.match(await words(tab), /There is a problem/);
      await assertSound(tab, 'notice, wrong');
      await tab.locator('input[name=answer]').first().check();
      await press(tab, 'Record notice');
      assert.match(await flash(tab), /Notice recorded/);
      await open(tab, `${demo.at}/clinic`);
      assert.equal(await tab.getByRole('link', { name: /^Record notice/ }).count(), waiting - 1);
    }));

  test('from the record to a referral within 20 seconds, and nothing is typed twice', () =>
    demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/clinic`);
      await within(20, 'a referral', async () => {
        await tab.getByRole('link', { name: 'Refer somebody', exact: true }).click();
        await tab.locator('#q').pressSequentially('70009999', { delay: KEY });
        await press(tab, 'Find');
        assert.equal(await tab.locator('#number').inputValue(), '70009999', 'the number is there already');
        await tab.locator('#given').pressSequentially('Noor', { delay: KEY });
        await tab.locator('#family').pressSequentially('Abidi', { delay: KEY });
        await tab.locator('#born').pressSequentially('2', { delay: KEY });
        await tab.locator('#born-month').pressSequentially('5', { delay: KEY });
        await tab.locator('#born-year').pressSequentially('1990', { delay: KEY });
        if ((await tab.locator('input[name=kind]:checked').count()) === 0) await tab.locator('input[name=kind]').first().check();
        await tab.locator('form[action="/clinic/refer/new"] button[type=submit]').click();
        assert.match(await flash(tab), /Referred/);
      });
      await open(tab, `${demo.at}/clinic`);
      assert.match(await words(tab), /Noor Abidi/);
      // The record of somebody who is known: three clicks and no key.
      await open(tab, `${demo.at}/questions`);
      await assertSound(tab, 'questions');
    }));

  test('a supporter notes a contact within 60 seconds on a telephone; an unfinished form is kept; sent twice is one', () =>
    demo.as(
      'ines',
      async (tab) => {
        await open(tab, `${demo.at}/today`);
        assert.match(await words(tab), /First conversation is due/);
        await tab.locator('#needs').getByRole('link', { name: 'Record a contact' }).first().click();
        await tab.locator('#note').fill('Spoke about work');
        const form = tab.url();
        // What was entered is kept at the service, and comes back on another telephone.
        await tab.waitForResponse((answer) => answer.url().endsWith('/drafts') && answer.status() === 204);
        await open(tab, form);
        assert.equal(await tab.locator('#note').inputValue(), 'Spoke about work');
        await keepScreenshot(tab, 'contact', PHONE);
        // Without a connection the words stay, and are sent when it is back.
        await tab.locator('input[name=outcome][value=conversation]').check();
        await tab.locator('input[name=way][value=telephone]').check();
        await tab.context().setOffline(true);
        await press(tab, 'Record the contact');
        await tab.getByText('No connection. Your words are still here.').waitFor();
        await tab.context().setOffline(false);
        await tab.waitForURL(/\/people\//, { timeout: 20_000 });
        assert.match(await flash(tab), /Contact recorded/);
        assert.match(await words(tab), /Spoke about work/);
        demo.complaints.length = 0;

        await open(tab, `${demo.at}/my-people`);
        await within(60, 'a contact note', async () => {
          await tab.getByRole('link', { name: /^Record a contact/ }).nth(2).click();
          await tab.locator('input[name=outcome][value=conversation]').check();
          await tab.locator('input[name=way][value=video]').check();
          await tab.locator('#minutes').pressSequentially('25', { delay: KEY });
          await tab.locator('#note').pressSequentially('Doing well. Wants to meet the group next month.', { delay: KEY });
          await press(tab, 'Record the contact');
          await tab.waitForURL(/\/people\//);
        });
        assert.match(await flash(tab), /Contact recorded/);
      },
      PHONE.viewport,
    ));

  test('safe contact stands first, and a concern reaches a named clinician who answers it', async () => {
    await demo.as('ines', async (tab) => {
      await open(tab, `${demo.at}/my-people`);
      await tab.locator('table tbody a[href^="/people/"]').first().click();
      const first = await tab.locator('main section h2').first().innerText();
      assert.equal(first, 'How to reach them safely');
      await keepScreenshot(tab, 'person', WIDTHS[0]);
      await tab.getByRole('link', { name: 'Change how to reach them safely' }).click();
      await assertSound(tab, 'safe contact');
      await tab.locator('input[name=channel][value=call]').check();
      await tab.locator('input[name=voicemail][value=no]').check();
      await tab.locator('#name_to_say').fill('Sam from the library');
      await press(tab, 'Keep these rules');
      assert.match(await words(tab, '.as-safe'), /Sam from the library/);
      await tab.locator('main').getByRole('link', { name: 'Raise a concern' }).click();
      await assertSound(tab, 'concern');
      await tab.locator('#words').fill('Not answering since Friday, which is unlike them');
      await tab.locator('input[name=urgency][value=today]').check();
      await tab.locator('#to').selectOption('nurse-aoife');
      await press(tab, 'Raise the concern');
      assert.match(await flash(tab), /The concern has reached the clinic/);
    });
    await demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/clinic`);
      await tab.getByRole('link', { name: /^Concerns 1 open/ }).click();
      assert.match(await words(tab), /Not answering since Friday/);
      await assertSound(tab, 'concerns');
      await keepScreenshot(tab, 'concerns', WIDTHS[0]);
      await press(tab, 'I take this on');
      assert.match(await flash(tab), /Acknowledged/);
    });
  });

  test('the coordinator gives somebody a supporter', () =>
    demo.as('coordinator-leila', async (tab) => {
      await open(tab, `${demo.at}/coordination`);
      await tab.getByRole('link', { name: /^Give to a supporter/ }).first().click();
      await assertSound(tab, 'allocate');
      await tab.locator('input[name=supporter]').first().check();
      await tab.locator('main form button[type=submit]').first().click();
      assert.match(await flash(tab), /Given to the supporter/);
    }));

  test('who saw this person, within 10 seconds', async () => {
    let number;
    await demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/worklists/assessments`);
      await tab.locator('table tbody a').first().click();
      number = await tab.locator('dt', { hasText: 'Hospital number' }).locator('xpath=following-sibling::dd').first().innerText();
    });
    await demo.as('governance-martin', async (tab) => {
      await open(tab, `${demo.at}/access`);
      await within(10, 'who saw this person', async () => {
        await tab.locator('#number').pressSequentially(number.split(',')[0], { delay: KEY });
        await tab.keyboard.press('Enter');
        await tab.waitForURL(/\/access\/people\//);
        assert.match(await words(tab), /Aoife Brennan/);
      });
      await keepScreenshot(tab, 'who-saw', WIDTHS[0]);
      await assertSound(tab, 'who saw');
    });
  });

  test('the person themselves: a link that tells nothing, choices, a quick exit, and what is held by a code', async () => {
    const context = await demo.stranger({ viewport: PHONE.viewport });
    const tab = demo.watch(await context.newPage());
    await open(tab, `${demo.at}/sign-in`);
    await tab.locator('form[action="/demo/yours"] button').click();
    const code = await words(tab, '#code');
    await tab.getByRole('link', { name: 'Open the link' }).click();
    const link = tab.url();
    assert.equal(await tab.title(), 'Your page');
    await assertSound(tab, 'the private page');
    await keepScreenshot(tab, 'private', PHONE);
    for (const telling of ['HIV', 'clinic', 'hospital', 'Alongside', 'peer']) {
      assert.ok(!(await words(tab, 'main')).toLowerCase().includes(telling.toLowerCase()), telling);
    }
    await tab.getByRole('link', { name: 'Ask for someone else' }).click();
    await assertSound(tab, 'ask for someone else');
    await tab.locator('#words').fill('Somebody older, please');
    await press(tab, 'Send');
    assert.match(await flash(tab), /We have your answer/);
    await tab.getByRole('link', { name: 'What is held about me' }).click();
    await tab.locator('#code').fill('000000' === code ? '111111' : '000000');
    await press(tab, 'Go on');
    assert.match(await words(tab), /This is not the code/);
    await assertSound(tab, 'a wrong code');
    await tab.locator('#code').fill(code);
    await press(tab, 'Go on');
    assert.match(await words(tab), /Who has looked/);
    assert.match(await words(tab), /Peer supporter, Positively UK/);
    await assertSound(tab, 'what is held');
    await tab.keyboard.press('Escape');
    await tab.keyboard.press('Escape');
    await tab.waitForURL(/\/leave$/);
    assert.equal(await tab.evaluate(() => document.body.innerText.trim()), '');
    await open(tab, `${link}x`, 404);
    const unknown = await words(tab);
    demo.complaints.length = 0;
    await demo.as('ines', async (mine) => {
      await open(mine, `${demo.at}/today`);
      assert.doesNotMatch(await words(mine), /Somebody older, please/, 'it may speak of her');
    });
    for (const [who, page] of [['coordinator-leila', '/coordination'], ['nurse-aoife', '/clinic']]) {
      await demo.as(who, async (theirs) => {
        await open(theirs, `${demo.at}${page}`);
        assert.match(await words(theirs), /Somebody older, please/, who);
        await assertSound(theirs, `answers, ${who}`);
      });
    }
    assert.match(unknown, /This page is closed/);
    await context.close();
  });

  test('a colleague who is a patient: the record closes, opens by break-glass alone, and governance is told', async () => {
    let person;
    await demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/worklists/assessments`);
      await tab.locator('table tbody a').last().click();
      const fact = (term) => tab.locator('dt', { hasText: term }).locator('xpath=following-sibling::dd').first().innerText();
      const name = (await words(tab, 'h1')).split('\n').pop().replace(/ aged.*/, '').trim();
      const born = new Date(`${await fact('Date of birth')} UTC`);
      person = { address: tab.url(), name, born, number: (await fact('Hospital number')).split(',')[0], nhs: (await fact('NHS number')).replace(/\(.*/, '').trim() };
    });
    const [given, ...family] = person.name.split(' ');
    await demo.as('nurse-samuel', async (tab) => {
      await open(tab, `${demo.at}/account/own-details`);
      await assertSound(tab, 'own details');
      await tab.locator('#given').fill(given);
      await tab.locator('#family').fill(family.join(' '));
      await tab.locator('#born').fill(String(person.born.getUTCDate()));
      await tab.locator('#born-month').fill(String(person.born.getUTCMonth() + 1));
      await tab.locator('#born-year').fill(String(person.born.getUTCFullYear()));
      if (/^[0-9 ]+$/.test(person.nhs)) await tab.locator('#nhs_number').fill(person.nhs);
      await press(tab, 'Give my details');
      assert.match(await flash(tab), /Thank you/);
      await open(tab, person.address, 404);
    });
    await demo.as('nurse-aoife', async (tab) => {
      await open(tab, person.address, 404);
      await open(tab, `${demo.at}/break-glass`);
      await assertSound(tab, 'break-glass');
      await tab.locator('#number').fill(person.number);
      await tab.locator('#reason').fill('Collapsed in the waiting room, the ward asks');
      for (const box of await tab.locator('main input[type=checkbox]').all()) await box.check();
      await tab.locator('main form button[type=submit]').first().click();
      await open(tab, person.address);
    });
    demo.complaints.length = 0;
    await demo.as('governance-martin', async (tab) => {
      await open(tab, `${demo.at}/access`);
      await tab.getByRole('link', { name: 'Review break-glass' }).click();
      assert.match(await words(tab), /Collapsed in the waiting room/);
      await assertSound(tab, 'break-glass to review');
      await keepScreenshot(tab, 'break-glass', WIDTHS[0]);
    });
  });

  test('access ends with the contract, in a running session', async () => {
    await demo.as('grace', async (grace) => {
      await open(grace, `${demo.at}/today`);
      await demo.as('coordinator-leila', async (tab) => {
        await open(tab, `${demo.at}/coordination/passports`);
        assert.match(await words(tab), /On 3 March 1[45] people lose their supporter unless two items are renewed\./);
        await tab.locator('#demo-clock > summary').click();
        await tab.locator('#demo-day').fill('2025-03-04');
        await press(tab, 'Go there');
        assert.match(await flash(tab), /moved on/);
      });
      await open(grace, `${demo.at}/today`, 403);
      assert.match(await words(grace), /not in date/);
      demo.complaints.length = 0;
    });
    await demo.as('coordinator-leila', async (tab) => {
      await open(tab, `${demo.at}/coordination`);
      assert.match(await words(tab), /Grace/);
      await tab.locator('a[href*="reallocate?from=grace"]').first().click();
      await assertSound(tab, 'reallocation');
      await keepScreenshot(tab, 'reallocation', WIDTHS[0]);
      await tab.locator('form[action="/coordination/reallocate"] button[type=submit]').last().click();
      assert.match(await words(tab), /Given to other supporters|problem|nobody/i);
    });
    demo.complaints.length = 0;
  });

  test('pages need no script', async () => {
    const context = await demo.stranger({ javaScriptEnabled: false });
    const tab = await context.newPage();
    await demo.signIn(tab, 'ines');
    await tab.goto(`${demo.at}/my-people`);
    await tab.getByRole('link', { name: /^Record a contact/ }).first().click();
    await tab.locator('label[for=outcome]').click();
    await tab.locator('label[for=way]').click();
    await tab.locator('#note').fill('Without a script');
    // Without a script nothing tells the browser's driver that the page stands still.
    await tab.getByRole('button', { name: 'Record the contact' }).click({ force: true });
    assert.match(await flash(tab), /Contact recorded/);
    await context.close();
  });

  test('the audit of the day is whole', async () => {
    const { status, stdout } = await run(['audit', '--database', `sqlite:${demo.folder}/demo/alongside.db`, '--keys', `${demo.folder}/demo/alongside.keys`, 'verify'], { cwd: demo.folder });
    assert.match(stdout, /whole/);
    assert.equal(status, 0);
  });
});
