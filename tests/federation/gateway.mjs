// The reference gateway as a process: a line {supergraph, urls, query, variables} on stdin, a line with its answer on stdout.
import { createInterface } from "node:readline";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { parse } from "graphql";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const gateways = new Map();

async function opened(supergraph, urls) {
  if (!gateways.has(supergraph)) {
    const at = new Map();
    const gateway = new ApolloGateway({
      supergraphSdl: supergraph,
      logger: silent,
      buildService: ({ name }) => new RemoteGraphQLDataSource({ url: at.get(name) }),
    });
    gateways.set(supergraph, { gateway, at });
  }
  const { gateway, at } = gateways.get(supergraph);
  for (const [name, url] of Object.entries(urls)) at.set(name, url);
  const { executor } = await gateway.load();
  gateways.delete(supergraph);
  return { executor, gateway };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { supergraph, urls, query, variables } = JSON.parse(line);
  let answer;
  try {
    const { executor, gateway } = await opened(supergraph, urls);
    const request = { query, variables };
    answer = await executor({ request, document: parse(query), queryHash: query, operationName: null, context: {}, cache: new Map(), logger: silent, metrics: {}, operation: parse(query).definitions[0], schema: gateway.schema });
    await gateway.stop();
  } catch (error) {
    answer = { failed: String(error.stack ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
