// A VDA 5050 vehicle of another make (vda-5050-lib) in front of our master control, for tests/connectors/vda5050/test_foreign.py.
//
// node vda5050_vehicle.js <broker url> <user> <password> <manufacturer> <serial> <node id> <x> <y> <map id>
// Says "ready" once it is on the broker; ends with its standard input.
"use strict";
const vda = require("vda-5050-lib");

const [url, username, password, manufacturer, serialNumber, lastNodeId, x, y, mapId] = process.argv.slice(2);

async function main() {
  const client = {
    interfaceName: "uagv", vdaVersion: "2.0.0",
    transport: { brokerUrl: url, protocolVersion: "3.1.1", username, password, heartbeat: 5 },
  };
  const vehicle = { agvAdapterType: vda.VirtualAgvAdapter, publishStateInterval: 500, publishVisualizationInterval: 0 };
  const adapter = {
    initialPosition: { mapId, x: Number(x), y: Number(y), theta: 0, lastNodeId }, vehicleSpeed: 2, tickRate: 10, timeLapse: 2,
    initialBatteryCharge: 90,
  };
  const controller = new vda.AgvController({ manufacturer, serialNumber }, client, vehicle, adapter);
  await controller.start();
  process.stdout.write("ready\n");
}

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
