// Questions to a database file, by way of Python: its standard library has SQLite, and Node 20's has not.
import { execFileSync } from 'node:child_process';
import { inRepository } from './program.mjs';

/** The one that mllp_send runs on, quickly: without looking for anybody's packages. */
const PYTHON = [inRepository('target/venv/bin/python'), '-I', '-S'];

const ASK = `
import json, sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(json.dumps([connection.execute(sql).fetchall() for sql in json.loads(sys.argv[2])]))
`;

/** The rows of each statement, as lists of values. The service may be running meanwhile. */
export function askAll(file, statements) {
  const answer = execFileSync(PYTHON[0], [...PYTHON.slice(1), '-c', ASK, file, JSON.stringify(statements)], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  return JSON.parse(answer);
}

/** The rows of one statement. */
export function ask(file, statement) {
  return askAll(file, [statement])[0];
}

/** The one value of one statement. */
export function askOne(file, statement) {
  return ask(file, statement)[0]?.[0];
}

const CHANGE = `
import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("VACUUM INTO ?", (sys.argv[2],))
with sqlite3.connect(sys.argv[2]) as copy: copy.execute(sys.argv[3])
`;

/** Copies a database file, that may be in use, and changes the copy as somebody does who has the file and no key. */
export function changedCopy(file, copy, statement) {
  execFileSync(PYTHON[0], [...PYTHON.slice(1), '-c', CHANGE, file, copy, statement]);
  return copy;
}
