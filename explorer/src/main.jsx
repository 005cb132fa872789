// The query page: GraphiQL with the hub's own head, where the caller's token is put.
// Everything it keeps (token, tabs, history) lives in sessionStorage and goes with the tab: queries hold identifiers of people and
// enterprises, and counters share computers.

import 'graphiql/setup-workers/vite'
import { GraphiQL } from 'graphiql'
import { parse } from 'graphql'
import { useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import 'graphiql/style.css'
import './page.css'

const ENDPOINT = document.querySelector('meta[name="endpoint"]').content
const TOKEN = 'hub:token'

const FIRST_QUERY = `# 按 Ctrl-Enter 执行，应答在右侧；数据模型见左侧书本图标。
# Ctrl-Enter runs the query. The book on the left
# holds the schema.
#
# address 与 score 为 L2 级，填写访问令牌后可见。
# address and score are L2: they need a token.
query Overview {
  hub {
    me { client audience grade }
    systems { name title owner }
  }
  enterprises(first: 3) {
    totalCount
    nodes {
      uscc
      name
      status
      address
      creditScore { grade score }
      licences(first: 2) {
        totalCount
        nodes { name validUntil }
      }
    }
  }
}
`

/** Send one request with the token of the moment; a refusal's body is an answer too. */
async function send(request, token) {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/graphql-response+json, application/json;q=0.9',
  }
  if (token) headers.authorization = `Bearer ${token}`
  const response = await fetch(ENDPOINT, { method: 'POST', headers, body: JSON.stringify(request) })
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return { errors: [{ message: `HTTP ${response.status}: ${text.slice(0, 200)}` }] }
  }
}

/** A subscription, by server-sent events: one answer after the other, until there are no more or the page has enough. */
async function* listen(request, token) {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
  if (token) headers.authorization = `Bearer ${token}`
  const stop = new AbortController()
  try {
    const response = await fetch(ENDPOINT, { method: 'POST', headers, body: JSON.stringify(request), signal: stop.signal })
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      yield await response.json()
      return
    }
    const parts = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { value, done } = await parts.read()
      if (done) return
      const events = (rest + value).split('\n\n')
      rest = events.pop()
      for (const event of events) {
        const data = /^data: (.+)$/m.exec(event)
        if (data) yield JSON.parse(data[1])
      }
    }
  } finally {
    stop.abort()
  }
}

/** Whether the operation that is to run is a subscription. */
function subscribes({ query, operationName }) {
  const operations = parse(query).definitions.filter((one) => one.kind === 'OperationDefinition')
  const chosen = operations.find((one) => one.name?.value === operationName) ?? operations[0]
  return chosen?.operation === 'subscription'
}

function Head({ token, onToken }) {
  const [shown, setShown] = useState(false)
  return (
    <header className="hub-head">
      <h1>
        一网枢纽 <span lang="en">Yiwang Hub</span>
      </h1>
      <code className="hub-endpoint">{ENDPOINT}</code>
      <form className="hub-token" autoComplete="off" onSubmit={(event) => event.preventDefault()}>
        <label htmlFor="hub-token">
          访问令牌 <span lang="en">Access token</span>
        </label>
        <input
          id="hub-token"
          type={shown ? 'text' : 'password'}
          autoComplete="off"
          spellCheck={false}
          placeholder="匿名 anonymous"
          value={token}
          onChange={(event) => onToken(event.target.value.trim())}
        />
        <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? '隐藏 Hide' : '显示 Show'}
        </button>
        <button type="button" disabled={!token} onClick={() => onToken('')}>
          清除 Clear
        </button>
      </form>
    </header>
  )
}

function Page() {
  const [token, setToken] = useState(() => sessionStorage.getItem(TOKEN) ?? '')
  const latest = useRef(token)
  const fetcher = useRef((request) => {
    let live = false
    try {
      live = subscribes(request)
    } catch {
      // it does not parse: the hub says where
    }
    return live ? listen(request, latest.current) : send(request, latest.current)
  })

  function change(next) {
    latest.current = next
    setToken(next)
    if (next) sessionStorage.setItem(TOKEN, next)
    else sessionStorage.removeItem(TOKEN)
  }

  return (
    <>
      <Head token={token} onToken={change} />
      <main className="hub-main">
        <GraphiQL
          fetcher={fetcher.current}
          storage={sessionStorage}
          defaultQuery={FIRST_QUERY}
          isHeadersEditorEnabled={false}
          shouldPersistHeaders={false}
        >
          <GraphiQL.Logo> </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  )
}

createRoot(document.getElementById('page')).render(<Page />)
