// MLLP as a sending system speaks it: one message, then its answer, then the next. And bytes as they are, for what no
// client would send.
import { connect as dial } from 'node:net';
import { ANSWER_MS_MAX, within } from './deadline.mjs';

const START = 0x0b;
const END = 0x1c;

/** The connection was lost before the answer came: nobody knows whether the message was taken. */
export class Unanswered extends Error {}

/** A message as a frame; text is taken for UTF-8. */
export function frame(message) {
  return Buffer.concat([Buffer.from([START]), Buffer.from(message), Buffer.from([END, 0x0d])]);
}

/** The messages of a file of frames, as bytes. */
export function messagesIn(bytes) {
  const messages = [];
  for (let at = bytes.indexOf(START); at >= 0; at = bytes.indexOf(START, at)) {
    const end = bytes.indexOf(END, at);
    messages.push(bytes.subarray(at + 1, end));
    at = end;
  }
  return messages;
}

/** Segments as a message: CR after each. */
export function message(...segments) {
  return segments.map((segment) => `${segment}\r`).join('');
}

/** Connects. `write` sends bytes, `answer` waits for the next answer, `send` does both with a frame around. */
export function connect(port, host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const socket = dial({ port, host, noDelay: true });
    const answers = [];
    const waiting = [];
    let read = Buffer.alloc(0);
    let lost = false;
    socket.on('data', (chunk) => {
      read = Buffer.concat([read, chunk]);
      for (let end = read.indexOf(END); end >= 0; end = read.indexOf(END)) {
        const text = read.subarray(read.indexOf(START) + 1, end).toString('latin1');
        read = read.subarray(end + 2);
        const taker = waiting.shift();
        if (taker) taker.resolve(text);
        else answers.push(text);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      lost = true;
      for (const taker of waiting.splice(0)) taker.reject(new Unanswered('the connection was closed'));
    });
    const answer = (ms = ANSWER_MS_MAX) => {
      if (answers.length > 0) return Promise.resolve(answers.shift());
      if (lost) return Promise.reject(new Unanswered('the connection is closed'));
      return within(ms, new Promise((resolve, reject) => waiting.push({ resolve, reject })));
    };
    const write = (bytes) => socket.write(bytes);
    const send = (text) => {
      write(frame(text));
      return answer();
    };
    socket.once('error', reject);
    socket.once('connect', () => {
      resolve({ write, answer, send, unread: answers, end: () => socket.end(), close: () => socket.destroy() });
    });
  });
}

/** Connects to something that is just starting. */
export async function connectSoon(port, attempts = 200) {
  for (;;) {
    try {
      return await connect(port);
    } catch (error) {
      attempts -= 1;
      if (attempts === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
