// An OpenID Provider for one test: `oidc-provider`, which is certified by the OpenID Foundation, with a page of its own on
// which whoever comes types who they are. What it says can be changed on its way out, then signed again with its own key.
import { createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { freePort } from './program.mjs';

export const SECRET = 'a secret with spaces & signs';

/** A new key on P-256: private as JWK and PEM, public as JWK. */
export function newKey(kid) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const marks = { kid, alg: 'ES256', use: 'sig' };
  return {
    kid,
    key: privateKey,
    pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    jwk: { ...privateKey.export({ format: 'jwk' }), ...marks },
    public: { ...createPublicKey(privateKey).export({ format: 'jwk' }), ...marks },
  };
}

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const read = (text) => JSON.parse(Buffer.from(text, 'base64url').toString());

/** A token in its compact form, signed with a key on P-256. */
export function signed(header, claims, key) {
  const message = `${part(header)}.${part(claims)}`;
  return `${message}.${sign('sha256', Buffer.from(message), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/**
 * Starts a provider at `localhost`, which to a browser is another site than 127.0.0.1. `origin` is where the program's pages
 * are; `clientKey` makes the program prove itself by that key instead of the secret. Returns `issuer`; `tamper`, to set to a
 * function that changes header and claims of the next ID tokens; `acr`, what its page says of how people proved themselves;
 * `scopes`, `settings` and `clients` are more of each; `observe` gets the provider.
 * `hold`, to set so that it sends no browser back and leaves in `held` where to; `exchanges`, how often it was asked for
 * tokens; `logoutToken(subject, changes)`; and `stop()`.
 */
export async function startProvider(origin, { clientKey, scopes = [], settings = {}, clients = [], observe } = {}) {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const key = newKey('provider-1');
  const state = { issuer, tamper: undefined, acr: undefined, exchanges: 0 };
  const byKey = { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks: { keys: [clientKey?.public] } };
  const client = {
    client_id: 'alongside',
    redirect_uris: [`${origin}/sign-in/return`],
    backchannel_logout_uri: `${origin}/sign-in/ended`,
    backchannel_logout_session_required: true,
    id_token_signed_response_alg: 'ES256',
    ...(clientKey ? byKey : { client_secret: SECRET }),
  };
  const provider = new Provider(issuer, {
    clients: [client, ...clients],
    jwks: { keys: [key.jwk] },
    pkce: { required: () => true, methods: ['S256'] },
    acrValues: ['AAL2', 'AAL3'],
    cookies: { keys: ['for a test'] },
    features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org` }) }),
    // Nobody is asked what may be told: an organisation has agreed for its people.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope(['openid', ...scopes].join(' '));
      await grant.save();
      return grant;
    },
    ...(scopes.length > 0 ? { scopes: ['openid', ...scopes] } : {}),
    ...settings,
  });
  observe?.(provider, state);
  provider.use(async (ctx, next) => {
    await next();
    const to = ctx.response.get('location');
    if (state.hold && to.startsWith(`${origin}/sign-in/return`)) {
      ctx.remove('location');
      [state.held, ctx.status, ctx.type, ctx.body] = [to, 200, 'text/html', '<!doctype html><p>held</p>'];
    }
    if (ctx.oidc?.route !== 'token') return;
    state.exchanges += 1;
    if (!state.tamper || !ctx.body?.id_token) return;
    const [header, claims] = ctx.body.id_token.split('.').slice(0, 2).map(read);
    const changed = state.tamper({ header, claims }) ?? { header, claims };
    ctx.body.id_token = changed.token ?? signed(changed.header, changed.claims, changed.key ?? key.key);
  });
  const callback = provider.callback();
  const server = createServer((request, response) => {
    const page = request.url.startsWith('/interaction/') ? interaction(provider, state, request, response) : callback(request, response);
    Promise.resolve(page).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const seconds = () => Math.floor(Date.now() / 1000);
  state.logoutToken = (sub, { header, ...claims } = {}) =>
    signed(
      { alg: 'ES256', kid: key.kid, typ: 'logout+jwt', ...header },
      {
        iss: issuer,
        aud: 'alongside',
        iat: seconds(),
        exp: seconds() + 120,
        jti: randomUUID(),
        sub,
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        ...claims,
      },
      key.key,
    );
  state.stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return state;
}

async function interaction(provider, state, request, response) {
  if (request.method === 'GET') {
    response.writeHead(200, { 'content-type': 'text/html' });
    return response.end(
      '<!doctype html><html lang="en"><title>The trust</title><form method="post"><label>Who are you? <input name="who"></label>' +
        '<button>Sign in</button></form>',
    );
  }
  let body = '';
  for await (const chunk of request) body += chunk;
  const accountId = new URLSearchParams(body).get('who');
  const answer = accountId
    ? { login: { accountId, acr: state.acr } }
    : { error: 'access_denied', error_description: 'they went away' };
  return provider.interactionFinished(request, response, answer, { mergeWithLastSubmission: false });
}
