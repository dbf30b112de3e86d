// node-hl7-client: sends the next message only when the last one is answered,
// and rejects an answer that it cannot parse.
import { Client, Message } from 'node-hl7-client';
import { ANSWER_MS_MAX, within } from '../support/deadline.mjs';

export const name = 'node-hl7-client';

export async function send({ host, port, messages, tls }) {
  const answers = [];
  let answered = () => {};
  const client = new Client({ host, tls });
  const connection = client.createConnection({ port }, (response) => {
    answered(response.getMessage().toString());
  });
  try {
    for (const text of messages) {
      const answer = new Promise((resolve, reject) => {
        answered = resolve;
        connection.once('client.error', reject);
        connection.once('error', reject);
      });
      await connection.sendMessage(new Message({ text }));
      answers.push(await within(ANSWER_MS_MAX, answer));
    }
    return answers;
  } finally {
    await connection.close();
    client.closeAll();
  }
}
