// xero-node: sign in with OpenID Connect, then call every method of the Accounting API; a line of JSON for each call.
'use strict'
const fs = require('node:fs')
const https = require('node:https')
const { XeroClient } = require('xero-node')
const { ObjectSerializer } = require('xero-node/dist/gen/model/accounting/models')

const plan = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))

function tell (call, outcome, detail = '') {
  console.log(JSON.stringify({ call, outcome, detail: String(detail).slice(0, 2000) }))
}

async function attempt (call, action) {
  try {
    const found = await action()
    tell(call, 'worked')
    return found
  } catch (error) {
    tell(call, 'failed', typeof error === 'string' ? error : error && error.message ? error.message : JSON.stringify(error))
  }
}

function consent (link) {
  const url = new URL(link)
  const form = new URLSearchParams(url.searchParams)
  form.set('tenant', plan.tenant)
  form.set('decision', 'allow')
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const request = https.request(url.origin + url.pathname, { method: 'POST', headers }, answer => {
      answer.resume()
      answer.headers.location ? resolve(answer.headers.location) : reject(new Error(`consent: ${answer.statusCode}`))
    })
    request.on('error', reject)
    request.end(form.toString())
  })
}

function value (given) {
  if (given && given.type) return ObjectSerializer.deserialize(given.body, given.type)
  if (given && given.bytes) return Buffer.from(given.bytes)
  if (given && given.time) return new Date(given.time)
  return given
}

function parameters (method) {
  const source = method.toString()
  return source.slice(source.indexOf('(') + 1, source.indexOf(')')).split(',').map(name => name.trim().replace(/_1$/, '')).filter(Boolean)
}

async function main () {
  const xero = new XeroClient({
    clientId: plan.clientId,
    clientSecret: plan.clientSecret,
    redirectUris: [plan.redirectUri],
    scopes: plan.scopes,
    state: 'a state',
    httpTimeout: 20000
  })
  await attempt('initialize', () => xero.initialize())
  const link = await attempt('buildConsentUrl', () => xero.buildConsentUrl())
  const back = await attempt('(the page)', () => consent(link))
  await attempt('apiCallback', () => xero.apiCallback(back))
  await attempt('refreshToken', () => xero.refreshToken())
  await attempt('refreshWithRefreshToken', () => xero.refreshWithRefreshToken(plan.clientId, plan.clientSecret, xero.readTokenSet().refresh_token))
  await attempt('updateTenants', () => xero.updateTenants())

  const api = xero.accountingApi
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(api)).filter(name => /^(get|create|update|delete|email|post)/.test(name)).sort()
  for (const name of names) {
    const own = plan.methods[name] || {}
    const given = parameters(api[name]).map(one => value(one in own ? own[one] : plan.parameters[one]))
    const answer = await attempt(name, () => api[name](...given))
    const wanted = plan.answers[name]
    if (answer && wanted && JSON.stringify(answer.body).indexOf(wanted) < 0) tell(name, 'wrong', `${wanted} is not in the answer`)
  }
  await attempt('disconnect', () => xero.disconnect(xero.tenants[0].id))
  await attempt('revokeToken', () => xero.revokeToken())
}

main().then(() => console.log(JSON.stringify({ call: '', outcome: 'done', detail: '' })))
