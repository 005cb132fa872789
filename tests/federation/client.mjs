// A front-end's client as a process: an operation as a line of JSON on stdin, what the client makes of its answer as a line on stdout.
// {text, variables, from: "network-only" | "cache-only", persisted} -> {data, errors, sent: [{text, hash}]}
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";

const [uri, possibleTypes, keys] = [process.argv[2], JSON.parse(process.argv[3]), JSON.parse(process.argv[4])];
let sent = [];

function recorded(address, options) {
  const body = JSON.parse(options.body);
  sent.push({ text: body.query !== undefined, hash: body.extensions?.persistedQuery?.sha256Hash ?? null });
  return fetch(address, options);
}

function client(persisted) {
  const http = new HttpLink({ uri, fetch: recorded });
  const sha256 = (text) => createHash("sha256").update(text).digest("hex");
  const typePolicies = Object.fromEntries(Object.entries(keys).map(([name, keyFields]) => [name, { keyFields }]));
  return new ApolloClient({
    link: persisted ? new PersistedQueryLink({ sha256 }).concat(http) : http,
    cache: new InMemoryCache({ possibleTypes, typePolicies }),
    defaultOptions: { query: { errorPolicy: "all" }, mutate: { errorPolicy: "all" } },
  });
}

const clients = { plain: client(false), persisted: client(true) };
for await (const line of createInterface({ input: process.stdin })) {
  const { text, variables, from, persisted } = JSON.parse(line);
  const document = gql(text);
  const one = clients[persisted ? "persisted" : "plain"];
  sent = [];
  let found;
  try {
    const changes = document.definitions.some((each) => each.operation === "mutation");
    const { data, error } = changes
      ? await one.mutate({ mutation: document, variables })
      : await one.query({ query: document, variables, fetchPolicy: from });
    found = { data, errors: CombinedGraphQLErrors.is(error) ? error.errors : error ? [{ message: String(error) }] : [] };
  } catch (error) {
    found = { failed: String(error.stack ?? error) };
  }
  process.stdout.write(JSON.stringify({ ...found, sent }) + "\n");
}
