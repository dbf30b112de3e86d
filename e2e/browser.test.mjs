// The browser and axe are there, and axe sees what is wrong: otherwise "no problems" means nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessibilityProblems, openBrowser } from './support/browser.mjs';

const page = (body) => `<!doctype html><html lang="en-GB"><title>A page</title><main><h1>A page</h1>${body}</main></html>`;

test('axe finds nothing in a sound page and a picture without words in a bad one', { timeout: 120_000 }, async () => {
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

test('a page cannot reach beyond the loopback address', { timeout: 120_000 }, async () => {
  const { context, refused, close } = await openBrowser();
  try {
    const tab = await context.newPage();
    await tab.setContent(page('<img alt="elsewhere" src="http://elsewhere.invalid/picture.png">'));
    assert.deepEqual(refused, ['http://elsewhere.invalid/picture.png']);
  } finally {
    await close();
  }
});
