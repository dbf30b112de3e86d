// The simplest receiver: answers AA to each frame. It shows what a client sends and expects
// without our program, so that a failing client test says whose fault it is.
import { createServer } from 'node:net';

/** Listens on a free port of the loopback address; `received` grows by the text of each message. */
export function respond() {
  const received = [];
  const sockets = new Set();
  const server = createServer((socket) => {
    let waiting = '';
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk) => {
      waiting += chunk;
      for (let end = waiting.indexOf('\x1c\r'); end >= 0; end = waiting.indexOf('\x1c\r')) {
        const message = waiting.slice(waiting.indexOf('\x0b') + 1, end);
        waiting = waiting.slice(end + 2);
        received.push(message);
        socket.write(answer(message));
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const close = () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      };
      resolve({ port: server.address().port, received, close });
    });
  });
}

function answer(message) {
  const fields = message.split('\r')[0].split('|');
  const msh = (position) => fields[position - 1] ?? '';
  const header = ['MSH', msh(2), 'RESPONDER', '', msh(3), msh(4), msh(7), '', 'ACK', `A${msh(10)}`, msh(11), msh(12)];
  return `\x0b${header.join('|')}\rMSA|AA|${msh(10)}\r\x1c\r`;
}
