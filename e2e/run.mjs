// Runs every *.test.mjs beside this file with `node --test`, one after the other by name,
// since each starts a program or a browser of its own and the machine may have two cores.
// `node e2e/run.mjs demo` runs only those whose name contains "demo".
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv[2] ?? '';
const files = readdirSync(here)
  .filter((name) => name.endsWith('.test.mjs') && name.includes(wanted))
  .sort();

if (files.length === 0) {
  console.error(`No test in e2e/ has "${wanted}" in its name.`);
  process.exit(1);
}
const failed = files.filter((file) => {
  console.log(`\ne2e/${file}`);
  const run = spawnSync(process.execPath, ['--test', '--test-reporter=spec', join(here, file)], { stdio: 'inherit' });
  return run.status !== 0;
});
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exit(1);
}
