// Starts the built program and stops it again. What it writes is kept, and shown when it fails.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The path of something in the repository, wherever the test was started from. */
export function inRepository(path) {
  return join(root, path);
}

/** The program to test: what `cargo build --release` left, or what ALONGSIDE names. */
export function programPath() {
  const target = process.env.CARGO_TARGET_DIR ?? inRepository('target');
  return process.env.ALONGSIDE ?? join(target, 'release', 'alongside');
}

/** A TCP port of the loopback address that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/**
 * Starts the program and waits until it has written a line that matches `ready`.
 * Returns the match, all output so far (`output()`), and `stop(signal)`, which waits for the end.
 */
export function start(args, { ready, cwd, env, program = programPath() }) {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    await ended;
  };
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      reject(new Error(`${program} ${args.join(' ')} ended with ${status} before it was ready:\n${written}`));
    });
    const read = (chunk) => {
      written += chunk;
      const match = written.match(ready);
      if (match) resolve({ match, output: () => written, stop, ended, pid: child.pid });
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
  });
}

/** Runs the program to its end. Returns its exit status, and what it wrote where. */
export function run(args, { cwd, env, program = programPath() } = {}) {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status: status ?? signal, stdout, stderr }));
  });
}

/** Gives `use` a new folder, and removes it afterwards. ALONGSIDE_KEEP=1 keeps it, to look into. */
export async function inFolder(use) {
  const folder = await mkdtemp(join(tmpdir(), 'alongside-e2e-'));
  try {
    return await use(folder);
  } finally {
    if (process.env.ALONGSIDE_KEEP === '1') console.log(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}
