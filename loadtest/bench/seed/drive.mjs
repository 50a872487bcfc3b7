// Invokes the handler as Lambda does: one event at a time, each parsed from its JSON, the next when
// the callback has been called and nothing of the last is under way any more. Connections are not
// kept, as in the runtime that the demo was written for.
import http from "node:http";
import { handler } from "./handler.mjs";

http.globalAgent = new http.Agent({ keepAlive: false });

function event(number) {
  const device = String(number % 1000).padStart(7, "0");
  return JSON.stringify({
    pressure: 500 + (number % 1000),
    viscosity: 25 + (number % 75),
    sensordatetime: new Date().toISOString().slice(0, 19),
    deviceid: `dev-${device}`,
    clientid: "7d8e2a4c-3b1f-4c5d-9e6f-0a1b2c3d4e5f",
    metakey: `key-${device}`,
    _id_: "wzCHpAvdm",
  });
}

for (let number = 0; ; number += 1) {
  const { written } = await new Promise((done, failed) => {
    handler(JSON.parse(event(number)), {}, (error, result) => (error ? failed(error) : done(result)));
  });
  await written;
}
