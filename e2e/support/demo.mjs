// The demo, and browsers of those who work in it.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessibilityProblems, openBrowser } from './browser.mjs';
import { freePort, inRepository, start } from './program.mjs';

const screenshots = process.env.ALONGSIDE_SCREENSHOTS === '1' ? inRepository('docs/screenshots') : undefined;
/** A tall page is shown by its beginning: about two screens of a desktop, three of a telephone. */
export const WIDTHS = [
  { name: 'desktop', ending: '', viewport: { width: 1280, height: 800 }, tall: 1800 },
  { name: 'phone', ending: '-phone', viewport: { width: 390, height: 844 }, tall: 2600 },
];
const NARROW = { width: 320, height: 640 };

/** Starts a demo of its own. `complaints` is what browsers complained of, on whichever page. */
export async function openDemo() {
  const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-'));
  const port = await freePort();
  const at = `http://127.0.0.1:${port}`;
  // Pictures of a feed want a crowd that looks like one; it takes some minutes.
  const crowd = screenshots ? '0.2' : '0.02';
  const args = ['demo', '--crowd', crowd, '--data', join(folder, 'demo'), '--http', `127.0.0.1:${port}`];
  const [program, browser] = await Promise.all([start(args, { ready: /The demo is at +http:/, cwd: folder }), openBrowser()]);
  const complaints = [];
  const contexts = new Map();

  const watch = (tab) => {
    tab.on('console', (line) => ['error', 'warning'].includes(line.type()) && complaints.push(`${tab.url()}: ${line.text()}`));
    tab.on('pageerror', (error) => complaints.push(`${tab.url()}: ${error.message}`));
    // What is broken off because one goes on to the next page has not failed.
    const broken = (request) => request.failure()?.errorText !== 'net::ERR_ABORTED';
    tab.on('requestfailed', (request) => broken(request) && complaints.push(`${request.url()} failed`));
    return tab;
  };

  /** A new browser of somebody who has not signed in. */
  async function stranger(options = {}) {
    const context = await browser.browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/London', ...options });
    await context.route(
      (url) => url.hostname !== '127.0.0.1',
      (route) => route.abort(),
    );
    return context;
  }

  /** The browser of somebody who works here: one for each, signed in by their card. */
  async function browserOf(who, options = {}) {
    if (contexts.has(who)) return contexts.get(who);
    const context = await stranger(options);
    const tab = await context.newPage();
    await signIn(tab, who);
    await tab.close();
    contexts.set(who, context);
    return context;
  }

  async function signIn(tab, who) {
    await tab.goto(`${at}/sign-in`);
    const card = tab.locator(`button[name=who][value="${who}"]`);
    if (!(await card.isVisible())) await tab.locator('#more-people > summary').click();
    await Promise.all([tab.waitForURL((url) => url.pathname !== '/sign-in'), card.click()]);
  }

  /** Gives `use` a tab of somebody, at a width. */
  async function as(who, use, viewport = WIDTHS[0].viewport) {
    const tab = watch(await (await browserOf(who)).newPage());
    try {
      await tab.setViewportSize(viewport);
      return await use(tab);
    } finally {
      await tab.close();
    }
  }

  async function close() {
    await browser.close();
    await program.stop();
    rmSync(folder, { recursive: true, force: true });
  }

  return { at, folder, complaints, watch, stranger, browserOf, signIn, as, close };
}

export async function open(tab, address, status = 200) {
  const answer = await tab.goto(address);
  assert.equal(answer.status(), status, address);
  return answer;
}

export const words = (tab, selector = 'main') => tab.locator(selector).innerText();

/** No barrier, and nothing that is wider than the screen, down to 320 px. */
export async function assertSound(tab, name) {
  assert.deepEqual(await accessibilityProblems(tab), [], name);
  assert.equal(await tab.locator('h1').count(), 1, `${name}: one heading`);
  const shown = tab.viewportSize();
  await assertNoSidewaysScroll(tab, `${name} at ${shown.width}`);
  if (shown.width < 500) {
    await tab.setViewportSize(NARROW);
    await assertNoSidewaysScroll(tab, `${name} at 320`);
    await tab.setViewportSize(shown);
  } else {
    await assertTextMayBeTwiceAsLarge(tab, name);
  }
}

/** WCAG 2.2, 1.4.4: text twice as large loses nothing: no word is cut off, and nothing needs scrolling sideways. */
async function assertTextMayBeTwiceAsLarge(tab, name) {
  const cut = await tab.evaluate(() => {
    document.documentElement.style.fontSize = '200%';
    const isShown = (element) => element.clientWidth > 1 && element.clientHeight > 1 && element.innerText?.trim();
    const hides = (element) => [getComputedStyle(element).overflowX, getComputedStyle(element).overflowY].some((how) => ['hidden', 'clip'].includes(how));
    const isCut = (element) => element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
    const found = [...document.querySelectorAll('body *')].filter((element) => isShown(element) && hides(element) && isCut(element));
    return found.map((element) => `${element.tagName}.${element.className}`);
  });
  assert.deepEqual(cut, [], `${name}: cut off at 200 %`);
  await assertNoSidewaysScroll(tab, `${name} at 200 %`);
  await tab.evaluate(() => document.documentElement.style.removeProperty('font-size'));
}

export async function assertNoSidewaysScroll(tab, name) {
  const [inner, outer] = await tab.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(inner <= outer, `${name} is ${inner} px wide where ${outer} are shown`);
}

/** Keeps a picture of the page, when pictures are to be renewed. */
export async function keepScreenshot(tab, name, { ending, viewport, tall }) {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  const height = Math.min(tall, await tab.evaluate(() => document.documentElement.scrollHeight));
  const path = join(screenshots, `${name}${ending}.jpg`);
  await tab.screenshot({ path, type: 'jpeg', quality: 58, fullPage: true, clip: { x: 0, y: 0, width: viewport.width, height } });
}
