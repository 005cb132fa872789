// Runs graphql-http's audits of the GraphQL-over-HTTP specification against a running endpoint: node audit.mjs '{"url"}'

import { createRequire } from 'node:module'

const require = createRequire(new URL('../../explorer/package.json', import.meta.url))
const { auditServer } = require('graphql-http')

const { url } = JSON.parse(process.argv[2])
const results = await auditServer({ url, fetchFn: fetch })
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))))
