// Supergraphs as they were composed before: join v0.1 by federation 1, join v0.2 by federation 2.0.
// Reads {name: {subgraph: SDL}} as JSON on stdin, writes {name: {"v0.1": supergraph, "v0.2": supergraph}} on stdout.
import { readFileSync } from "node:fs";
import composition from "@apollo/composition";
import federation from "@apollo/federation";
import { parse } from "graphql";

const found = {};
for (const [name, subgraphs] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const services = () => Object.entries(subgraphs).map(([subgraph, sdl]) => ({ name: subgraph, url: `http://${subgraph}.example/graphql`, typeDefs: parse(sdl) }));
  const first = federation.composeAndValidate(services());
  const second = composition.composeServices(services());
  if (first.errors || second.errors) throw new Error([...(first.errors ?? []), ...(second.errors ?? [])].join("\n"));
  found[name] = { "v0.1": first.supergraphSdl, "v0.2": second.supergraphSdl };
}
process.stdout.write(JSON.stringify(found));
