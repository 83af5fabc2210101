// openid-client in its default configuration logs in and signs at the simulated service, steered by the control API.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as client from 'openid-client'

const { BASE, DIR } = process.env
const redirect_uri = 'https://shop.example/callback'
const token = readFileSync(`${DIR}/control.token`, 'utf8').trim()

// The person: one call takes the authorization URL and gives the callback URL.
async function approve(authorization_url) {
  const response = await fetch(`${BASE}/control/visits`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ authorization_url: authorization_url.href }),
  })
  const answer = await response.json()
  if (answer.outcome !== 'approved') throw new Error(JSON.stringify(answer))
  return new URL(answer.callback_url)
}

const jwk = JSON.parse(readFileSync(`${DIR}/js.jwk`, 'utf8'))
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const config = await client.discovery(new URL(`${BASE}/api/realms/main`), 'RPjs', undefined, client.PrivateKeyJwt(key))

async function login(scope, extra) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const callback = await approve(client.buildAuthorizationUrl(config, {
    redirect_uri, scope, state, nonce, ...extra,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  }))
  return client.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState: state, expectedNonce: nonce })
}

const tokens = await login('openid name address birthdate gender')
const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
if (!info.name || !info.address || !info.birthdate || !info.gender) throw new Error('attributes are missing')

const service = await client.clientCredentialsGrant(config)
const hash = createHash('sha256').update('利用規約に同意します。').digest('base64')
const started = await (await client.fetchProtectedResource(config, service.access_token, new URL(`${BASE}/api/sign-transactions`), 'POST',
  JSON.stringify({ client_id: 'RPjs', hash, hash_algorithm: 'SHA-256' }), new Headers({ 'content-type': 'application/json' }))).json()
const signed = await login('openid sign', { sign_transaction_id: started.sign_transaction_id })
const result = await (await client.fetchProtectedResource(config, signed.access_token,
  new URL(`${BASE}/api/sign-transactions/${started.sign_transaction_id}/result`), 'GET')).json()
if (result.signature_jwe.split('.').length !== 5) throw new Error('no sealed result')
console.log('openid-client: logged in and signed')
