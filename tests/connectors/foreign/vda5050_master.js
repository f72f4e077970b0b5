// A VDA 5050 master control of another make (vda-5050-lib) in front of our vehicles, for tests/connectors/vda5050/test_foreign.py.
//
// node vda5050_master.js <broker url> <user> <password> <manufacturer> <serial> <orders as JSON>
// Checks every message by the standard's schemas, hands over each order (or update) once the one before it has shown in a state,
// then asks to cancel. Prints one line of JSON for each order as it is seen in a state, for what is malformed, and for the end.
"use strict";
const vda = require("vda-5050-lib");

const [url, username, password, manufacturer, serialNumber, text] = process.argv.slice(2);
const agv = { manufacturer, serialNumber };
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

async function main() {
  const master = new vda.MasterControlClient({
    interfaceName: "uagv", vdaVersion: "2.0.0",
    transport: { brokerUrl: url, protocolVersion: "3.1.1", username, password, heartbeat: 5 },
    topicObjectValidation: { inbound: false, outbound: true },
  });
  await master.start();
  say({ ready: true });
  const orders = JSON.parse(text);
  let next = 0;
  let cancelling = false;
  await master.subscribe(vda.Topic.Connection, agv, (message) => check(master, vda.Topic.Connection, message));
  await master.subscribe(vda.Topic.State, agv, async (state) => {
    check(master, vda.Topic.State, state);
    const before = orders[next - 1];
    const seen = before === undefined
      || (state.orderId === before.orderId && state.orderUpdateId === before.orderUpdateId);
    const cancelled = state.actionStates.find((action) => action.actionId === "cancelOrder-900");
    if (cancelled !== undefined) {
      say({ cancelled: cancelled.actionStatus });
      process.exit(0);
    }
    if (!seen || cancelling) return;
    if (before !== undefined) {
      const released = (things) => things.map((thing) => thing.released);
      say({ update: state.orderUpdateId, nodes: released(state.nodeStates), edges: released(state.edgeStates),
            actions: state.actionStates.map((a) => a.actionType), errors: state.errors.length });
    }
    if (next < orders.length) {
      next += 1;
      await master.publish(vda.Topic.Order, agv, orders[next - 1]);
    } else {
      cancelling = true;
      const action = { actionType: "cancelOrder", actionId: "cancelOrder-900", blockingType: vda.BlockingType.Hard, actionParameters: [] };
      await master.publish(vda.Topic.InstantActions, agv, { instantActions: [action] });
    }
  });
}

function check(master, topic, message) {
  try {
    master.validateTopicObject(topic, message, "2.0.0");
  } catch (error) {
    say({ malformed: `${topic}: ${error.message}` });
  }
}

process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
