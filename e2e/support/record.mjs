// A hospital's record for one test: a certified authorisation server (`oidc-provider`) before a FHIR API with Patients, pages that
// open an app in a frame beside a person, and `fhirclient` in a page of its own, which says that it is a SMART server.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { freePort } from './program.mjs';
import { startProvider } from './provider.mjs';

const require = createRequire(import.meta.url);
const fhirclient = readFileSync(require.resolve('fhirclient/build/fhir-client.js'), 'utf8');

export const MRN = 'https://northmid.example/id/mrn';
const NHS = 'https://fhir.nhs.uk/Id/nhs-number';

/** A Patient of the record. */
export const patient = (id, { number, family, given, birthDate, nhs }) => ({
  resourceType: 'Patient',
  id,
  identifier: [{ system: MRN, value: number }, ...(nhs ? [{ system: NHS, value: nhs }] : [])],
  name: [{ use: 'official', family, given: [given] }],
  birthDate,
});

/**
 * Starts a record whose app at `origin` is opened by `open(tab, id)`, in a frame, as a record does. Returns `iss`, `issuer`,
 * `patients` by id, `users` whose Practitioner each is, `chosen`, the id of whom somebody chooses when they come to the app first,
 * `reads`, what was read, `refuse`, to set so that Patients are not told, and `stop()`.
 */
export async function startRecord(origin, patients) {
  const port = await freePort();
  const base = `http://localhost:${port}`;
  const record = { iss: `${base}/r4`, patients, users: {}, chosen: undefined, reads: [], refuse: false };
  const opened = new Map();
  const contexts = new Map();
  const tokens = new Map();
  const scopes = ['fhirUser', 'launch', 'launch/patient', 'patient/Patient.r', 'patient/Patient.read'];
  const provider = await startProvider(origin, {
    scopes,
    clients: [
      {
        client_id: 'somebody-elses-app',
        redirect_uris: [`${base}/their-app`],
        token_endpoint_auth_method: 'none',
        id_token_signed_response_alg: 'ES256',
      },
    ],
    settings: {
      claims: { openid: ['sub'], fhirUser: ['fhirUser'] },
      conformIdTokenClaims: false,
      extraParams: ['launch', 'aud'],
      clientBasedCORS: () => true,
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, fhirUser: `${record.iss}/Practitioner/${record.users[id] ?? id}` }) }),
    },
    observe(server) {
      server.on('authorization.success', (ctx) => {
        const { launch, aud } = ctx.oidc.params;
        const code = ctx.oidc.entities.AuthorizationCode?.jti;
        if (aud === record.iss) contexts.set(code, launch ? opened.get(launch) : record.chosen);
      });
      server.on('grant.success', (ctx) => {
        const id = contexts.get(ctx.oidc.entities.AuthorizationCode?.jti);
        const scope = ctx.body.scope ?? '';
        if (!id || !scope.includes('patient/Patient.')) return;
        tokens.set(ctx.body.access_token, id);
        ctx.body.patient = id;
      });
    },
  });
  record.issuer = provider.issuer;
  record.provider = provider;

  /** A handle that opens a person, as the record gives with `launch`. */
  record.handle = (id) => {
    const handle = `handle-${opened.size + 1}-${id}`;
    opened.set(handle, id);
    return handle;
  };
  record.address = (id) => `${origin}/launch?${new URLSearchParams({ iss: record.iss, launch: record.handle(id) })}`;
  record.open = async (tab, id) => {
    await tab.goto(`${base}/chart?${new URLSearchParams({ app: record.address(id) })}`);
    return tab.frameLocator('iframe');
  };
  record.theirApp = (id) => `${base}/their-app/launch?${new URLSearchParams({ iss: record.iss, launch: record.handle(id) })}`;

  const json = (response, status, body) =>
    response.writeHead(status, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body));
  const html = (response, body) => response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><html lang="en">${body}`);
  const server = createServer((request, response) => {
    const url = new URL(request.url, base);
    const id = url.pathname.match(/^\/r4\/Patient\/([^/]+)$/)?.[1];
    if (url.pathname === '/r4/.well-known/smart-configuration') {
      return json(response, 200, {
        issuer: provider.issuer,
        jwks_uri: `${provider.issuer}/jwks`,
        authorization_endpoint: `${provider.issuer}/auth`,
        token_endpoint: `${provider.issuer}/token`,
        grant_types_supported: ['authorization_code'],
        code_challenge_methods_supported: ['S256'],
        capabilities: ['launch-ehr', 'launch-standalone', 'client-confidential-symmetric', 'sso-openid-connect', 'context-ehr-patient', 'permission-v2'],
      });
    }
    if (id) {
      record.reads.push(id);
      const holder = tokens.get(request.headers.authorization?.replace(/^Bearer /, ''));
      if (record.refuse || holder !== id || !record.patients[id]) return json(response, 403, { resourceType: 'OperationOutcome' });
      return json(response, 200, record.patients[id]);
    }
    if (url.pathname === '/chart') {
      const app = url.searchParams.get('app').replaceAll('&', '&amp;');
      return html(response, `<title>The record</title><h1>The record</h1><iframe title="Peer" width="900" height="700" src="${app}"></iframe>`);
    }
    if (url.pathname === '/fhir-client.js') return response.writeHead(200, { 'content-type': 'text/javascript' }).end(fhirclient);
    if (url.pathname === '/their-app/launch') {
      const settings = { clientId: 'somebody-elses-app', scope: 'openid fhirUser launch patient/Patient.r', redirectUri: '/their-app' };
      return html(response, `<title>App</title><script src="/fhir-client.js"></script><script>FHIR.oauth2.authorize(${JSON.stringify(settings)})</script>`);
    }
    if (url.pathname === '/their-app') {
      return html(
        response,
        `<title>App</title><script src="/fhir-client.js"></script><p id="who"></p><script>
        FHIR.oauth2.ready().then((client) => client.patient.read().then((one) => {
          document.getElementById('who').textContent = one.name[0].family + ', read by ' + client.user.fhirUser;
        })).catch((error) => { document.getElementById('who').textContent = 'not: ' + error.message; });</script>`,
      );
    }
    return response.writeHead(404).end();
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  record.stop = async () => {
    server.closeAllConnections();
    await Promise.all([new Promise((resolve) => server.close(resolve)), provider.stop()]);
  };
  return record;
}
