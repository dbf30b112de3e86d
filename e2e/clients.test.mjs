// The tools of the other tests, tried without our program.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledgementCode, answeredControlId, clients } from './clients/index.mjs';
import { respond } from './support/responder.mjs';

const message = (id) =>
  [
    `MSH|^~\\&|SENDER|HOSPITAL|ALONGSIDE|CHARITY|20241001120000||ADT^A04|${id}|P|2.4`,
    'EVN|A04|20241001120000',
    'PID|1||H0001^^^HOSPITAL^MR||ZZTEST^INVENTED||19800101|F',
    'PV1|1|O',
    '',
  ].join('\r');

for (const client of clients) {
  test(`${client.name} sends whole messages and takes the answers to them`, { timeout: 60_000 }, async () => {
    const receiver = await respond();
    try {
      const answers = await client.send({
        host: '127.0.0.1',
        port: receiver.port,
        messages: [message('M1'), message('M2')],
      });
      assert.deepEqual(answers.map(acknowledgementCode), ['AA', 'AA']);
      assert.deepEqual(answers.map(answeredControlId), ['M1', 'M2']);
      assert.equal(receiver.received.length, 2);
      assert.match(receiver.received[0], /\rPID\|1\|\|H0001/);
    } finally {
      receiver.close();
    }
  });
}
