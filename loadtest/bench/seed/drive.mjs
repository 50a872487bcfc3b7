// Calls the handler over and over, so many calls at the same time, as Lambda would: each with the
// event already decoded.
import { handler } from "./handler.mjs";

const AT_ONCE = 32;
let number = 0;

async function caller() {
  for (;;) {
    number += 1;
    const device = String(number % 1000).padStart(7, "0");
    await handler({
      pressure: String(500 + (number % 1000)),
      viscosity: String(25 + (number % 75)),
      sensordatetime: new Date().toISOString().slice(0, 19),
      deviceid: `dev-${device}`,
      clientid: "7d8e2a4c-3b1f-4c5d-9e6f-0a1b2c3d4e5f",
      metakey: `key-${device}`,
    });
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, caller));
