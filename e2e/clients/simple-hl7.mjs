// simple-hl7: takes an answer to be whole only when a read ends in FS CR, so an answer
// that arrives in the same packet as another one is lost on it.
import simple from 'simple-hl7';
import { ANSWER_MS_MAX, within } from '../support/deadline.mjs';

export const name = 'simple-hl7';

export async function send({ host, port, messages }) {
  const client = simple.Server.createTcpClient({ host, port, keepalive: true });
  const parser = new simple.Parser({ segmentSeperator: '\r' });
  try {
    const answers = [];
    for (const message of messages) {
      const answer = new Promise((resolve, reject) => {
        client.send(parser.parse(message), (error, ack) => (error ? reject(error) : resolve(ack.toString())));
      });
      answers.push(await within(ANSWER_MS_MAX, answer));
    }
    return answers;
  } finally {
    client.close();
  }
}
