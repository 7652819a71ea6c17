// Loaded before the program: names of Xero's lead to a port of this machine, as /etc/hosts would have it. NODE_EXTRA_CA_CERTS
// adds the test's authority. Nothing of a client is changed.
'use strict'
const tls = require('node:tls')

const connect = tls.connect
tls.connect = function (...given) {
  const options = given[0]
  if (options && typeof options === 'object' && String(options.host || '').endsWith('.xero.com')) {
    const servername = options.servername || options.host
    given[0] = { ...options, host: '127.0.0.1', port: Number(process.env.XERO_PORT), servername }
  }
  return connect.apply(this, given)
}
