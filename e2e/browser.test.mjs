// Every page of every role in a real browser, at desktop and phone width: what they say, and whether everybody can use them.
// With ALONGSIDE_SCREENSHOTS=1 it also renews docs/screenshots/.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityProblems, openBrowser } from './support/browser.mjs';
import { WIDTHS, assertSound, keepScreenshot, open, openDemo, words } from './support/demo.mjs';

const PAGE_BYTES_MAX = 100_000;
/** Of addresses that differ in what they are about alone, so many are looked at. */
const OF_A_KIND = 1;

/** Whoever has a day of their own, and the pages that are pictured. */
const ROLES = {
  'nurse-aoife': { clinic: '/clinic', questions: '/questions', 'awaiting-notice': '/sites/chelwest/worklists/awaiting-notice', search: '/search' },
  'safeguarding-ruth': {},
  ines: { today: '/today', 'my-people': '/my-people' },
  'coordinator-leila': { coordination: '/coordination', passports: '/coordination/passports', },
  'manager-frances': { 'figures-start': '/figures', figures: '/sites/chelwest/figures', measures: '/measures' },
  'governance-martin': { access: '/access', entitled: '/access/entitled' },
  'engineer-wei': { feeds: '/feeds', quarantined: '/quarantined' },
  marcus: {},
};

describe('the tools', { timeout: 120_000 }, () => {
  const page = (body) => `<!doctype html><html lang="en-GB"><title>A page</title><main><h1>A page</h1>${body}</main></html>`;

  test('axe finds nothing in a sound page and a picture without words in a bad one', async () => {
    const { context, close } = await openBrowser();
    try {
      const tab = await context.newPage();
      await tab.setContent(page('<p>Words.</p>'));
      assert.deepEqual(await accessibilityProblems(tab), []);
      await tab.setContent(page('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'));
      const problems = await accessibilityProblems(tab);
      assert.equal(problems.length, 1);
      assert.match(problems[0], /^image-alt: /);
    } finally {
      await close();
    }
  });

  test('a page cannot reach beyond the loopback address', async () => {
    const { context, refused, close } = await openBrowser();
    try {
      const tab = await context.newPage();
      await tab.setContent(page('<img alt="elsewhere" src="http://elsewhere.invalid/picture.png">'));
      assert.deepEqual(refused, ['http://elsewhere.invalid/picture.png']);
    } finally {
      await close();
    }
  });
});

describe('the workplace', { timeout: 900_000 }, () => {
  let demo;

  before(async () => {
    demo = await openDemo();
  });
  after(() => demo?.close());

  /** What an address answers, asked for by a page: the cookie of a session is for browsers alone. */
  const fetched = (tab, path) => tab.evaluate(async (to) => (await fetch(to)).text(), path);

  /** An address without what it is about: pages of one kind have one. */
  const kind = (path) =>
    path
      .replace(/[a-z]{3}_[0-9a-f]{32}/g, '*')
      .replace(/=[^&]*/g, '=*')
      .replace(/\/(staff|entitled|passports)\/[^/?]+/, '/$1/*')
      .replace('northmid', 'chelwest');

  function assertGuarded(answer, path) {
    const headers = answer.headers();
    const policy = headers['content-security-policy'] ?? '';
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) {
      assert.ok(policy.includes(rule), `${path}: ${rule}`);
    }
    assert.ok(!policy.includes('unsafe'), path);
    assert.equal(headers['cache-control'], 'no-store', path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['referrer-policy'], 'same-origin', path);
  }

  /** Looks at every kind of page that links lead somebody to. */
  async function lookAround(who, { viewport }) {
    const seen = new Map();
    await demo.as(
      who,
      async (tab) => {
        const waiting = ['/'];
        while (waiting.length > 0) {
          const path = waiting.shift();
          const times = seen.get(kind(path)) ?? 0;
          if (times >= OF_A_KIND) continue;
          seen.set(kind(path), times + 1);
          const answer = await tab.goto(demo.at + path);
          if (who !== 'marcus') assert.equal(answer.status(), 200, `${who}: ${path}`);
          const bytes = (await answer.body()).length;
          assert.ok(bytes < PAGE_BYTES_MAX, `${who}: ${path} has ${bytes} bytes`);
          assertGuarded(answer, path);
          assert.match(await tab.title(), / – Alongside$/, path);
          assert.doesNotMatch(await tab.title(), /HIV/i, path);
          await assertSound(tab, `${who}: ${path}`);
          const links = await tab.locator('a[href^="/"]').evaluateAll((all) => all.map((link) => link.getAttribute('href').split('#')[0]));
          // Files are taken away, and the sign-in is where somebody else begins.
          waiting.push(...links.filter((link) => link && !/\.(json|csv)/.test(link) && !/^\/(sign-in|static)/.test(link)));
        }
      },
      viewport,
    );
    return [...seen.keys()];
  }

  for (const who of Object.keys(ROLES)) {
    for (const width of WIDTHS) {
      test(`every page of ${who} is sound at ${width.name} width: no barrier, no complaint, no sideways scrolling, small`, async () => {
        const kinds = await lookAround(who, width);
        assert.deepEqual(demo.complaints.splice(0).filter((line) => !line.includes('403')), []);
        assert.ok(who === 'marcus' || kinds.length > 3, kinds.join(' '));
      });
    }
  }

  test('pictures of the main pages, where they are wanted', async () => {
    for (const [who, pages] of Object.entries(ROLES)) {
      for (const width of WIDTHS) {
        for (const [name, path] of Object.entries(pages)) {
          await demo.as(
            who,
            async (tab) => {
              await open(tab, demo.at + path);
              await keepScreenshot(tab, name, width);
            },
            width.viewport,
          );
        }
      }
    }
  });

  test('the cards: one click signs in, and whoever is not signed in sees them and nothing else', async () => {
    const context = await demo.stranger();
    const tab = demo.watch(await context.newPage());
    for (const path of ['/', '/clinic', '/people/per_00000000000000000000000000000001', '/access']) {
      await tab.goto(demo.at + path);
      assert.equal(new URL(tab.url()).pathname, '/sign-in', path);
    }
    for (const width of WIDTHS) {
      await tab.setViewportSize(width.viewport);
      await tab.locator('#more-people').evaluate((more) => (more.open = true));
      await assertSound(tab, 'cards');
      await keepScreenshot(tab, 'start', width);
    }
    assert.match(await words(tab, 'header'), /all people are invented; nothing can leave this machine/);
    await context.close();
  });

  test('who is not in date is told so, and nothing else is open', () =>
    demo.as('marcus', async (tab) => {
      await open(tab, `${demo.at}/`, 403);
      assert.match(await words(tab), /Your contract, training or check is not in date/);
      await open(tab, `${demo.at}/today`, 403);
      await open(tab, `${demo.at}/account`);
      demo.complaints.length = 0;
    }));

  test('the figures of both hospitals: masked, with their definitions, and all numbers only for those who may', async () => {
    await demo.as('manager-frances', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/figures?quarter=2024-Q4`);
      const masked = await words(tab);
      assert.match(masked, /\b126\b/);
      assert.match(masked, /45 of 76/);
      assert.match(masked, /a count of 1 to 4 people is hidden/);
      await tab.getByRole('link', { name: /^Definition/ }).first().click();
      await tab.waitForURL(/\/measures#[a-z-]+$/);
      assert.ok(await tab.locator(`#${new URL(tab.url()).hash.slice(1)}`).isVisible());
      const read = (path) => fetched(tab, path);
      const json = JSON.parse(await read('/sites/chelwest/figures.json?quarter=2024-Q4'));
      assert.equal(json.measures.find(({ id }) => id === 'people-supported').value, 126);
      assert.equal(json.measures.find(({ id }) => id === 'newly-diagnosed-awaiting-notice').value, null);
      assert.match(await read('/sites/chelwest/figures.csv?quarter=2024-Q4'), /people-supported,1,2024-10-01,2024-12-31,126,92/);
      await open(tab, `${demo.at}/sites/chelwest/figures?quarter=2024-Q4&show=all`, 403);
      demo.complaints.length = 0;
    });
    await demo.as('coordinator-leila', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/figures?quarter=2024-Q4`);
      await tab.getByRole('navigation', { name: 'Small numbers' }).getByRole('link').last().click();
      assert.match(await words(tab), /All numbers are shown\./);
    });
  });

  test('the gate: who awaits notice is for the clinic alone, and no supporter stands beside the name', async () => {
    let person;
    await demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/worklists/awaiting-notice`);
      assert.match(await words(tab), /Clinic only\./);
      const headings = await tab.getByRole('columnheader').allInnerTexts();
      assert.deepEqual(headings, ['Person', 'Why', 'Waiting', 'What is due']);
      assert.equal(await tab.locator('table tbody tr').count(), 6);
      await tab.locator('table tbody a').first().click();
      person = tab.url();
      assert.match(await words(tab), /Nothing about this person has been released to the peer-support team/);
      await tab.getByRole('link', { name: 'Why was this person referred?' }).click();
      assert.match(await words(tab), /Nothing about this referral has been released to the peer-support team/);
    });
    for (const other of ['ines', 'coordinator-leila', 'nurse-blessing']) {
      await demo.as(other, (tab) => open(tab, person, 404));
    }
    demo.complaints.length = 0;
  });

  test('why: from a person to the message, the rule, the decision and the notice', () =>
    demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/worklists/assessments`);
      await tab.locator('table tbody a').first().click();
      await tab.getByRole('link', { name: 'Why was this person referred?' }).click();
      const chain = await tab.locator('ol.as-chain h2').allInnerTexts();
      assert.ok(chain.length >= 4, chain.join());
      const told = await words(tab);
      for (const part of [/message/i, /rule/i, /told/i, /referral/i]) assert.match(told, part);
    }));

  test('the unreadable: forty messages are set aside, with where their problems are and nothing of their content', () =>
    demo.as('engineer-wei', async (tab) => {
      await open(tab, `${demo.at}/quarantined`);
      const page = await words(tab);
      assert.match(page, /\b40 messages\b/);
      assert.match(page, /OBX/);
      assert.doesNotMatch(page, /CONFIRMED|NEGATIVE|NOT DETECTED/);
    }));

  test('a person is found by name; the name stands in no address', () =>
    demo.as('nurse-aoife', async (tab) => {
      await open(tab, `${demo.at}/sites/chelwest/worklists/assessments`);
      const name = await tab.locator('table tbody a').first().innerText();
      await open(tab, `${demo.at}/search`);
      await tab.getByRole('searchbox').fill(name);
      await tab.getByRole('button', { name: 'Find' }).click();
      assert.match(await words(tab, '#found'), /found$/);
      assert.equal(tab.url(), `${demo.at}/search`);
      await assertSound(tab, 'found');
      await tab.locator('ul.as-found a', { hasText: name }).first().click();
      assert.ok((await words(tab, 'h1')).includes(name));

      await open(tab, `${demo.at}/search`);
      await tab.getByRole('searchbox').fill('Nobodyofthisname');
      await tab.keyboard.press('Enter');
      assert.match(await words(tab, '#found'), /Nobody found/);

      await open(tab, `${demo.at}/search`);
      await tab.getByRole('button', { name: 'Find' }).click();
      assert.ok(await tab.getByRole('alert').first().isVisible());
      await assertSound(tab, 'search, wrong');
      await tab.getByRole('alert').getByRole('link').click();
      assert.equal(await tab.evaluate(() => document.activeElement.id), 'q');
      // 422 is what a browser calls a failed load.
      assert.deepEqual(demo.complaints.splice(0).filter((line) => !line.includes('422')), []);
    }));

  test('whoever uses a keyboard can skip to the content, and sees where they are', () =>
    demo.as('nurse-aoife', async (tab) => {
      for (const path of ['/clinic', '/sites/chelwest/worklists/open', '/search']) {
        await open(tab, demo.at + path);
        await tab.keyboard.press('Tab');
        const skip = tab.getByRole('link', { name: 'Skip to main content' });
        assert.ok(await skip.evaluate((link) => link === document.activeElement), path);
        const box = await skip.boundingBox();
        assert.ok(box.width > 50 && box.height > 20 && box.x >= 0 && box.y >= 0, 'the link is seen when it has the focus');
        await tab.keyboard.press('Enter');
        await tab.keyboard.press('Tab');
        const where = await tab.evaluate(() => ({
          inside: document.querySelector('main').contains(document.activeElement),
          outline: getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow,
        }));
        assert.ok(where.inside, path);
        assert.doesNotMatch(where.outline, /^nonenone$/, `${path}: the focus is seen`);
      }
    }));

  test('a guessed identifier gets the answer of one that never existed', () =>
    demo.as('coordinator-leila', async (tab) => {
      const answer = async (path) => {
        const text = await fetched(tab, path);
        assert.match(text, /Page not found/, path);
        return text.slice(text.indexOf('<main'), text.indexOf('</main>'));
      };
      await open(tab, `${demo.at}/search`);
      await demo.as('nurse-aoife', async (nurse) => {
        await open(nurse, `${demo.at}/sites/chelwest/worklists/awaiting-notice`);
        const hidden = await nurse.locator('table tbody a').first().getAttribute('href');
        for (const part of ['', '/concern', '/safe-contact', '/objection']) {
          assert.equal(await answer(hidden + part), await answer(`/people/per_00000000000000000000000000000001${part}`), part);
        }
      });
      demo.complaints.length = 0;
    }));
});
