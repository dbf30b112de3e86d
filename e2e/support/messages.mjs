// Messages of the two simulated senders, written by hand: small, in each one's dialect, with whatever a test wants in them.
import { message } from './mllp.mjs';

const stamp = '20260105101500';
let count = 0;

/** A control id that was not used before. */
export function controlId(prefix = 'E2E') {
  count += 1;
  return `${prefix}${String(count).padStart(6, '0')}`;
}

/** MSH as Millennium writes it. */
export function header(kind, id, { processing = 'P', application = 'CERNER' } = {}) {
  return `MSH|^~\\&|${application}|RQM|ALONGSIDE|PEER SUPPORT|${stamp}||${kind}|${id}|${processing}|2.3||||||ASCII`;
}

/** PID as Millennium writes it. */
export function pid({ mrn, nhs, family = 'Zztest', given = 'Invented', born = '19800101', street = '1 Mews', died = '' }) {
  const number = nhs ? `~${nhs}^^^NHSNBR^NHSNMBR` : '';
  const name = `${family}^${given}^""^""^Ms^""^CURRENT`;
  const verified = nhs ? 'NSTS01' : '';
  const home = `${street}^""^LONDON^""^SW3 5QX^GBR^HOME`;
  return `PID|1|${mrn}^^^RQM MRN^MRN|${mrn}^^^RQM MRN^MRN${number}||${name}|""|${born}|2|""|""|${home}|""|07700 900263^HOME|""|""|""|""|""|""|""|""|""|""|""|""|""|""|""|${died}|${died ? 'Y' : 'N'}||${verified}`;
}

/** An ADT message of Chelsea and Westminster, at a ward that is not the HIV clinic. */
export function admission(trigger, who, { id = controlId(), more = [] } = {}) {
  return message(header(`ADT^${trigger}`, id), `EVN|${trigger}|${stamp}`, pid(who), `PV1|1|INPATIENT|NELLMEERS^Bay 2^""^RQM|||||||||||||||||V${id}`, ...more);
}

/** One laboratory result. */
export function result(who, code, value, { id = controlId(), status = 'F', number = id, processing } = {}) {
  return message(
    header('ORU^R01', id, { processing }),
    pid(who),
    'PV1|1|OUTPATIENT|KOBLER^""^""^RQM',
    `OBR|1|P${number}^HNAM_ORDERID|${number}^WinPath|VSER^Virology serology^WinPath|||${stamp}|||||||${stamp}||C9999998^Example^Jo||||||${stamp}||LAB|F`,
    `OBX|1|ST|${code}^A test^WinPath||${value}||||||${status}|||${stamp}`,
  );
}

/** The result by which somebody becomes a person for whom the service is. */
export const confirmed = (who, options) => result(who, 'HIVCF', 'HIV-1 CONFIRMED', options);

/** An NHS number of the range that is never given out (999), from six digits; undefined where its check digit would be 10. */
export function nhsNumber(six) {
  const digits = `999${String(six).padStart(6, '0')}`;
  const sum = [...digits].reduce((sum, digit, index) => sum + Number(digit) * (10 - index), 0);
  const check = (11 - (sum % 11)) % 11;
  return check === 10 ? undefined : `${digits}${check}`;
}

/** MSA-1 and MSA-2 of an answer. */
export function answered(text) {
  const fields = text.split('\r').find((segment) => segment.startsWith('MSA|'))?.split('|') ?? [];
  return [fields[1], fields[2]];
}

/** MSH-10 of a message. */
export function controlIdOf(bytes) {
  return Buffer.from(bytes.subarray(0, 400)).toString('latin1').split('\r')[0].split('|')[9];
}
