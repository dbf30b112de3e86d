// `lforms` of the National Library of Medicine, which shows FHIR questionnaires and fills them in: from its own files, in a page of
// a test.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join, normalize } from 'node:path';

const lforms = join(dirname(createRequire(import.meta.url).resolve('lforms/package.json')), 'dist/lforms');
const KINDS = { '.js': 'text/javascript', '.css': 'text/css', '.png': 'image/png' };

/** Serves a page for each questionnaire. Returns `address(id)` and `stop()`. */
export async function startForms(questionnaires) {
  const byId = new Map(questionnaires.map((form) => [form.id, form]));
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://here').pathname;
    const form = byId.get(path.slice('/form/'.length));
    if (form) {
      response.writeHead(200, { 'content-type': 'text/html' });
      return response.end(`<!doctype html><html lang="en"><meta charset="utf-8"><title>Questions</title>
<link rel="stylesheet" href="/webcomponent/styles.css"><h1>Questions</h1><div id="form"></div>
<script src="/webcomponent/assets/lib/zone.min.js"></script><script src="/webcomponent/lhc-forms.js"></script>
<script src="/fhir/R4/lformsFHIR.min.js"></script>
<script>LForms.Util.addFormToPage(${JSON.stringify(form).replaceAll('<', '\\u003c')}, 'form', { fhirVersion: 'R4' })
  .then(() => { document.title = 'ready'; }, (error) => { document.title = 'not: ' + error; });</script>`);
    }
    try {
      const body = readFileSync(join(lforms, normalize(path)));
      return response.writeHead(200, { 'content-type': KINDS[extname(path)] ?? 'text/plain' }).end(body);
    } catch {
      return response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: (id) => `http://127.0.0.1:${server.address().port}/form/${id}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Fills a form in as somebody would: the last of the choices of each question, 7 for each number. Returns the response. */
export async function fillIn(browser, address, form) {
  const tab = await browser.context.newPage();
  try {
    await tab.goto(address);
    await tab.waitForFunction(() => document.title !== 'Questions');
    const title = await tab.title();
    if (title !== 'ready') throw new Error(title);
    for (const { linkId, type, answerOption } of form.item) {
      if (type === 'choice') await tab.locator(`[id^="${linkId}/"], [id="${linkId}"]`).getByText(answerOption.at(-1).valueCoding.display).last().click();
      if (type === 'integer') await tab.locator(`input[id^="${linkId}/"]`).fill('7');
    }
    await tab.locator('h1').click();
    await tab.waitForTimeout(500);
    if (process.env.PICTURES) await tab.screenshot({ path: join(process.env.PICTURES, `lforms-${form.id}.png`), fullPage: true });
    return await tab.evaluate(() => globalThis.LForms.Util.getFormFHIRData('QuestionnaireResponse', 'R4'));
  } finally {
    await tab.close();
  }
}
