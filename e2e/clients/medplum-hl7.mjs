// @medplum/hl7: one connection, each answer matched to its message by MSA-2.
// It refuses an answer whose MSA-2 is not the MSH-10 that it sent.
import { Hl7Client } from '@medplum/hl7';
import { Hl7Message } from '@medplum/core';
import { ANSWER_MS_MAX, within } from '../support/deadline.mjs';

export const name = '@medplum/hl7';

export async function send({ host, port, messages }) {
  const client = new Hl7Client({ host, port, keepAlive: true });
  try {
    const answers = [];
    for (const message of messages) {
      const answer = await within(ANSWER_MS_MAX, client.sendAndWait(Hl7Message.parse(message)));
      answers.push(answer.toString());
    }
    return answers;
  } finally {
    await client.close();
  }
}
