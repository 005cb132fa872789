"""What the four subgraphs say of themselves. Must not know how they answer."""

from __future__ import annotations

LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n'
SDL = {
    "register": LINK
    + """
    type Query { enterprise(uscc: ID!): Enterprise  enterprises(first: Int!, offset: Int!): [Enterprise!]! }
    type Enterprise @key(fields: "uscc") { uscc: ID!  qymc: String!  zs: String  djzt: String  fddbr: Person }
    type Person { xm: String  zjlx: String }
    """,
    "credit": LINK
    + """
    type Enterprise @key(fields: "uscc") { uscc: ID!  credit: Credit }
    type Credit { pf: Int  dj: String  pjsj: String }
    """,
    "permits": LINK
    + """
    type Enterprise @key(fields: "uscc") { uscc: ID!  permits: [Permit!] }
    type Permit { bh: ID!  mc: String  fzrq: String  yxqz: String  jg: String }
    """,
    "inspections": LINK
    + """
    type Enterprise @key(fields: "uscc") { uscc: ID!  inspections: [Inspection!] }
    type Inspection { jcbh: ID!  rq: String  jg: String }
    """,
}
