// Messages on their way: each has an id of the page's own, so that one that is sent again is not written twice.

/** A new id; randomUUID is missing over plain HTTP. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What was handed to `send` and did not come back yet, in order; `changed` is called whenever that is other. */
export function outbox(send, changed) {
  const waiting = new Map();

  function put(id, message) {
    waiting.set(id, message);
    send({ ...message, client_id: id });
    changed();
  }

  return {
    get waiting() { return [...waiting.values()]; },

    get ids() { return [...waiting.keys()]; },

    put,

    /** Send what did not come back, now that there is a connection again. */
    again() {
      for (const [id, message] of waiting) send({ ...message, client_id: id });
    },

    /** Return a message that is not on its way any more: it was stored, or refused. */
    take(id) {
      const message = waiting.get(id);
      if (waiting.delete(id)) changed();
      return message;
    },
  };
}
