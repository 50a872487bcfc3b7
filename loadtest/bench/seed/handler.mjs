// What the 2020 demo's Lambda function does with one message, written anew: a GetItem per message,
// a client of InfluxDB per message, a write of one point, and everything it sees in the log. Two
// things differ in its favour: the write is awaited, so that writes do not pile up, and nothing is
// counted for being invoked.
import AWS from "aws-sdk";
import { FieldType, InfluxDB } from "influx";

const dynamodb = new AWS.DynamoDB({ endpoint: process.env.DYNAMODB_URL });
const influxdb = new URL(process.env.INFLUXDB_URL);

export async function handler(event) {
  console.log(event);
  const tags = { sensorID: JSON.stringify(event.deviceid) + JSON.stringify(event.clientid) };
  const found = await dynamodb
    .getItem({ TableName: process.env.TABLE, Key: { metakey: { S: event.metakey } } })
    .promise();
  console.log(found);
  const record = AWS.DynamoDB.Converter.unmarshall(found.Item);
  console.log(record);
  for (const [name, value] of Object.entries(record)) {
    console.log(`${name} : ${value}`);
    tags[name] = value;
  }
  await store(JSON.parse(event.pressure), JSON.parse(event.viscosity), tags);
}

async function store(pressureValue, viscosity, tags) {
  console.log("Executing Influx insert");
  const client = new InfluxDB({
    hosts: [{ host: influxdb.hostname, port: Number(influxdb.port) }],
    database: "telemetry",
    username: "telemetry",
    password: "telemetry",
    schema: [
      {
        measurement: "pressure",
        fields: { pressureValue: FieldType.FLOAT, viscosity: FieldType.FLOAT },
        tags: Object.keys(tags),
      },
    ],
  });
  const written = client.writePoints([
    { measurement: "pressure", tags, fields: { pressureValue, viscosity } },
  ]);
  console.log("Finished executing");
  await written;
}
