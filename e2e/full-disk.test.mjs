// When the disk is full nothing is acknowledged that was not kept: the sender is told to keep it and try again. What
// needs no room goes on; and when there is room again, so does everything, without a restart. A disk that fails in another
// way is not trusted again until somebody has started the program anew.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, askOne } from './support/database.mjs';
import { admission, answered, confirmed, controlId } from './support/messages.mjs';
import { connect } from './support/mllp.mjs';
import { programPath, run, start } from './support/program.mjs';
import { configure } from './support/service.mjs';

/** A small file system in memory; undefined where this account may not mount one. */
function mountSmall(folder) {
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', folder], { encoding: 'utf8' });
  return mount.status === 0;
}

/** Takes all the room that is left in a folder; returns how to give it back. */
function fill(folder) {
  const ballast = join(folder, 'ballast');
  const file = openSync(ballast, 'w');
  for (const size of [64 << 10, 4 << 10, 512, 1]) {
    try {
      for (;;) if (writeSync(file, Buffer.alloc(size)) < size) break;
    } catch (error) {
      assert.equal(error.code, 'ENOSPC');
    }
  }
  closeSync(file);
  return () => rmSync(ballast);
}

/** A disk that is full, by mounting a small one. */
async function smallDisk(folder, use) {
  try {
    await use({ command: [programPath()], fill: () => fill(folder), folder, recovers: true });
  } finally {
    spawnSync('umount', ['--lazy', folder]);
  }
}

/** A disk that fails to write (EFBIG, which is not ENOSPC): files may not grow, until the limit is lifted. */
async function failingDisk(folder, use) {
  const limit = (pid, size) => execFileSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`]);
  await use({
    command: ['sh', '-c', 'trap "" XFSZ; exec "$@"', 'sh', programPath()],
    fill: (pid) => {
      limit(pid, 1);
      return () => limit(pid, 'unlimited');
    },
    folder,
    recovers: false,
  });
}

async function neverAcknowledgesWhatItCannotKeep({ command, fill, folder, recovers }) {
  const site = await configure(folder);
  const database = join(folder, 'alongside.db');
  const serving = () =>
    start([...command.slice(1), 'serve', '--config', site.config], { program: command[0], ready: /pages at/, cwd: folder });
  let service = await serving();
  let sender = await connect(site.ports.chelwest);
  const kept = [];
  const keep = async (who) => {
    const id = controlId('DISK');
    const message = confirmed({ mrn: who }, { id });
    const answer = answered(await sender.send(message));
    if (answer[0] === 'AA') kept.push(id);
    return { answer, id, message };
  };
  for (let nth = 0; nth < 20; nth += 1) assert.equal((await keep(`ROOM${nth}`)).answer[0], 'AA');

  const giveBack = fill(service.pid);
  const refused = [];
  for (let nth = 0; nth < 400 && refused.length < 5; nth += 1) {
    const one = await keep(`FULL${nth}`);
    assert.equal(one.answer[1], one.id);
    if (one.answer[0] !== 'AA') refused.push(one);
  }
  assert.equal(refused.length, 5, 'the disk was full');
  // AR, not AE: on an error a sender puts the message aside and goes on with the next.
  for (const { answer } of refused) assert.equal(answer[0], 'AR');

  // Who is nobody's concern needs no room.
  const id = controlId('DISK');
  assert.deepEqual(answered(await sender.send(admission('A08', { mrn: 'STRANGER' }, { id }))), ['AA', id]);
  // Long enough for the counters to have been tried, and kept for later.
  await new Promise((resolve) => setTimeout(resolve, 1300));

  giveBack();
  if (!recovers) {
    assert.equal(answered(await sender.send(refused[0].message))[0], 'AR', 'a disk that broke its promise is not trusted');
    sender.close();
    await service.stop();
    service = await serving();
    sender = await connect(site.ports.chelwest);
  }
  // As a sender does: what was not acknowledged is sent again, as it was.
  for (const { message, id } of refused) {
    assert.deepEqual(answered(await sender.send(message)), ['AA', id]);
    kept.push(id);
  }
  await service.stop('SIGKILL');

  // Every acknowledged message is there, once, and no other.
  const there = ask(database, 'SELECT control_id FROM message ORDER BY control_id').flat();
  assert.deepEqual(there, [...new Set(kept)].sort());
  assert.equal(askOne(database, 'SELECT COUNT(*) FROM person'), kept.length);

  service = await serving();
  const again = await connect(site.ports.chelwest);
  assert.equal(answered(await again.send(refused[0].message))[0], 'AA');
  again.close();
  sender.close();
  await service.stop();
  assert.equal(askOne(database, 'SELECT COUNT(*) FROM person'), kept.length);
  const doctor = await run(['doctor', '--config', site.config]);
  assert.equal(doctor.status, 0, doctor.stdout);
}

for (const [name, small, may] of [
  ['a full disk', smallDisk, mountSmall],
  ['a failing disk', failingDisk, () => true],
]) {
  test(`${name}: nothing is acknowledged that was not kept, and what was refused can be sent again`, { timeout: 60_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'alongside-e2e-disk-'));
    try {
      if (!may(folder)) return t.skip('THIS ACCOUNT MAY NOT MOUNT: A FULL DISK IS NOT TESTED, only one that fails');
      await small(folder, neverAcknowledgesWhatItCannotKeep);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
