// A PostgreSQL for one test: a throwaway cluster from the installed `initdb` and `postgres`, spoken to through its
// socket alone, and gone with the test. As in crates/store/src/testing.rs, a shell watches over it: it tidies up when its
// input closes, in whatever way this process ends.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SHELL = `
trap '' HUP INT TERM
directory=$1
programs=$2
rm -rf "$directory"
mkdir -m 700 "$directory" || exit 1
if "$programs/initdb" --pgdata "$directory/data" --username alongside --auth trust --no-sync --no-instructions \\
    --encoding UTF8 --locale C >"$directory/log" 2>&1
then
    "$programs/postgres" -D "$directory/data" -k "$directory" -c listen_addresses= -c unix_socket_permissions=0777 \\
        -c fsync=off -c full_page_writes=off -c shared_buffers=64MB -c lc_messages=C </dev/null >>"$directory/log" 2>&1 &
    server=$!
    for attempt in $(seq 300); do
        if "$programs/psql" -h "$directory" -U alongside -d postgres -c 'CREATE DATABASE alongside' >/dev/null 2>&1
        then echo ready; break; fi
        sleep 0.1
    done
    cat >/dev/null
    kill -QUIT "$server"
    wait "$server"
else
    cat "$directory/log"
fi
rm -rf "$directory"
`;

/** Why there is none, for a test to skip with; a missing one fails unless ALONGSIDE_WITHOUT_POSTGRES=1 says otherwise. */
export const withoutPostgres =
  process.env.ALONGSIDE_WITHOUT_POSTGRES === '1' && 'ALONGSIDE_WITHOUT_POSTGRES=1: NOTHING IS TESTED ON POSTGRESQL';

/** Starts one. `url` names an empty database on it, `folder` is where it keeps everything. */
export async function startPostgres() {
  const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = join(base, `alongside-e2e-postgres-${process.pid}-${Date.now()}`);
  const shell = spawnAsWhoMay(['sh', '-c', SHELL, 'sh', folder, programs()]);
  const ended = new Promise((resolve) => shell.once('close', resolve));
  let said = '';
  await new Promise((resolve, reject) => {
    shell.once('error', reject);
    shell.once('close', () => reject(new Error(`PostgreSQL for the tests did not start:\n${said}`)));
    shell.stdout.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
      if (said.includes('ready')) resolve();
    });
  });
  const url = `postgres://alongside@${folder.replaceAll('/', '%2F')}/alongside`;
  const stop = async () => {
    shell.stdin.end();
    await ended;
  };
  return { url, folder, stop };
}

/** PostgreSQL refuses to run as root. */
function spawnAsWhoMay(command) {
  const options = { cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, LC_ALL: 'C' } };
  if (process.getuid() !== 0) return spawn(command[0], command.slice(1), options);
  return spawn('setpriv', ['--reuid=postgres', '--regid=postgres', '--init-groups', ...command], options);
}

/** The folder of `initdb` and `postgres`: the newest of Debian's, or the one on the path. */
function programs() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const installed = versions.map((version) => join(debian, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
  if (installed) return installed;
  const onPath = (process.env.PATH ?? '').split(':').find((bin) => existsSync(join(bin, 'initdb')));
  if (onPath) return onPath;
  throw new Error('PostgreSQL is missing, and this test needs it: on Debian `apt-get install postgresql`.');
}
