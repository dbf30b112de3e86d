// Other people's MLLP clients, all behind one call:
// `send({ host, port, messages }) → answers`, one answer for each message, in order.
// A message is its text with CR after each segment, without the frame; so is an answer.
import * as medplum from './medplum-hl7.mjs';
import * as mllpSend from './mllp-send.mjs';
import * as nodeHl7 from './node-hl7-client.mjs';
import * as simple from './simple-hl7.mjs';

export const clients = [mllpSend, nodeHl7, simple, medplum];

/** The value of `MSA-1` in an answer (AA, AE, AR, CA …), or undefined when there is no MSA. */
export function acknowledgementCode(answer) {
  return segment(answer, 'MSA')?.[1];
}

/** The value of `MSA-2`: the control id of the message that is answered. */
export function answeredControlId(answer) {
  return segment(answer, 'MSA')?.[2];
}

function segment(answer, id) {
  return answer
    .split(/[\r\n]+/)
    .map((line) => line.split('|'))
    .find((fields) => fields[0] === id);
}
