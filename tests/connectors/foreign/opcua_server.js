// An OPC UA server of another stack (node-opcua) for tests/connectors/opcua/test_foreign.py.
//
// node opcua_server.js <port> <certificate folder>
// Small limits, a few hundred variables, one that may not be written, one that refuses every value, one of each numeric
// type, a method, an anonymous and an encrypted way in. Prints "ready" once it listens; ends on SIGTERM.
"use strict";
const opcua = require("node-opcua");

const [port, folder] = [Number(process.argv[2]), process.argv[3]];
const LIMIT = 100;
const COUNT = 250;
const PERIOD_MS = 100;
const URI = "urn:test:foreign";

const types = ["Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Float", "Double"];

function variable(namespace, parent, name, dataType, value, more = {}) {
  const made = namespace.addVariable({
    componentOf: parent, browseName: name, nodeId: `s=${name}`, dataType, minimumSamplingInterval: 50, ...more,
  });
  made.setValueFromSource({ dataType: opcua.DataType[dataType], value });
  return made;
}

function fill(space) {
  const namespace = space.registerNamespace(URI);
  const unit = namespace.addObject({ organizedBy: space.rootFolder.objects, browseName: "Unit", nodeId: "s=Unit" });
  for (const type of types) {
    variable(namespace, unit, `Unit.${type}`, type, type === "Boolean" ? false : 0);
  }
  const fixed = opcua.makeAccessLevelFlag("CurrentRead");
  variable(namespace, unit, "Unit.fixed", "Double", 7, { accessLevel: fixed, userAccessLevel: fixed });
  variable(namespace, unit, "Unit.text", "String", "hello");
  const counter = namespace.addVariable({
    componentOf: unit, browseName: "count", nodeId: "s=Unit.count", dataType: "Int32", minimumSamplingInterval: 20,
  });
  namespace.addVariable({
    componentOf: unit, browseName: "stubborn", nodeId: "s=Unit.stubborn", dataType: "Double",
    minimumSamplingInterval: 100,
    value: {
      get: () => new opcua.Variant({ dataType: opcua.DataType.Double, value: 1 }),
      set: () => opcua.StatusCodes.BadOutOfRange,
    },
  });
  namespace.addVariable({
    componentOf: unit, browseName: "forgetful", nodeId: "s=Unit.forgetful", dataType: "Double",
    minimumSamplingInterval: 100,
    value: {
      get: () => new opcua.Variant({ dataType: opcua.DataType.Double, value: 1 }),
      set: () => opcua.StatusCodes.Good,
    },
  });
  const broken = namespace.addVariable({
    componentOf: unit, browseName: "broken", nodeId: "s=Unit.broken", dataType: "Double", minimumSamplingInterval: 50,
  });
  broken.setValueFromSource(
    { dataType: opcua.DataType.Double, value: 3 }, opcua.StatusCodes.BadSensorFailure, new Date());
  const many = [];
  for (let n = 0; n < COUNT; n++) {
    many.push(variable(namespace, unit, `Unit.v${n}`, "Double", 0));
  }
  let count = 0;
  const tick = () => {
    count += 1;
    const now = new Date();
    counter.setValueFromSource({ dataType: opcua.DataType.Int32, value: count }, opcua.StatusCodes.Good, now);
    for (const [n, one] of many.entries()) {
      one.setValueFromSource({ dataType: opcua.DataType.Double, value: count + n / 1000 }, opcua.StatusCodes.Good, now);
    }
  };
  tick(); // a client that is there before the first period must not read "waiting for initial data"
  setInterval(tick, PERIOD_MS);
  const int64 = (name) => ({ name, dataType: opcua.DataType.Int64 });
  const int32 = (name) => ({ name, dataType: opcua.DataType.Int32 });
  const start = namespace.addMethod(unit, {
    browseName: "StartJob", nodeId: "s=Unit.StartJob",
    inputArguments: [int64("key"), int64("lot"), int32("product"), int32("operation"), int32("quantity")],
    outputArguments: [int32("result")],
  });
  start.bindMethod(async (given, _context) => {
    const product = given[2].value;  // the product says how to answer, so that a test can ask for each way
    if (product === 99) await new Promise((resolve) => setTimeout(resolve, 30000));
    if (product === 98) return { statusCode: opcua.StatusCodes.BadInvalidState };
    return {
      statusCode: opcua.StatusCodes.Good,
      outputArguments: [{ dataType: opcua.DataType.Int32, value: product === 5 ? 0 : 2 }],
    };
  });
}

async function main() {
  const manager = new opcua.OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  await manager.initialize();
  const server = new opcua.OPCUAServer({
    port, hostname: "127.0.0.1", serverCertificateManager: manager, allowAnonymous: true,
    securityPolicies: [
      opcua.SecurityPolicy.None, opcua.SecurityPolicy.Basic256Sha256, opcua.SecurityPolicy.Aes128_Sha256_RsaOaep,
      opcua.SecurityPolicy.Aes256_Sha256_RsaPss,
    ],
    securityModes: [
      opcua.MessageSecurityMode.None, opcua.MessageSecurityMode.Sign, opcua.MessageSecurityMode.SignAndEncrypt,
    ],
    userManager: { isValidUser: (user, password) => user === "operator" && password === "right horse" },
    serverCapabilities: {
      operationLimits: {
        maxNodesPerRead: LIMIT, maxNodesPerWrite: LIMIT, maxNodesPerBrowse: LIMIT, maxMonitoredItemsPerCall: LIMIT,
      },
    },
  });
  await server.initialize();
  fill(server.engine.addressSpace);
  await server.start();
  process.stdout.write("ready\n");
  process.on("SIGTERM", async () => {
    await server.shutdown(0);
    process.exit(0);
  });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
