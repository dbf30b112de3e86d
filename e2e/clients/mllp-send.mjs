// mllp_send of the Python package hl7: reads a file of MLLP frames, prints each answer.
// It takes whatever one read returns for the answer, and ends when its file does.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ANSWER_MS_MAX } from '../support/deadline.mjs';
import { inRepository } from '../support/program.mjs';

export const name = 'mllp_send (Python hl7)';

const program = inRepository('target/venv/bin/mllp_send');

export async function send({ host, port, messages }) {
  const folder = await mkdtemp(join(tmpdir(), 'mllp-send-'));
  try {
    const file = join(folder, 'messages.hl7');
    await writeFile(file, messages.map((message) => `\x0b${message}\x1c\r`).join(''));
    const { stdout } = await promisify(execFile)(program, ['--port', String(port), '--file', file, host], {
      encoding: 'utf8',
      timeout: ANSWER_MS_MAX * messages.length,
    });
    return stdout
      .split('\x1c')
      .map((frame) => frame.replace(/^[\r\n\x0b]+/, ''))
      .filter((answer) => answer !== '');
  } finally {
    await rm(folder, { recursive: true });
  }
}
