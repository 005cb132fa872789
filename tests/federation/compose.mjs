// The supergraphs of the estates, by the reference composition library, and the schema that their clients see.
// Reads {name: {subgraph: SDL or {sdl, url}}} as JSON on stdin, writes {name: {supergraph, api} | {errors}} on stdout.
import { readFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { ROUTER_SUPPORTED_SUPERGRAPH_FEATURES, Supergraph } from "@apollo/federation-internals";
import { composeServices as composeByHive } from "@theguild/federation-composition";
import { parse, printSchema } from "graphql";

const found = {};
for (const [name, subgraphs] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const services = Object.entries(subgraphs).map(([subgraph, given]) => {
    const { sdl, url } = typeof given === "string" ? { sdl: given, url: `http://${subgraph}.example/graphql` } : given;
    return { name: subgraph, url, typeDefs: parse(sdl) };
  });
  const made = composeServices(services);
  const other = composeByHive(services);
  if (made.errors) {
    found[name] = { errors: made.errors.map(String) };
    continue;
  }
  const api = printSchema(Supergraph.build(made.supergraphSdl, { supportedFeatures: ROUTER_SUPPORTED_SUPERGRAPH_FEATURES }).apiSchema().toGraphQLJSSchema());
  found[name] = { supergraph: made.supergraphSdl, api, other: other.supergraphSdl ?? null, otherErrors: (other.errors ?? []).map(String) };
}
process.stdout.write(JSON.stringify(found));
