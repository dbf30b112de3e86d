// `alongside serve` with a small configuration: one site of each dialect, its feed and its list.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, start } from './program.mjs';

/** The configuration. `[server]` takes the lines of `server`; each feed listens on its port of `ports`. */
export function configuration({ database, server = {}, ports }) {
  const settings = Object.entries({ database, http: `127.0.0.1:${ports.http}`, ...server });
  return `
[server]
${settings.map(([key, value]) => `${key} = ${JSON.stringify(value)}`).join('\n')}

[[site]]
key = "chelwest"
title = "Chelsea and Westminster"
organisations = [{ code = "RQM" }]

[[site]]
key = "northmid"
title = "North Middlesex"
organisations = [{ code = "RAP" }]

[[feed]]
key = "chelwest"
site = "chelwest"
profile = "cerner-millennium"
listen = "127.0.0.1:${ports.chelwest}"

[[feed]]
key = "chelwest-list"
site = "chelwest"
profile = "clinic-list"

[[feed]]
key = "northmid"
site = "northmid"
profile = "careflow"
listen = "127.0.0.1:${ports.northmid}"
`;
}

/** A partner and a team for a site, to stand right behind its organisations: a nurse, a coordinator and a supporter. */
export function team(site) {
  return `
[[site.partner]]
key = "charity"
title = "A charity"
basis = "inside"

[[staff]]
key = "nurse-${site}"
name = "A nurse"
role = "clinician"
sites = ["${site}"]

[[staff]]
key = "coordinator-${site}"
name = "A coordinator"
role = "coordinator"
sites = ["${site}"]

[[supporter]]
key = "anna-${site}"
first_name = "Anna"
partner = "charity"
sites = ["${site}"]
from = 2022-01-01
training_until = 2090-12-31
dbs_until = 2090-12-31
capacity = 20
`;
}

/** Writes a configuration with free ports into a folder. */
export async function configure(folder, { database = `sqlite:${join(folder, 'alongside.db')}`, server } = {}) {
  const ports = { http: await freePort(), chelwest: await freePort(), northmid: await freePort() };
  const config = join(folder, 'alongside.toml');
  writeFileSync(config, configuration({ database, server, ports }));
  return { config, ports, database };
}

/** Starts the service and waits until its listeners and its pages are there. */
export function serve({ config }, { arguments: more = [], ...options } = {}) {
  return start(['serve', '--config', config, ...more], { ready: /pages at http:\/\/([\d.:]+)\//, ...options });
}
