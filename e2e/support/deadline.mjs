/** What `promise` gives, or an error once `ms` have gone by: so that what holds a socket open is closed. */
export async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a client waits for one answer. */
export const ANSWER_MS_MAX = 10_000;
