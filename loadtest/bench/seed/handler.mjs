// What the 2020 demo's Lambda function does with one message, written anew: a GetItem per message,
// a client of InfluxDB per message, a write of one point, and everything it sees in the log. One
// thing differs, in its favour: a failed write ends the run instead of being lost.
import AWS from "aws-sdk";
import { FieldType, InfluxDB } from "influx";

const dynamodb = new AWS.DynamoDB({ endpoint: process.env.DYNAMODB_URL });
const influxdb = new URL(process.env.INFLUXDB_URL);

export function handler(event, context, callback) {
  console.log(event);
  const pressure = JSON.parse(event.pressure);
  const viscosity = JSON.parse(event.viscosity);
  const tags = { sensorID: JSON.stringify(event.deviceid) + JSON.stringify(event.clientid) };
  const key = { metakey: { S: event.metakey } };
  dynamodb.getItem({ TableName: process.env.TABLE, Key: key }, (error, found) => {
    if (error) {
      console.log(error);
    } else {
      console.log(found);
      const record = AWS.DynamoDB.Converter.unmarshall(found.Item);
      console.log(record);
      for (const [name, value] of Object.entries(record)) {
        console.log(`${name} : ${value}`);
        tags[name] = value;
      }
    }
    callback(null, { written: store(pressure, viscosity, tags) });
  });
}

function store(pressureValue, viscosity, tags) {
  console.log("Executing Influx insert");
  const client = new InfluxDB({
    database: "telemetry",
    username: "telemetry",
    password: "telemetry",
    port: Number(influxdb.port),
    hosts: [{ host: influxdb.hostname, port: Number(influxdb.port) }],
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
  return written;
}
