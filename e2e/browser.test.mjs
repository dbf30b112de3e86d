// The demo's story in a real browser: its pages at desktop and phone width, what they say, and whether everybody can use
// them. With ALONGSIDE_SCREENSHOTS=1 it also renews docs/screenshots/.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityProblems, openBrowser } from './support/browser.mjs';
import { freePort, inRepository, run, start } from './support/program.mjs';

const PAGE_BYTES_MAX = 100_000;
const SCREENSHOTS_BYTES_MAX = 3_000_000;
const screenshots = process.env.ALONGSIDE_SCREENSHOTS === '1' ? inRepository('docs/screenshots') : undefined;
/** A tall page is shown by its beginning: about two screens of a desktop, three of a telephone. */
const WIDTHS = [
  { name: 'desktop', ending: '', viewport: { width: 1280, height: 800 }, tall: 1800 },
  { name: 'phone', ending: '-phone', viewport: { width: 390, height: 844 }, tall: 2600 },
];

const WORKLISTS = ['awaiting-notice', 'questions', 'open', 'due', 'assessments', 'deferred'];

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

describe('the demo', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-browser-'));
  let demo;
  let browser;
  let at;
  /** What browsers complained of, on whichever page. */
  const complaints = [];

  before(async () => {
    const port = await freePort();
    at = `http://127.0.0.1:${port}`;
    // Pictures of a feed want a crowd that looks like one; it takes some minutes.
    const crowd = screenshots ? '0.2' : '0.02';
    const args = ['demo', '--crowd', crowd, '--data', join(folder, 'demo'), '--http', `127.0.0.1:${port}`];
    [demo, browser] = await Promise.all([start(args, { ready: /The demo is at +http:/, cwd: folder }), openBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await demo?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Gives `use` a tab of a width; what it complains of while it is open is kept. */
  async function inTab(viewport, use) {
    const tab = await browser.context.newPage();
    try {
      await tab.setViewportSize(viewport);
      tab.on('console', (line) => ['error', 'warning'].includes(line.type()) && complaints.push(`${tab.url()}: ${line.text()}`));
      tab.on('pageerror', (error) => complaints.push(`${tab.url()}: ${error.message}`));
      // What is broken off because one goes on to the next page has not failed.
      const broken = (request) => request.failure()?.errorText !== 'net::ERR_ABORTED';
      tab.on('requestfailed', (request) => broken(request) && complaints.push(`${request.url()} failed`));
      return await use(tab);
    } finally {
      await tab.close();
    }
  }

  const open = async (tab, path) => {
    const answer = await tab.goto(at + path);
    assert.equal(answer.status(), 200, path);
    return answer;
  };
  const words = (tab, selector = 'main') => tab.locator(selector).innerText();

  /** Every page of the story: its name, and how one comes to it. The person is the first with a trend to show. */
  let story;
  const addresses = () => (story ??= findAddresses());
  async function findAddresses() {
    return inTab(WIDTHS[0].viewport, async (tab) => {
      await open(tab, '/sites/chelwest/worklists/assessments');
      const lines = tab.locator('table tbody a');
      const people = await lines.evaluateAll((links) => links.map((link) => link.getAttribute('href')));
      assert.ok(people.length > 0, 'an assessment is due for somebody');
      let person;
      for (const one of people) {
        await open(tab, one);
        person ??= one;
        if ((await tab.locator('.as-trend').count()) > 0) {
          person = one;
          break;
        }
      }
      await open(tab, person);
      const why = await tab.getByRole('link', { name: 'Why was this person referred?' }).getAttribute('href');
      return [
        ['start', '/'],
        ['figures', '/sites/chelwest/figures'],
        ['figures-all', '/sites/chelwest/figures?show=all'],
        ['figures-northmid', '/sites/northmid/figures'],
        ...WORKLISTS.map((kind) => [kind, `/sites/chelwest/worklists/${kind}`]),
        // An empty list is a page of its own kind.
        ['open-northmid', '/sites/northmid/worklists/open'],
        ['quarantined', '/quarantined'],
        ['quarantined-last', '/quarantined?page=2'],
        ['person', person],
        ['why', why],
        ['search', '/search'],
        ['measures', '/measures'],
      ];
    });
  }

  for (const { name, ending, viewport, tall } of WIDTHS) {
    const examine = async (tab, page, path) => {
      const answer = await open(tab, path);
      const bytes = (await answer.body()).length;
      assert.ok(bytes < PAGE_BYTES_MAX, `${path} has ${bytes} bytes`);
      assertGuarded(answer, path);
      assert.deepEqual(await accessibilityProblems(tab), [], path);
      assert.equal(await tab.locator('script').count(), 0, `${path} has a script`);
      assert.equal(await tab.locator('h1').count(), 1, path);
      assert.match(await tab.title(), / – Alongside$/);
      await assertNoSidewaysScroll(tab, path);
      await keepScreenshot(tab, `${page}${ending}`, viewport, tall);
      if (name === 'phone') {
        await tab.setViewportSize({ width: 320, height: 640 });
        await assertNoSidewaysScroll(tab, `${path} at 320`);
      }
    };

    test(`every page is sound at ${name} width: no barrier, no complaint, no sideways scrolling, small`, async () => {
      const waiting = [...(await addresses())];
      const look = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) await inTab(viewport, (tab) => examine(tab, ...next));
      };
      // Two at a time: looking for barriers keeps one processor busy.
      await Promise.all([look(), look()]);
      assert.deepEqual(complaints.splice(0), []);
    });
  }

  function assertGuarded(answer, path) {
    const headers = answer.headers();
    const policy = headers['content-security-policy'] ?? '';
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) {
      assert.ok(policy.includes(rule), `${path}: ${rule}`);
    }
    assert.ok(!policy.includes('unsafe'), path);
    assert.equal(headers['cache-control'], 'no-store', path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['referrer-policy'], 'no-referrer', path);
  }

  async function assertNoSidewaysScroll(tab, path) {
    const [inner, shown] = await tab.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(inner <= shown, `${path} is ${inner} px wide where ${shown} are shown`);
  }

  async function keepScreenshot(tab, name, viewport, tall) {
    if (!screenshots || /northmid|-last|-all/.test(name)) return;
    mkdirSync(screenshots, { recursive: true });
    const height = Math.min(tall, await tab.evaluate(() => document.documentElement.scrollHeight));
    await tab.screenshot({
      path: join(screenshots, `${name}.jpg`),
      type: 'jpeg',
      quality: 58,
      fullPage: true,
      clip: { x: 0, y: 0, width: viewport.width, height },
    });
  }

  const desktop = (use) => inTab(WIDTHS[0].viewport, use);

  test('the start page says what this is and tells the figures of both hospitals', () =>
    desktop(async (tab) => {
      await open(tab, '/');
      assert.match(await words(tab, 'header'), /all people are invented; nothing can leave this machine/);
      const [chelwest, northmid] = await tab.locator('section.as-site').allInnerTexts();
      assert.match(chelwest, /Chelsea and Westminster/);
      assert.match(chelwest, /\b126\b/);
      assert.match(chelwest, /\b92\b/);
      assert.match(chelwest, /\b59\s%/);
      assert.match(northmid, /North Middlesex/);
      assert.match(northmid, /\b19\b/);
      assert.match(chelwest, /Ledger .*all accounted for/);
      assert.match(await words(tab), /40 messages/);
    }));

  test('the silence: nothing has come from North Middlesex since Sunday at two in the morning', () =>
    desktop(async (tab) => {
      await open(tab, '/');
      const silent = await tab.locator('.as-feed--silent').allInnerTexts();
      assert.equal(silent.length, 1);
      assert.match(silent[0], /North Middlesex/);
      assert.match(silent[0], /Silent since (4 January 2025|yesterday at (1?2|1):\d\dam)/);
    }));

  test('the figures are masked, tell their definitions, and show all numbers only when asked', () =>
    desktop(async (tab) => {
      await open(tab, '/sites/chelwest/figures?quarter=2024-Q4');
      const masked = await words(tab);
      assert.match(masked, /\b126\b/);
      assert.match(masked, /45 of 76/);
      assert.match(masked, /a count of 1 to 4 people is hidden/);
      await tab.getByRole('navigation', { name: 'Small numbers' }).getByRole('link').last().click();
      assert.match(await words(tab), /All numbers are shown\./);
      await tab.getByRole('link', { name: /^Definition/ }).first().click();
      await tab.waitForURL(/\/measures#[a-z-]+$/);
      assert.ok(await tab.locator(`#${new URL(tab.url()).hash.slice(1)}`).isVisible());
    }));

  test('the quarter can be taken home as JSON and as CSV, masked', () =>
    desktop(async (tab) => {
      const read = async (path) => (await tab.request.get(at + path)).text();
      const json = JSON.parse(await read('/sites/chelwest/figures.json?quarter=2024-Q4'));
      assert.equal(json.measures.find(({ id }) => id === 'people-supported').value, 126);
      assert.equal(json.measures.find(({ id }) => id === 'newly-diagnosed-awaiting-notice').value, null);
      assert.match(await read('/sites/chelwest/figures.csv?quarter=2024-Q4'), /people-supported,1,2024-10-01,2024-12-31,126,92/);
    }));

  test('the gate: who awaits notice is for the clinic alone, and no supporter stands beside the name', () =>
    desktop(async (tab) => {
      await open(tab, '/sites/chelwest/worklists/awaiting-notice');
      assert.match(await words(tab), /Clinic only\./);
      const headings = await tab.getByRole('columnheader').allInnerTexts();
      assert.deepEqual(headings, ['Person', 'Why', 'Waiting', 'What is due']);
      assert.equal(await tab.locator('table tbody tr').count(), 6);
      await tab.locator('table tbody a').first().click();
      assert.match(await words(tab), /Nothing about this person has been released to the peer-support team/);
      await tab.getByRole('link', { name: 'Why was this person referred?' }).click();
      assert.match(await words(tab), /Nothing about this referral has been released to the peer-support team/);
    }));

  test('why: from a person to the message, the rule, the decision and the notice', () =>
    desktop(async (tab) => {
      await open(tab, '/sites/chelwest/worklists/assessments');
      await tab.locator('table tbody a').first().click();
      const name = await words(tab, 'h1');
      await tab.getByRole('link', { name: 'Why was this person referred?' }).click();
      const chain = await tab.locator('ol.as-chain h2').allInnerTexts();
      assert.ok(chain.length >= 4, chain.join());
      const told = await words(tab);
      for (const part of [/message/i, /rule/i, /told/i, /referral/i]) assert.match(told, part);
      assert.ok(name.length > 0);
    }));

  test('the unreadable: forty messages are set aside, with where their problems are and nothing of their content', () =>
    desktop(async (tab) => {
      await open(tab, '/quarantined');
      const page = await words(tab);
      assert.match(page, /\b40 messages\b/);
      assert.match(page, /OBX/);
      assert.doesNotMatch(page, /CONFIRMED|NEGATIVE|NOT DETECTED/);
    }));

  test('a person is found by name; the name stands in no address', () =>
    desktop(async (tab) => {
      await open(tab, '/sites/chelwest/worklists/assessments');
      const name = await tab.locator('table tbody a').first().innerText();
      await open(tab, '/search');
      await tab.getByRole('searchbox').fill(name);
      await tab.getByRole('button', { name: 'Find' }).click();
      assert.match(await words(tab, '#found'), /found$/);
      assert.equal(tab.url(), `${at}/search`);
      assert.deepEqual(await accessibilityProblems(tab), []);
      await tab.locator('ul.as-found a', { hasText: name }).first().click();
      assert.ok((await words(tab, 'h1')).includes(name));

      await open(tab, '/search');
      await tab.getByRole('searchbox').fill('Nobodyofthisname');
      await tab.keyboard.press('Enter');
      assert.match(await words(tab, '#found'), /Nobody found/);
    }));

  test('a search for nothing says so at its field', () =>
    desktop(async (tab) => {
      await open(tab, '/search');
      await tab.getByRole('button', { name: 'Find' }).click();
      assert.ok(await tab.getByRole('alert').isVisible());
      assert.match(await tab.title(), /^Error: /);
      assert.deepEqual(await accessibilityProblems(tab), []);
      await tab.getByRole('alert').getByRole('link').click();
      assert.equal(await tab.evaluate(() => document.activeElement.id), 'q');
      // 422 is what a browser calls a failed load.
      const others = complaints.splice(0).filter((line) => !line.includes('422'));
      assert.deepEqual(others, []);
    }));

  test('whoever uses a keyboard can skip to the content, and sees where they are', () =>
    desktop(async (tab) => {
      for (const path of ['/', '/sites/chelwest/worklists/open', '/search']) {
        await open(tab, path);
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

  test('pages work without scripts, and what was printed leaves the menu out', async () => {
    const plain = await browser.browser.newContext({ javaScriptEnabled: false });
    try {
      const tab = await plain.newPage();
      await open(tab, '/');
      assert.match(await words(tab), /\b126\b/);
    } finally {
      await plain.close();
    }
    await desktop(async (tab) => {
      await open(tab, '/sites/chelwest/figures');
      await tab.emulateMedia({ media: 'print' });
      assert.equal(await tab.getByRole('navigation', { name: 'Quarters' }).isVisible(), false);
      assert.match(await words(tab), /\b126\b/);
    });
  });

  test('what is not there says so, also in the same frame', () =>
    desktop(async (tab) => {
      const nothing = ['/nothing', '/sites/elsewhere/figures', '/people/per_00000000000000000000000000000000', '/people/x'];
      const status = async (path) => (await tab.request.get(at + path)).status();
      for (const path of [...nothing, '/sites/chelwest/worklists/elsewhere', '/referrals/x/why', '/static/0/x.css']) {
        assert.equal(await status(path), 404, path);
      }
      assert.equal(await status('/sites/chelwest/figures?quarter=soon'), 422);
      assert.equal(await status('/quarantined?page=soon'), 422);
      await tab.goto(`${at}/nothing`);
      assert.match(await words(tab), /Page not found/);
      assert.deepEqual(await accessibilityProblems(tab), []);
      assert.deepEqual(complaints.splice(0).filter((line) => !line.includes('404')), []);
    }));

  test('the pages are this machine\'s alone: no other name leads to them, and no other address is taken', async () => {
    const elsewhere = await new Promise((resolve, reject) => {
      get(`${at}/`, { headers: { host: 'alongside.invalid' } }, (answer) => resolve(answer.resume())).once('error', reject);
    });
    assert.equal(elsewhere.statusCode, 421);
    const open = await run(['demo', '--http', '0.0.0.0:0', '--data', join(folder, 'open')]);
    assert.equal(open.status, 65);
    assert.match(open.stderr, /loopback/);
  });

  test('nothing that a page asked for lay beyond this machine, and nothing was complained of', () => {
    assert.deepEqual(browser.refused, []);
    assert.deepEqual(complaints, []);
  });

  test('the screenshots are listed, and are small', { skip: !screenshots }, () => {
    const list = readFileSync(join(screenshots, 'README.md'), 'utf8');
    const named = [...list.matchAll(/\]\(([\w-]+\.jpg)\)/g)].map(([, file]) => file);
    assert.ok(named.length >= 20);
    const total = named.reduce((sum, file) => sum + statSync(join(screenshots, file)).size, 0);
    assert.ok(total < SCREENSHOTS_BYTES_MAX, `${total} bytes`);
  });
});
