// Debian's Chromium, quiet and without a network of its own, and axe inside the page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/**
 * A new browser. Every page that it opens may speak to the loopback address alone; what else
 * a page asks for is refused and kept in `refused`, for a test to say that there was nothing.
 */
export async function openBrowser(options = {}, flags = []) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...flags,
    ],
  });
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/London', ...options });
  const refused = [];
  await context.route(
    (url) => !['127.0.0.1', 'localhost'].includes(url.hostname),
    (route) => {
      refused.push(route.request().url());
      return route.abort();
    },
  );
  return { browser, context, refused, close: () => browser.close() };
}

/** What axe finds wrong in the page, one readable line for each: rule, help, where. */
export async function accessibilityProblems(page) {
  // Evaluated, and not put into the page as a script, which our pages' Content-Security-Policy would rightly refuse.
  await page.evaluate(`${axe}; undefined`);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  );
  return violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help} at ${node.target.join(' ')}`));
}
