// {name: {sdl, url}} as JSON on stdin, the composed supergraph on stdout.
import { readFileSync } from "node:fs";
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";

const given = Object.entries(JSON.parse(readFileSync(0, "utf8")));
const made = composeServices(given.map(([name, { sdl, url }]) => ({ name, url, typeDefs: parse(sdl) })));
if (made.errors) throw new Error(made.errors.join("\n"));
process.stdout.write(made.supergraphSdl);
