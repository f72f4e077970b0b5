// An OPC UA client of another stack (node-opcua) in front of our own server, for tests/connectors/opcua/test_foreign.py.
//
// node opcua_client.js <endpoint> <certificate folder> <policy> <mode>
// Prints one JSON object with what it saw: values of a subscription, a read, two writes, a call, the browsed names.
"use strict";
const opcua = require("node-opcua");

const [endpoint, folder, policy, mode] = process.argv.slice(2);
const URI = "urn:test:line";

async function main() {
  const manager = new opcua.OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
  await manager.initialize();
  const client = opcua.OPCUAClient.create({
    endpointMustExist: false, connectionStrategy: { maxRetry: 1 }, clientCertificateManager: manager,
    securityPolicy: opcua.SecurityPolicy[policy], securityMode: opcua.MessageSecurityMode[mode],
  });
  await client.connect(endpoint);
  const session = await client.createSession();
  const namespaces = await session.readNamespaceArray();
  const id = (name) => `ns=${namespaces.indexOf(URI)};s=${name}`;
  const seen = [];
  const subscription = await session.createSubscription2({
    requestedPublishingInterval: 100, requestedMaxKeepAliveCount: 10, requestedLifetimeCount: 100, publishingEnabled: true,
  });
  const item = await subscription.monitor(
    { nodeId: id("M1.speed"), attributeId: opcua.AttributeIds.Value },
    { samplingInterval: 100, discardOldest: true, queueSize: 100 }, opcua.TimestampsToReturn.Both);
  item.on("changed", (value) => seen.push([value.sourceTimestamp.getTime(), value.value.value, value.statusCode.name]));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const write = async (name, value) => (await session.write({
    nodeId: id(name), attributeId: opcua.AttributeIds.Value,
    value: { value: { dataType: opcua.DataType.Double, value } },
  })).name;
  const written = await write("M1.setpoint", 12.5);
  const fixed = await write("M1.speed", 1.0);
  const read = await session.read({ nodeId: id("M1.setpoint"), attributeId: opcua.AttributeIds.Value });
  const browsed = await session.browse(id("M1"));
  const int64 = (value) => ({
    dataType: opcua.DataType.Int64, arrayType: opcua.VariantArrayType.Scalar, value: [0, value],
  });
  const int32 = (value) => ({ dataType: opcua.DataType.Int32, value });
  const called = await session.call({
    objectId: id("M1"), methodId: id("M1.StartJob"), inputArguments: [int64(77), int64(5), int32(3), int32(20), int32(4)],
  });
  process.stdout.write(JSON.stringify({
    seen, written, fixed, read: read.value.value,
    names: browsed.references.map((reference) => reference.browseName.name),
    status: called.statusCode.name, result: called.outputArguments[0].value,
  }) + "\n");
  await subscription.terminate();
  await session.close();
  await client.disconnect();
}

main().then(() => process.exit(0), (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
